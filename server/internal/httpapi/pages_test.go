package httpapi

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"
)

// long is an answer whose last member comes page by page.
type long struct {
	Name    string `json:"name"`
	Entries []int  `json:"entries"`
}

// paging returns the pages one after the other, and then err.
func paging(err error, pages ...[]int) func() ([]int, error) {
	return func() ([]int, error) {
		if len(pages) == 0 {
			return nil, err
		}
		page := pages[0]
		pages = pages[1:]
		return page, nil
	}
}

func TestRespondPages(t *testing.T) {
	t.Run("the answer has all pages", func(t *testing.T) {
		for _, pages := range [][][]int{nil, {{1}}, {{1, 2}, {3}, {4, 5}}} {
			w, want := httptest.NewRecorder(), long{Name: "it ends in []}", Entries: []int{}}
			if err := RespondPages(w, want, paging(nil, pages...)); err != nil {
				t.Fatal(err)
			}
			for _, page := range pages {
				want.Entries = append(want.Entries, page...)
			}
			var got long
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, want %+v (%v)", w.Body, got, want, err)
			}
			if kind := w.Header().Get("Content-Type"); kind != "application/json" {
				t.Errorf("its type is %q", kind)
			}
		}
	})
	broken := errors.New("the store is away")
	t.Run("an error before the first page is an answer", func(t *testing.T) {
		w := httptest.NewRecorder()
		if err := RespondPages(w, long{Entries: []int{}}, paging(broken)); !errors.Is(err, broken) || w.Body.Len() > 0 {
			t.Errorf("got %v, after %q", err, w.Body)
		}
	})
	t.Run("a later one breaks the connection, so that a part isn't taken for all", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			RespondPages(w, long{Entries: []int{}}, paging(broken, []int{1, 2}))
		}))
		defer server.Close()
		answer, err := http.Get(server.URL)
		if err != nil {
			return // not even the header came
		}
		defer answer.Body.Close()
		var got long
		if err := json.NewDecoder(answer.Body).Decode(&got); err == nil {
			t.Errorf("a part was taken for all: %+v", got)
		}
	})
	t.Run("a list that isn't the last member is a fault", func(t *testing.T) {
		for _, answer := range []any{struct {
			Entries []int  `json:"entries"`
			Name    string `json:"name"`
		}{[]int{}, "x"}, long{Entries: []int{1}}} {
			if err := RespondPages(httptest.NewRecorder(), answer, paging(nil)); err == nil {
				t.Errorf("%+v was answered", answer)
			}
		}
	})
}
