package main

// Why goals aren't met, by profiles (pprof) of the program under this load. Whoever changes
// what they speak of profiles again, and changes them.
const (
	whySignInCPU = "Of some 300 µs, the verification takes 93 and the rest of go-webauthn 14, bbolt 67 (pages and syncs 39, records 28),\n" +
		"      net/http 48, JSON 21, collecting garbage 8, reading the user 7, the first half 5, and no other thing over 3."
	whySignInRate = "It follows from the CPU time, and the generator has a quarter of the same processors."
	whySyncs      = "Fewer than twenty sign-ins came to the writer within a commit and the two milliseconds that it waits for more."
	whyList       = "Of some 35 µs net/http takes 19; session and user are read and decoded (6), a kilobyte is encoded (6), a log line made (1)."
	whyBegin      = "Of some 27 µs net/http takes 19; a ticket is sealed (3), body and answer are JSON (2), a log line is made (1)."
	whyIdle       = "The heap of a start."
	whyLoaded     = "Garbage between two collections, and buffers of connections."
	whySize       = "1.6 MB are the app, and 0.5 MB the library that reads JSON strictly. Whatever looks up methods by name, as html/template does, has the linker keep them all."
	whyLarge      = "A record lies two levels deeper: a sign-in alone writes two pages more, and most pages are touched for the first time."
	whyStart      = "The machine was busy with something else, or the file isn't in its memory."
)
