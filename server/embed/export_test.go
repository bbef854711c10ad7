package embed

import "context"

// Deliver tries every hook whose turn it is.
func (h *Hooks) Deliver(ctx context.Context) error { return h.box.Deliver(ctx) }

// ReadIntroduction is readIntroduction.
var ReadIntroduction = readIntroduction
