package main

// Why goals aren't met, from profiles (pprof) of the program under this load. Whoever
// changes what they speak of measures again, and changes them.
const (
	whySignInCPU  = "why"
	whySignInRate = "why"
	whySyncs      = "Sign-ins that are verified while a commit waits share the next one; too few came together."
	whyList       = "why"
	whyBegin      = "why"
	whyIdle       = "why"
	whyLoaded     = "why"
	whySize       = "why"
	whyLarge      = "why"
	whyStart      = "why"
)
