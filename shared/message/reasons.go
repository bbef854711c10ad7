package message

// Reasons says why a passkey didn't work: see shared.FailureReason.
type Reasons struct {
	Closed      string
	Removed     string
	NoLock      string
	Elsewhere   string
	Unsupported string
	Provider    string
	Refused     string // also any reason of a newer server
}

var englishReasons = Reasons{
	Closed:      "Closed, timed out, or no passkey on the device",
	Removed:     "Removed here, still on the device",
	NoLock:      "No screen lock or PIN",
	Elsewhere:   "Another address",
	Unsupported: "Not possible with this browser or device",
	Provider:    "Trouble in the browser or password manager",
	Refused:     "Refused for another reason",
}

var frenchReasons = Reasons{
	Closed:      "Fermée, expirée ou aucune clé d’accès sur l’appareil",
	Removed:     "Supprimée ici, encore sur l’appareil",
	NoLock:      "Ni verrouillage d’écran ni code",
	Elsewhere:   "Autre adresse",
	Unsupported: "Impossible avec ce navigateur ou cet appareil",
	Provider:    "Problème du navigateur ou du gestionnaire de mots de passe",
	Refused:     "Refusée pour une autre raison",
}

var germanReasons = Reasons{
	Closed:      "Geschlossen, Zeit abgelaufen oder kein Passkey auf dem Gerät",
	Removed:     "Hier entfernt, noch auf dem Gerät",
	NoLock:      "Keine Bildschirmsperre oder PIN",
	Elsewhere:   "Andere Adresse",
	Unsupported: "Mit diesem Browser oder Gerät nicht möglich",
	Provider:    "Störung im Browser oder Passwortmanager",
	Refused:     "Aus anderem Grund abgelehnt",
}

var japaneseReasons = Reasons{
	Closed:      "閉じられた、時間切れ、またはデバイスにパスキーがない",
	Removed:     "ここでは削除済み、デバイスには残っている",
	NoLock:      "画面ロックも PIN もない",
	Elsewhere:   "別のアドレス",
	Unsupported: "このブラウザーまたはデバイスでは使えない",
	Provider:    "ブラウザーまたはパスワードマネージャーの不具合",
	Refused:     "その他の理由で拒否",
}

var spanishReasons = Reasons{
	Closed:      "Cerrada, caducada o sin llave de acceso en el dispositivo",
	Removed:     "Eliminada aquí, aún en el dispositivo",
	NoLock:      "Sin bloqueo de pantalla ni PIN",
	Elsewhere:   "Otra dirección",
	Unsupported: "No es posible con este navegador o dispositivo",
	Provider:    "Problema del navegador o del gestor de contraseñas",
	Refused:     "Rechazada por otro motivo",
}
