package httpapi

import (
	"net/http"

	"github.com/keypeg/keypeg/shared"
)

// Status returns the HTTP status of a code, or 0 if it isn't one of ours.
func Status(code shared.Code) int { return statuses[code] }

// statuses has the HTTP status of each code.
var statuses = map[shared.Code]int{
	shared.CodeInvalidRequest:    http.StatusBadRequest,
	shared.CodeInvalidName:       http.StatusUnprocessableEntity,
	shared.CodeInvalidPassword:   http.StatusUnprocessableEntity,
	shared.CodeNameTaken:         http.StatusConflict,
	shared.CodeInvalidEmail:      http.StatusUnprocessableEntity,
	shared.CodeInvalidClient:     http.StatusUnprocessableEntity,
	shared.CodeEmailTaken:        http.StatusConflict,
	shared.CodeUnauthenticated:   http.StatusUnauthorized,
	shared.CodeSignInRefused:     http.StatusUnauthorized,
	shared.CodeConfirmRequired:   http.StatusForbidden,
	shared.CodeCrossSite:         http.StatusForbidden,
	shared.CodeCookies:           http.StatusBadRequest,
	shared.CodeNotFound:          http.StatusNotFound,
	shared.CodeMethodNotAllowed:  http.StatusMethodNotAllowed,
	shared.CodeConflict:          http.StatusConflict,
	shared.CodePasskeyExists:     http.StatusConflict,
	shared.CodeTooManyPasskeys:   http.StatusConflict,
	shared.CodeLastMethod:        http.StatusConflict,
	shared.CodeLastAdministrator: http.StatusConflict,
	shared.CodeCeremonyRefused:   http.StatusBadRequest,
	shared.CodeCeremonyExpired:   http.StatusBadRequest,
	shared.CodeAccountDisabled:   http.StatusForbidden,
	shared.CodeUserNotVerified:   http.StatusBadRequest,
	shared.CodePasskeyCopied:     http.StatusBadRequest,
	shared.CodePasskeyChanged:    http.StatusBadRequest,
	shared.CodePasskeyRemoved:    http.StatusBadRequest,
	shared.CodePasskeyElsewhere:  http.StatusBadRequest,
	shared.CodeNotDiscoverable:   http.StatusBadRequest,
	shared.CodePasskeysOff:       http.StatusForbidden,
	shared.CodeMailOff:           http.StatusForbidden,
	shared.CodeHeld:              http.StatusForbidden,
	shared.CodePasswordsOff:      http.StatusForbidden,
	shared.CodeSuspended:         http.StatusForbidden,
	shared.CodeSSORefused:        http.StatusBadRequest,
	shared.CodeNoAccount:         http.StatusForbidden,
	shared.CodeIdentityTaken:     http.StatusConflict,
	shared.CodeNotAllowed:        http.StatusForbidden,
	shared.CodeTooLarge:          http.StatusRequestEntityTooLarge,
	shared.CodeUnsupportedType:   http.StatusUnsupportedMediaType,
	shared.CodeWrongHost:         http.StatusMisdirectedRequest,
	shared.CodeTooManyAttempts:   http.StatusTooManyRequests,
	shared.CodeInternal:          http.StatusInternalServerError,

	shared.CodeIntroductionInvalid: http.StatusBadRequest,
	shared.CodeIntroductionOrigin:  http.StatusBadRequest,
	shared.CodeIntroductionClock:   http.StatusBadRequest,
	shared.CodeIntroductionUser:    http.StatusConflict,
	shared.CodeIntroductionExpired: http.StatusUnauthorized,
	shared.CodeIntroductionUsed:    http.StatusUnauthorized,
	shared.CodeProgramRefused:      http.StatusUnauthorized,
	shared.CodeProofInvalid:        http.StatusBadRequest,
	shared.CodeProofExpired:        http.StatusBadRequest,
	shared.CodeProofUsed:           http.StatusConflict,
	shared.CodeProofBrowser:        http.StatusBadRequest,

	shared.CodeAuthenticatorRefused:  http.StatusForbidden,
	shared.CodeProviderUnavailable:   http.StatusServiceUnavailable,
	shared.CodeProviderMisconfigured: http.StatusServiceUnavailable,
}
