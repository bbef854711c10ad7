// Package httpapi has what every handler stands on, whichever feature it belongs to.
//
// [Requests.Logged] gives each request an id, and writes one line when it is done. A
// [Handler] answers the request or returns an error. [Answers.API] and [Answers.Page] turn
// an error into a problem or a page, and log its cause. [Gates] stand in front of handlers;
// behind them [CallerOf] returns the caller, with the [session.Actor] for rules. A handler
// reads with [Decode] or [Form], and answers with [Respond].
//
// A feature is a struct whose fields are what it needs, with a method Mount that names its
// routes and their gates. This package doesn't know the features, nor package server, which
// joins them.
package httpapi

import "net/http"

// Handler answers a request, or returns an error without answering.
type Handler func(w http.ResponseWriter, r *http.Request) error
