package ui_test

import (
	"fmt"

	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared"
	"github.com/keypeg/keypeg/shared/message"
)

// plain formats dates and numbers for one language. In a browser, selfservice.Context has
// Formats for all languages.
type plain struct{ ui.Formats }

func (plain) Number(n int) string { return fmt.Sprint(n) }

// Components take their texts from a catalogue. A program that draws its own components can
// do so too.
func ExampleContext_Count() {
	for _, text := range []*message.Catalogue{&message.English, &message.German} {
		here := ui.Context{Text: text, Formats: plain{}}
		for n := range 3 {
			fmt.Println(here.Count(text.Home.PasskeyCount, n))
		}
		fmt.Println(text.Refusal(shared.Errorf(shared.CodeUnauthenticated, "Please sign in.")))
	}

	// Output:
	// 0 passkeys
	// 1 passkey
	// 2 passkeys
	// Please sign in.
	// 0 Passkeys
	// 1 Passkey
	// 2 Passkeys
	// Bitte melden Sie sich an.
}
