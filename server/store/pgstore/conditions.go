package pgstore

// Conditions of PostgreSQL (Appendix A of its manual) that are treated differently.
const (
	protocolViolation     = "08P01"
	divisionByZero        = "22012"
	uniqueViolation       = "23505"
	readOnlyTransaction   = "25006"
	idleInTransaction     = "25P03" // idle_in_transaction_session_timeout
	transactionTimeout    = "25P04"
	invalidAuthorization  = "28000"
	invalidPassword       = "28P01"
	unknownDatabase       = "3D000"
	serializationFailure  = "40001"
	deadlock              = "40P01"
	insufficientPrivilege = "42501"
	diskFull              = "53100"
	tooManyConnections    = "53300"
	lockNotAvailable      = "55P03" // lock_timeout
	queryCanceled         = "57014" // statement_timeout
	cannotConnectNow      = "57P03"
)
