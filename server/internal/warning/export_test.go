package warning

// Advise returns what IT reads of a cause.
func Advise(c Cause) (Advice, bool) {
	advice, known := causes[c]
	return advice, known
}
