// Package httpapi is what every handler stands on, whichever feature it belongs to.
//
// A request comes in through [Requests.Logged], which gives it an id and writes one line when
// it is done. A [Handler] answers it, or returns why it can't. [Answers.API] and
// [Answers.Page] turn such an error into a problem or a page, and tell the log its cause.
// Between them stand [Gates]: behind them [CallerOf] says who sends the request, as the
// [session.Actor] that rules are called with. A handler reads by [Decode] or [Form], and
// answers by [Respond].
//
// A feature is a struct whose fields are what it needs, and a method Mount that names its
// routes and their gates. This package knows none of them, nor package server, which joins
// them all.
package httpapi

import "net/http"

// Handler answers a request, or returns why it can't.
type Handler func(w http.ResponseWriter, r *http.Request) error
