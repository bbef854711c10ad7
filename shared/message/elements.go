package message

// LabelsIn returns the texts of the elements that other programs have in their pages, by the names that
// web/static/elements.js has for them: those that are there at once. The script has all languages.
func LabelsIn(text *Catalogue) Script {
	return Script{
		"passkeys": text.Shell.Passkeys,
		"activity": text.Shell.Activity,
		"close":    text.Panel.Close,
		"signIn":   text.SignIn.Passkey,
		"offline":  text.Failure.Offline,
	}
}

// OfferIn returns those of the offer of a passkey, in web/static/offer.js.
func OfferIn(text *Catalogue) Script {
	return Script{
		"offerTitle": text.Home.OfferTitle, "offerLead": text.Home.OfferLead,
		"offerAdd": text.Home.OfferAdd, "offerNotNow": text.Home.OfferNotNow,
	}
}
