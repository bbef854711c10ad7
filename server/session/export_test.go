package session

// PublicID lets tests end a session as its user's page does.
var PublicID = publicID
