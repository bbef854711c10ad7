package message

// MailPages are the texts of pages to which links in mails lead.
type MailPages struct {
	VerifyTitle   string
	VerifyLead    string // {address}, {user}, {product}
	VerifySubmit  string
	VerifiedTitle string
	VerifiedLead  string // {product}
}

// MailPagesIn returns the texts in the language of a catalogue.
func MailPagesIn(catalogue *Catalogue) MailPages {
	switch catalogue.Lang {
	case German.Lang:
		return mailPagesGerman
	case French.Lang:
		return mailPagesFrench
	case Spanish.Lang:
		return mailPagesSpanish
	case Japanese.Lang:
		return mailPagesJapanese
	}
	return mailPagesEnglish
}

var mailPagesEnglish = MailPages{
	VerifyTitle:   "Is this your e-mail address?",
	VerifyLead:    "{address} is written down for the account “{user}” at {product}. If the account is yours, verify the address. If not, close this page.",
	VerifySubmit:  "Verify the address",
	VerifiedTitle: "Your address is verified",
	VerifiedLead:  "Mails about your account at {product} come to it from now on.",
}

var mailPagesGerman = MailPages{
	VerifyTitle:   "Ist das Ihre E-Mail-Adresse?",
	VerifyLead:    "{address} ist für das Konto „{user}“ bei {product} eingetragen. Wenn das Konto Ihres ist, bestätigen Sie die Adresse. Wenn nicht, schließen Sie diese Seite.",
	VerifySubmit:  "Adresse bestätigen",
	VerifiedTitle: "Ihre Adresse ist bestätigt",
	VerifiedLead:  "E-Mails zu Ihrem Konto bei {product} kommen von jetzt an dorthin.",
}

var mailPagesFrench = MailPages{
	VerifyTitle:   "Est-ce votre adresse e-mail ?",
	VerifyLead:    "{address} est indiquée pour le compte « {user} » chez {product}. Si ce compte est le vôtre, vérifiez l’adresse. Sinon, fermez cette page.",
	VerifySubmit:  "Vérifier l’adresse",
	VerifiedTitle: "Votre adresse est vérifiée",
	VerifiedLead:  "Les messages concernant votre compte {product} y arrivent désormais.",
}

var mailPagesSpanish = MailPages{
	VerifyTitle:   "¿Es esta tu dirección de correo?",
	VerifyLead:    "{address} figura en la cuenta «{user}» de {product}. Si la cuenta es tuya, verifica la dirección. Si no, cierra esta página.",
	VerifySubmit:  "Verificar la dirección",
	VerifiedTitle: "Tu dirección está verificada",
	VerifiedLead:  "Los correos sobre tu cuenta en {product} llegarán ahí a partir de ahora.",
}

var mailPagesJapanese = MailPages{
	VerifyTitle:   "このメールアドレスはあなたのものですか?",
	VerifyLead:    "{product} のアカウント「{user}」に {address} が登録されています。ご自身のアカウントでしたら、アドレスを確認してください。そうでない場合は、このページを閉じてください。",
	VerifySubmit:  "アドレスを確認する",
	VerifiedTitle: "アドレスが確認されました",
	VerifiedLead:  "今後、{product} のアカウントについてのメールはこのアドレスに届きます。",
}
