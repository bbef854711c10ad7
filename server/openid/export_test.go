package openid

// What tests look at from outside.
var (
	PublicOnly    = publicOnly
	CheckDocument = checkDocument
	DescribedBy   = describedBy
	LetterTag     = letterTag
)
