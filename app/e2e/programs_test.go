package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// grafana is another program, to which people sign in with their accounts. It shows what it was told.
type grafana struct {
	*server
	url string
}

func startServerWithProgram(t *testing.T) grafana {
	t.Helper()
	program := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost { // the answer by a form
			r.ParseForm()
			http.Redirect(w, r, "/cb?"+r.PostForm.Encode(), http.StatusSeeOther)
			return
		}
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<!doctype html><link rel="icon" href="data:,"><h1>The program</h1>`)
	}))
	t.Cleanup(program.Close)
	config, secret := filepath.Join(t.TempDir(), "keypeg.toml"), filepath.Join(t.TempDir(), "secret")
	for file, text := range map[string]string{secret: strings.Repeat("s", 32), config: `[client.grafana]
name = "Grafana"
redirects = ["` + program.URL + `/cb"]
secret-file = "` + secret + `"
`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return grafana{startServer(t, "--config", config), program.URL}
}

// asks returns the address at which the program sends its people to Keypeg, with parameters besides the usual ones.
func (g grafana) asks(more ...string) string {
	sent := url.Values{
		"client_id": {"grafana"}, "redirect_uri": {g.url + "/cb"}, "response_type": {"code"}, "scope": {"openid profile email groups"}, "state": {"a state"},
		"code_challenge": {"ahPqLsi7P3zVk_x_mrtpwuI1ckS-ixx0SqLQLE0lQXA"}, "code_challenge_method": {"S256"},
	}
	for i := 0; i < len(more); i += 2 {
		sent.Set(more[i], more[i+1])
	}
	return g.server.url + "/openid/authorize?" + sent.Encode()
}

// isBackWith waits until the browser is at the program, with a parameter that isn't empty.
func (b *browser) isBackWith(g grafana, parameter string) {
	b.t.Helper()
	b.waitsFor("being back at the program with "+parameter, fmt.Sprintf(`location.href.startsWith(%s) && new URLSearchParams(location.search).get(%s)`, quoted(g.url+"/cb?"), quoted(parameter)))
	b.readsIn("h1", "The program")
}

// TestPrograms: Ann lets a program in, is back there, sees it in her account, and ends it.
func TestPrograms(t *testing.T) {
	t.Parallel()
	g := startServerWithProgram(t)
	ann := openBrowser(t, g.server)
	ann.setsUp()

	ann.opens(g.asks())
	ann.readsIn("h1", "Sign in to Grafana as Ann Admin")
	ann.reads("Your name, Ann Admin")
	ann.reads("It doesn’t get your password or your passkeys.")
	for _, in := range []struct{ lang, title string }{{"de", "Bei Grafana als Ann Admin anmelden"}, {"en", "Sign in to Grafana as Ann Admin"}} {
		ann.clicks("#language > summary")
		ann.clicks("#language [value=" + in.lang + "]")
		ann.readsIn("h1", in.title)
	}
	ann.clicks("button[value=cancel]")
	ann.isBackWith(g, "error")

	ann.opens(g.asks())
	ann.readsIn("h1", "Sign in to Grafana as Ann Admin")
	ann.clicks("button[value=allow]")
	ann.isBackWith(g, "code")
	ann.opens(g.asks()) // isn't asked again
	ann.isBackWith(g, "code")
	ann.opens(g.asks("response_mode", "form_post"))
	ann.isBackWith(g, "code")

	ann.opens("/activity")
	ann.reads("Access for Grafana allowed")
	other := ann.opensTab()
	other.opens("/")
	other.readsIn("#programs", "Programs you use")
	ann.opens("/")
	ann.readsIn("#programs", "Programs you use")
	ann.reads("Gets your name, your groups") // she has no e-mail
	const end = "[id^=end-][aria-label='End Grafana']"
	ann.clicks(end)
	ann.hasFocusOn("#program-end-cancel")
	ann.presses(escape)
	ann.seesNo("#program-end")
	ann.hasFocusOn(end)
	ann.clicks(end)
	ann.clicks("#program-end-ok")
	ann.seesNo(end)
	other.seesNo(end)
	other.seesNo("#programs")
	ann.opens("/activity")
	ann.reads("Access for Grafana ended")

	ann.opens(g.asks()) // has to ask again
	ann.readsIn("h1", "Sign in to Grafana as Ann Admin")
	ann.clicks("[form=other-account]")
	ann.isAtSignIn()
	ann.hasNoComplaints()
}

func (b *browser) isAtSignIn() {
	b.t.Helper()
	b.waitsFor("being at the sign-in page", `location.pathname === "/sign-in"`)
	b.sees("#sign-in")
}

// TestStepsUp: Ann confirms who she is, because a program asks for it: with her password and with her passkey, without
// leaving the way to the program.
func TestStepsUp(t *testing.T) {
	t.Parallel()
	g := startServerWithProgram(t)
	ann := openBrowser(t, g.server)
	laptop := ann.hasDevice()
	ann.setsUp()
	ann.opens(g.asks())
	ann.clicks("button[value=allow]")
	ann.isBackWith(g, "code")

	t.Run("a passkey is needed, and there is none", func(t *testing.T) {
		ann.opens(g.asks("acr_values", "phr"))
		ann.readsIn("h1", "Confirm that it’s you")
		ann.reads("Add a passkey first: this part of Grafana needs one.")
		ann.seesNo("input[name=password]")
		ann.clicks("a.button.primary")
		ann.isAt("/passkeys")
		ann.addsPasskey("Laptop")
	})
	t.Run("with a passkey", func(t *testing.T) {
		ann.opens(g.asks("acr_values", "phr"))
		ann.reads("Here a passkey is needed.")
		laptop.touches(false)
		ann.clicks("#use-passkey")
		ann.clicks("#cancel-passkey")
		ann.seesNo("#cancel-passkey")
		laptop.touches(true)
		ann.clicks("#use-passkey")
		ann.isBackWith(g, "code")
		if value[bool](ann, `document.referrer !== ""`) {
			t.Error("the program is told from where the browser comes")
		}
	})
	t.Run("with the password, after a wrong one", func(t *testing.T) {
		ann.opens("/activity")
		ann.growsOld()
		ann.opens(g.asks("prompt", "login"))
		ann.readsIn("h1", "Confirm that it’s you")
		ann.readsIn(".lead", "Ann Admin, Grafana asks for it: you signed in 1 hour ago.")
		ann.types("input[name=password]", "a wrong password")
		ann.clicks("#use-password")
		ann.sees("#refusal")
		ann.types("input[name=password]", annsPassword)
		ann.clicks("#use-password")
		ann.isBackWith(g, "code")
	})
	t.Run("or not", func(t *testing.T) {
		ann.opens("/activity")
		ann.growsOld()
		ann.opens(g.asks("max_age", "60"))
		ann.clicks("button[value=cancel]")
		ann.isBackWith(g, "error")
	})
	ann.hasNoComplaints()
}
