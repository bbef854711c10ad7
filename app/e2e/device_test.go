package e2e

import (
	"slices"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/webauthn"
	"github.com/chromedp/chromedp"
)

// device is a virtual authenticator. By default it is the fingerprint reader of a laptop.
type device struct {
	b  *browser
	id webauthn.AuthenticatorID
}

func (b *browser) hasDevice() *device {
	b.t.Helper()
	return b.hasDeviceWith(func(*webauthn.VirtualAuthenticatorOptions) {})
}

func (b *browser) hasDeviceWith(change func(*webauthn.VirtualAuthenticatorOptions)) *device {
	b.t.Helper()
	options := &webauthn.VirtualAuthenticatorOptions{
		Protocol: webauthn.AuthenticatorProtocolCtap2, Transport: webauthn.AuthenticatorTransportInternal,
		HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
	}
	change(options)
	added, err := chromedp.Call(b.ctx, webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{Options: options})
	if err != nil {
		b.t.Fatalf("adding a virtual authenticator: %v", err)
	}
	d := &device{b, added.AuthenticatorID}
	b.devices = append(b.devices, d)
	return d
}

// touches sets whether the person touches the device when it asks.
func (d *device) touches(yes bool) {
	d.b.t.Helper()
	if _, err := chromedp.Call(d.b.ctx, webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{
		AuthenticatorID: d.id, Enabled: yes,
	}); err != nil {
		d.b.t.Fatal(err)
	}
}

// recognises sets whether the device recognises the person's finger.
func (d *device) recognises(yes bool) {
	d.b.t.Helper()
	if _, err := chromedp.Call(d.b.ctx, webauthn.SetUserVerified, webauthn.SetUserVerifiedParams{
		AuthenticatorID: d.id, IsUserVerified: yes,
	}); err != nil {
		d.b.t.Fatal(err)
	}
}

func (d *device) isTakenAway() {
	d.b.t.Helper()
	if _, err := chromedp.Call(d.b.ctx, webauthn.RemoveVirtualAuthenticator, webauthn.RemoveVirtualAuthenticatorParams{
		AuthenticatorID: d.id,
	}); err != nil {
		d.b.t.Fatal(err)
	}
	d.b.devices = slices.DeleteFunc(d.b.devices, func(other *device) bool { return other == d })
}

// holds counts the passkeys on the device.
func (d *device) holds() int { d.b.t.Helper(); return len(d.credentials()) }

func (d *device) credentials() []*webauthn.Credential {
	d.b.t.Helper()
	held, err := chromedp.Call(d.b.ctx, webauthn.GetCredentials, webauthn.GetCredentialsParams{AuthenticatorID: d.id})
	if err != nil {
		d.b.t.Fatal(err)
	}
	return held.Credentials
}

// onlyCredential returns the only passkey on the browser's devices, with its private key.
func (b *browser) onlyCredential() *webauthn.Credential {
	b.t.Helper()
	var all []*webauthn.Credential
	for _, d := range b.devices {
		all = append(all, d.credentials()...)
	}
	if len(all) != 1 {
		b.t.Fatalf("the devices hold %d passkeys, want one", len(all))
	}
	return all[0]
}

// gets puts a passkey on the device, as a password manager that syncs does.
func (d *device) gets(c *webauthn.Credential) {
	d.b.t.Helper()
	// It isn't sent as a webauthn.Credential, which names an extension that this device lacks.
	add := cdp.Command[map[string]any, cdp.Empty]{Method: webauthn.CommandAddCredential}
	if _, err := chromedp.Call(d.b.ctx, add, map[string]any{"authenticatorId": d.id, "credential": map[string]any{
		"credentialId": c.CredentialID, "isResidentCredential": true, "rpId": c.RpID, "privateKey": c.PrivateKey,
		"userHandle": c.UserHandle, "signCount": c.SignCount, "userName": c.UserName, "userDisplayName": c.UserDisplayName,
	}}); err != nil {
		d.b.t.Fatal(err)
	}
}

// comesToHold waits until the passkeys on the device are as so says.
func (d *device) comesToHold(what string, so func([]*webauthn.Credential) bool) {
	d.b.t.Helper()
	for deadline := time.Now().Add(patience); !so(d.credentials()); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			d.b.t.Fatalf("the device never came to hold %s: %+v", what, d.credentials())
		}
	}
}
