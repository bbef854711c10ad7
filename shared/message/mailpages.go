package message

// MailPages are the texts of pages to which links in mails lead.
type MailPages struct {
	VerifyTitle   string
	VerifyLead    string // {address}, {user}, {product}
	VerifySubmit  string
	VerifiedTitle string
	VerifiedLead  string // {product}
	NotMeTitle    string
	NotMeLead     string // {user}, {product}
	NotMeSubmit   string
	NotMeSignIn   string // {activity}, {notMe}
	OpenActivity  string
	HeldTitle     string
	HeldLead      string
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
	NotMeTitle:    "This wasn’t you?",
	NotMeLead:     "You can stop new ways to sign in to the account “{user}” at {product}. For seven days, nobody can then add a passkey, a password, a sign-in at a provider or recovery codes. Signing in works as before.",
	NotMeSubmit:   "Stop new ways to sign in",
	NotMeSignIn:   "If you can sign in, also open “{activity}” and choose “{notMe}”: that signs everybody else out, and helps you to change your password.",
	OpenActivity:  "Open my activity",
	HeldTitle:     "New ways to sign in are stopped",
	HeldLead:      "For seven days, nobody can add one. Sign in with this browser to change your password, or to end that earlier. Or ask an administrator.",
}

var mailPagesGerman = MailPages{
	VerifyTitle:   "Ist das Ihre E-Mail-Adresse?",
	VerifyLead:    "{address} ist für das Konto „{user}“ bei {product} eingetragen. Wenn das Konto Ihres ist, bestätigen Sie die Adresse. Wenn nicht, schließen Sie diese Seite.",
	VerifySubmit:  "Adresse bestätigen",
	VerifiedTitle: "Ihre Adresse ist bestätigt",
	VerifiedLead:  "E-Mails zu Ihrem Konto bei {product} kommen von jetzt an dorthin.",
	NotMeTitle:    "Waren Sie das nicht?",
	NotMeLead:     "Sie können neue Anmeldemethoden für das Konto „{user}“ bei {product} sperren. Sieben Tage lang kann dann niemand einen Passkey, ein Passwort, eine Anmeldung bei einem Anbieter oder Wiederherstellungscodes hinzufügen. Die Anmeldung funktioniert weiter wie bisher.",
	NotMeSubmit:   "Neue Anmeldemethoden sperren",
	NotMeSignIn:   "Wenn Sie sich anmelden können, öffnen Sie auch „{activity}“, und wählen Sie „{notMe}“: Das meldet alle anderen ab und hilft Ihnen, Ihr Passwort zu ändern.",
	OpenActivity:  "Meine Aktivität öffnen",
	HeldTitle:     "Neue Anmeldemethoden sind gesperrt",
	HeldLead:      "Sieben Tage lang kann niemand eine hinzufügen. Melden Sie sich mit diesem Browser an, um Ihr Passwort zu ändern oder das früher zu beenden. Oder fragen Sie die Administration.",
}

var mailPagesFrench = MailPages{
	VerifyTitle:   "Est-ce votre adresse e-mail ?",
	VerifyLead:    "{address} est indiquée pour le compte « {user} » chez {product}. Si ce compte est le vôtre, vérifiez l’adresse. Sinon, fermez cette page.",
	VerifySubmit:  "Vérifier l’adresse",
	VerifiedTitle: "Votre adresse est vérifiée",
	VerifiedLead:  "Les messages concernant votre compte {product} y arrivent désormais.",
	NotMeTitle:    "Ce n’était pas vous ?",
	NotMeLead:     "Vous pouvez bloquer les nouveaux moyens de connexion au compte « {user} » chez {product}. Pendant sept jours, personne ne pourra alors ajouter une clé d’accès, un mot de passe, une connexion chez un fournisseur ou des codes de secours. La connexion fonctionne comme avant.",
	NotMeSubmit:   "Bloquer les nouveaux moyens de connexion",
	NotMeSignIn:   "Si vous pouvez vous connecter, ouvrez aussi « {activity} » et choisissez « {notMe} » : cela déconnecte tous les autres et vous aide à changer votre mot de passe.",
	OpenActivity:  "Ouvrir mon activité",
	HeldTitle:     "Les nouveaux moyens de connexion sont bloqués",
	HeldLead:      "Pendant sept jours, personne ne peut en ajouter. Connectez-vous avec ce navigateur pour changer votre mot de passe ou y mettre fin plus tôt. Ou adressez-vous à l’administration.",
}

var mailPagesSpanish = MailPages{
	VerifyTitle:   "¿Es esta tu dirección de correo?",
	VerifyLead:    "{address} figura en la cuenta «{user}» de {product}. Si la cuenta es tuya, verifica la dirección. Si no, cierra esta página.",
	VerifySubmit:  "Verificar la dirección",
	VerifiedTitle: "Tu dirección está verificada",
	VerifiedLead:  "Los correos sobre tu cuenta en {product} llegarán ahí a partir de ahora.",
	NotMeTitle:    "¿No fuiste tú?",
	NotMeLead:     "Puedes bloquear las nuevas formas de iniciar sesión en la cuenta «{user}» de {product}. Durante siete días, nadie podrá añadir una llave de acceso, una contraseña, un inicio de sesión en un proveedor ni códigos de recuperación. Iniciar sesión funciona como siempre.",
	NotMeSubmit:   "Bloquear nuevas formas de iniciar sesión",
	NotMeSignIn:   "Si puedes iniciar sesión, abre también «{activity}» y elige «{notMe}»: así se cierran las demás sesiones y puedes cambiar tu contraseña.",
	OpenActivity:  "Abrir mi actividad",
	HeldTitle:     "Las nuevas formas de iniciar sesión están bloqueadas",
	HeldLead:      "Durante siete días, nadie puede añadir ninguna. Inicia sesión con este navegador para cambiar tu contraseña o terminar antes. O pregunta a la administración.",
}

var mailPagesJapanese = MailPages{
	VerifyTitle:   "このメールアドレスはあなたのものですか?",
	VerifyLead:    "{product} のアカウント「{user}」に {address} が登録されています。ご自身のアカウントでしたら、アドレスを確認してください。そうでない場合は、このページを閉じてください。",
	VerifySubmit:  "アドレスを確認する",
	VerifiedTitle: "アドレスが確認されました",
	VerifiedLead:  "今後、{product} のアカウントについてのメールはこのアドレスに届きます。",
	NotMeTitle:    "お心当たりがありませんか?",
	NotMeLead:     "{product} のアカウント「{user}」に新しいサインイン方法を追加できないようにできます。7 日間、パスキー、パスワード、プロバイダーでのサインイン、リカバリーコードを誰も追加できなくなります。サインインはこれまでどおりできます。",
	NotMeSubmit:   "サインイン方法の追加を止める",
	NotMeSignIn:   "サインインできる場合は、「{activity}」も開いて「{notMe}」を選んでください。他のすべての人がサインアウトされ、パスワードの変更に進めます。",
	OpenActivity:  "アクティビティを開く",
	HeldTitle:     "サインイン方法の追加を止めました",
	HeldLead:      "7 日間、誰も追加できません。パスワードの変更や早めの解除は、このブラウザーでサインインして行えます。または管理者にお問い合わせください。",
}
