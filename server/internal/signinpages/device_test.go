package signinpages_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/keypeg/keypeg/server/internal/signinpages"
	"github.com/keypeg/keypeg/shared/message"
)

// TestDevice checks what the pages of a device say and send.
func TestDevice(t *testing.T) {
	t.Run("the code is typed", func(t *testing.T) {
		got := drawn(t, func(w http.ResponseWriter) error {
			return programPages().Device(w, http.StatusOK, &message.English, signinpages.Device{Code: "BCDFG-HJKLM"})
		})
		if action, fields := got.sends(t, "Continue"); action != "/device" || fields["code"] != "BCDFG-HJKLM" {
			t.Errorf("the form sends %v to %s", fields, action)
		}
	})
	t.Run("the page asks for one program, with the code and a warning", func(t *testing.T) {
		got := drawn(t, func(w http.ResponseWriter) error {
			return programPages().DeviceAsk(w, http.StatusOK, &message.English, signinpages.DeviceAsk{
				Program: "Grafana", User: "Ann Miller", Code: "BCDFG-HJKLM", Request: "sealed", Asks: []signinpages.Asked{{Kind: signinpages.AskedName, Value: "Ann Miller"}},
			})
		})
		for _, said := range []string{"Code: BCDFG-HJKLM", message.ProgramPagesIn(&message.English).DeviceWarn} {
			if !slices.Contains(got.reads("p"), said) {
				t.Errorf("it doesn't say %q: %q", said, got.reads("p"))
			}
		}
		if list := append(got.reads("h1"), got.reads("li")...); !slices.Equal(list, []string{"Sign in to Grafana as Ann Miller", "Your name, Ann Miller"}) {
			t.Errorf("got %q", list)
		}
		for label, want := range map[string]string{"Allow": "allow", "Cancel": "cancel"} {
			if action, fields := got.sends(t, label); action != "/device/answer" || fields["answer"] != want || fields["request"] != "sealed" {
				t.Errorf("%s sends %v to %s", label, fields, action)
			}
		}
	})
	t.Run("who uses the browser now can be somebody else", func(t *testing.T) {
		got := drawn(t, func(w http.ResponseWriter) error {
			return programPages().DeviceAsk(w, http.StatusOK, &message.English, signinpages.DeviceAsk{Program: "Grafana", User: "Ann Miller", Code: "BCDFG-HJKLM", Request: "sealed"})
		})
		if action, fields := got.sends(t, "Use another account"); action != "/openid/other-account" || fields["request"] != "sealed" {
			t.Errorf("it sends %v to %s", fields, action)
		}
	})
	t.Run("the last page says what was done", func(t *testing.T) {
		for allowed, want := range map[bool]string{true: "You can go back to your device", false: "Nothing was allowed"} {
			got := drawn(t, func(w http.ResponseWriter) error {
				return programPages().DeviceDone(w, &message.English, "Grafana", allowed)
			})
			if h := got.reads("h1"); !slices.Equal(h, []string{want}) || len(got.elements("form")) > 0 {
				t.Errorf("got %q", h)
			}
		}
	})
}
