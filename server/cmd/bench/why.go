package main

// Why goals aren't met, by profiles (pprof) of the program under this load. Whoever changes
// what they speak of profiles again, and changes them.
const (
	whySignInCPU = "Of some 250 µs, bbolt takes 75 (syncs 23, records 27, pages 25), go-webauthn 80 (the verification among\n" +
		"      other work 49, parsing 13), net/http 30, our JSON and HTTP the rest, of which a third is garbage and log lines."
	whySignInRate = "It follows from the CPU time, and the generator has a third of the same processors."
	whySyncs      = "Sign-ins that are verified while a commit waits for the disk share the next one, and too few came together."
	whyList       = "Two records are read (4 µs) and a log line written (2 µs), and the answer is a kilobyte with twelve headers."
	whyBegin      = "A ticket is sealed and options are made (4 µs), a log line is written (2 µs), twelve headers and a kilobyte go out."
	whyIdle       = "The heap of a start, of which 1.5 MiB are the compressed app."
	whyLoaded     = "Garbage between two collections, and buffers of connections."
	whySize       = "1.5 MB are the app. kong looks up methods by name, so that the linker keeps those of all that is built in:\n" +
		"      go-webauthn, go-app, the drivers of PostgreSQL and OpenID Connect."
	whyLarge = "A record lies two levels deeper, on pages of which most are touched for the first time; or the machine drifted."
	whyStart = "The machine was busy with something else, or the file isn't in its memory."
)
