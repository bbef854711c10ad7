// Package app is the overview of what runs in the browser. It has no code of its own.
//
// Keypeg's own programs are app/wasm, which every user's browser runs, and
// app/wasm/administration. They open the pages of app/pages, of which there is one table. A
// page lays out components of app/ui. They ask small interfaces for what they
// need, and app/selfservice answers those: it puts app/ceremony (registration and sign-in,
// step by step) and app/client (the API's paths and types) together. Only app/browser
// knows JavaScript.
//
// Other go-app programs may import all of these but app/pages and app/wasm; app/toolcrib
// is one that does. Nothing in app/ imports anything in server/, nor the other way round:
// only programs in server/cmd know both.
package app
