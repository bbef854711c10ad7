package browser

// LiveState is what a stream of changes has to tell.
type LiveState string

const (
	LiveConnected LiveState = "connected" // from now on every change is told
	LiveChanged   LiveState = "changed"   // ask again for what you show
	LiveLost      LiveState = "lost"      // changes may be missed until it is connected again
)
