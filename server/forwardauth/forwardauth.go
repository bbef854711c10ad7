// Package forwardauth signs users in to programs behind a reverse proxy that know nothing of sign-in: the
// proxy asks here for each request whether it may pass.
package forwardauth
