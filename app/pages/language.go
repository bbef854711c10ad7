package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	goapp "github.com/maxence-charriere/go-app/v10/pkg/app"

	"github.com/keypeg/keypeg/app/browser"
	"github.com/keypeg/keypeg/app/client"
	"github.com/keypeg/keypeg/app/ui"
	"github.com/keypeg/keypeg/shared/message"
)

// Language is a language that the server has texts in.
type Language struct {
	Tag  string `json:"tag"`  // BCP 47
	Name string `json:"name"` // as its speakers call it
	URL  string `json:"url"`  // a [message.Catalogue] in JSON
}

// languages are the languages that the reader can choose. English is in the program. The
// others are loaded when they are needed, and the service worker keeps them.
type languages struct {
	transport client.Transport
	list      []Language

	mu  sync.Mutex
	got map[string]*message.Catalogue
}

// names returns the languages for people to choose from.
func (l *languages) names() (list []ui.Language) {
	for _, language := range l.list {
		list = append(list, ui.Language{Tag: language.Tag, Name: language.Name})
	}
	return list
}

func newLanguages(transport client.Transport) *languages {
	l := &languages{transport: transport, got: map[string]*message.Catalogue{message.English.Lang: &message.English}}
	if err := json.Unmarshal([]byte(goapp.Getenv(EnvLanguages)), &l.list); err != nil {
		l.list = nil // the server renders ahead in English
	}
	return l
}

// wanted returns the tag of the language that the reader wants most.
func (l *languages) wanted() string { return l.first(browser.Languages()...) }

// first returns the tag of the first of some languages that the server has texts in, or the English one.
func (l *languages) first(tags ...string) string {
	for _, tag := range tags {
		for _, language := range l.list {
			if message.Speaks(language.Tag, tag) {
				return language.Tag
			}
		}
	}
	return message.English.Lang
}

// catalogue returns the texts of a language.
func (l *languages) catalogue(ctx context.Context, tag string) (*message.Catalogue, error) {
	l.mu.Lock()
	text, ok := l.got[tag]
	l.mu.Unlock()
	if ok {
		return text, nil
	}

	for _, language := range l.list {
		if language.Tag != tag {
			continue
		}
		status, body, err := l.transport.Send(ctx, "GET", language.URL, nil)
		if err != nil || status != 200 {
			return nil, fmt.Errorf("getting the texts of %s: status %d: %w", tag, status, err)
		}
		text := &message.Catalogue{}
		if err := json.Unmarshal(body, text); err != nil {
			return nil, fmt.Errorf("reading the texts of %s: %w", tag, err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.got[tag] = text
		return text, nil
	}
	return nil, fmt.Errorf("there are no texts of %s", tag)
}

// speech is the language of a page. A component of a page embeds it.
type speech struct {
	languages *languages
	text      *message.Catalogue
	spoken    bool // the text is in the language that the reader wants
}

func (l *languages) speech() speech { return speech{languages: l, text: &message.English} }

// speak changes the language of the page, and then calls done. If the texts can't be loaded,
// the page stays in the language before.
func (s *speech) speak(ctx goapp.Context, tag string, done func(goapp.Context)) {
	ctx.Async(func() {
		text, err := s.languages.catalogue(ctx, tag)
		ctx.Dispatch(func(ctx goapp.Context) {
			if err == nil {
				s.text = text
			}
			s.spoken = true
			browser.SpeakLanguage(s.text.Lang)
			done(ctx)
		})
	})
}
