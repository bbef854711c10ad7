package message

// Mail has the texts of e-mails. They aren't in a [Catalogue], so the app in the browser is
// without them.
type Mail struct {
	Hello     string // {name}
	Lead      string // {product}
	When      string
	Passkey   string
	Provider  string
	Program   string
	Browser   string
	BrowserOn string // {browser}, {system}
	Address   string
	NewEmail  string
	ByOther   string // the fact that an administrator or a helper did it
	ByOtherIs string
	Fact      string // {name}, {value}: a fact in a line
	NotYou    string // {notMe}
	NotYouAsk string // for whoever can't sign in
	Automatic string // {product}

	Titles Titles

	// A mail that asks to verify an address.
	VerifyTitle string
	VerifyLead  string // {address}, {user}, {product}
	VerifyOpen  string // the link
	VerifyNot   string
	LinkUntil   string // {date}

	// The mail with an invitation.
	InviteTitle string
	InviteLead  string // {product}, {user}
	InviteOpen  string // the link
	InviteNot   string

	// The mail about a hold.
	HeldLead   string // {user}, {product}, {date}, {notMe}
	Release    string // the link
	ReleaseHow string
	ReleaseAsk string // for who has no link

	TestTitle string
	TestLead  string // {product}
}

// Titles say what happened. They are subjects and headings.
type Titles struct {
	PasskeyAdded     string
	PasskeyRemoved   string
	PasswordChanged  string
	PasswordRemoved  string
	CodesMade        string
	CodeUsed         string
	RecoveryLinkMade string
	LinkUsed         string
	IdentityLinked   string
	IdentityUnlinked string
	ProgramAllowed   string
	NewBrowser       string
	RoleChanged      string
	Disabled         string
	EmailChanged     string
	Held             string
	Released         string
}

// MailIn returns the texts in the language of a catalogue.
func MailIn(catalogue *Catalogue) Mail {
	switch catalogue.Lang {
	case German.Lang:
		return mailGerman
	case French.Lang:
		return mailFrench
	case Spanish.Lang:
		return mailSpanish
	case Japanese.Lang:
		return mailJapanese
	}
	return mailEnglish
}

var mailEnglish = Mail{
	Hello:     "Hello {name},",
	Lead:      "This concerns your account at {product}.",
	When:      "When",
	Passkey:   "Passkey",
	Provider:  "Provider",
	Program:   "Program",
	Browser:   "Browser",
	BrowserOn: "{browser} on {system}",
	Address:   "IP address",
	NewEmail:  "New address",
	ByOther:   "Done by",
	ByOtherIs: "An administrator or the help desk",
	Fact:      "{name}: {value}",
	NotYou:    "If you did this or expected it, there is nothing to do. If not, choose “{notMe}”: there you can stop new ways to sign in, also without signing in.",
	NotYouAsk: "If you didn't expect this, ask the people named below.",
	Automatic: "{product} sent this mail automatically. Nobody will ever ask you by mail for a password, a PIN or a code.",
	Titles: Titles{
		PasskeyAdded:     "A passkey was added to your account",
		PasskeyRemoved:   "A passkey was removed from your account",
		PasswordChanged:  "The password of your account was set or changed",
		PasswordRemoved:  "The password of your account was removed",
		CodesMade:        "New recovery codes were made for your account",
		CodeUsed:         "Somebody signed in to your account with a recovery code",
		RecoveryLinkMade: "A recovery link was made for your account",
		LinkUsed:         "A way to sign in was added to your account by a link",
		IdentityLinked:   "A sign-in at a provider was linked to your account",
		IdentityUnlinked: "A sign-in at a provider was unlinked from your account",
		ProgramAllowed:   "Your account was used to sign in to a new program",
		NewBrowser:       "Your account was used in a new browser",
		RoleChanged:      "Your role was changed",
		Disabled:         "Your account was disabled",
		EmailChanged:     "The e-mail address of your account was changed",
		Held:             "New ways to sign in to your account are stopped",
		Released:         "New ways to sign in to your account are allowed again",
	},
	VerifyTitle: "Verify your e-mail address",
	VerifyLead:  "{address} was written down as the e-mail address of the account “{user}” at {product}. If it is yours, verify it. Then mails about the account come here.",
	VerifyOpen:  "Verify the address",
	VerifyNot:   "If this isn't your account, there is nothing to do: without this link the address isn't used.",
	LinkUntil:   "The link works once, until {date}.",
	InviteTitle: "Set up your account",
	InviteLead:  "You have an account at {product}. Your user name is {user}. Open the link, and choose how you sign in.",
	InviteOpen:  "Set up my account",
	InviteNot:   "Keep this mail to yourself: whoever has the link can set up the account. If you don't know what it is about, ask the people named below.",
	HeldLead:    "Somebody who reads your mails chose “{notMe}”. Until {date}, no passkey, password, sign-in at a provider or recovery code can be added to the account “{user}” at {product}. Signing in works as before.",
	Release:     "Allow them again",
	ReleaseHow:  "If everything is in order, open the link, sign in in the same browser, and allow them again. An administrator can do that too.",
	ReleaseAsk:  "If everything is in order, an administrator can allow them again.",

	TestTitle: "Mails arrive",
	TestLead:  "This is a test. The mail settings of {product} work.",
}

var mailGerman = Mail{
	Hello:     "Guten Tag {name},",
	Lead:      "es geht um Ihr Konto bei {product}.",
	When:      "Zeitpunkt",
	Passkey:   "Passkey",
	Provider:  "Anbieter",
	Program:   "Programm",
	Browser:   "Browser",
	BrowserOn: "{browser} unter {system}",
	Address:   "IP-Adresse",
	NewEmail:  "Neue Adresse",
	ByOther:   "Veranlasst von",
	ByOtherIs: "Administration oder Helpdesk",
	Fact:      "{name}: {value}",
	NotYou:    "Wenn Sie das selbst waren oder davon wussten, brauchen Sie nichts zu tun. Wenn nicht, wählen Sie „{notMe}“: Dort können Sie neue Anmeldemethoden sperren, auch ohne Anmeldung.",
	NotYouAsk: "Wenn Sie nichts davon wussten, fragen Sie bei der unten genannten Stelle nach.",
	Automatic: "{product} hat diese E-Mail automatisch gesendet. Niemand fragt Sie je per E-Mail nach einem Passwort, einer PIN oder einem Code.",
	Titles: Titles{
		PasskeyAdded:     "Ihrem Konto wurde ein Passkey hinzugefügt",
		PasskeyRemoved:   "Ein Passkey Ihres Kontos wurde entfernt",
		PasswordChanged:  "Das Passwort Ihres Kontos wurde festgelegt oder geändert",
		PasswordRemoved:  "Das Passwort Ihres Kontos wurde entfernt",
		CodesMade:        "Für Ihr Konto wurden neue Wiederherstellungscodes erstellt",
		CodeUsed:         "Jemand hat sich mit einem Wiederherstellungscode bei Ihrem Konto angemeldet",
		RecoveryLinkMade: "Für Ihr Konto wurde ein Wiederherstellungslink erstellt",
		LinkUsed:         "Ihrem Konto wurde über einen Link eine Anmeldemethode hinzugefügt",
		IdentityLinked:   "Eine Anmeldung bei einem Anbieter wurde mit Ihrem Konto verknüpft",
		IdentityUnlinked: "Eine Anmeldung bei einem Anbieter wurde von Ihrem Konto getrennt",
		ProgramAllowed:   "Ihr Konto wurde zur Anmeldung bei einem neuen Programm benutzt",
		NewBrowser:       "Ihr Konto wurde in einem neuen Browser verwendet",
		RoleChanged:      "Ihre Rolle wurde geändert",
		Disabled:         "Ihr Konto wurde gesperrt",
		EmailChanged:     "Die E-Mail-Adresse Ihres Kontos wurde geändert",
		Held:             "Neue Anmeldemethoden für Ihr Konto sind gesperrt",
		Released:         "Neue Anmeldemethoden für Ihr Konto sind wieder erlaubt",
	},
	VerifyTitle: "Bestätigen Sie Ihre E-Mail-Adresse",
	VerifyLead:  "{address} wurde als E-Mail-Adresse des Kontos „{user}“ bei {product} eingetragen. Wenn es Ihre Adresse ist, bestätigen Sie sie. Dann kommen E-Mails zu diesem Konto hierher.",
	VerifyOpen:  "Adresse bestätigen",
	VerifyNot:   "Ist es nicht Ihr Konto, brauchen Sie nichts zu tun: Ohne diesen Link wird die Adresse nicht verwendet.",
	LinkUntil:   "Der Link gilt einmal, bis {date}.",
	InviteTitle: "Richten Sie Ihr Konto ein",
	InviteLead:  "Sie haben ein Konto bei {product}. Ihr Benutzername ist {user}. Öffnen Sie den Link, und wählen Sie, wie Sie sich anmelden.",
	InviteOpen:  "Mein Konto einrichten",
	InviteNot:   "Behalten Sie diese E-Mail für sich: Wer den Link hat, kann das Konto einrichten. Wenn Sie nicht wissen, worum es geht, fragen Sie bei der unten genannten Stelle nach.",
	HeldLead:    "Jemand, der Ihre E-Mails liest, hat „{notMe}“ gewählt. Bis {date} kann dem Konto „{user}“ bei {product} kein Passkey, kein Passwort, keine Anmeldung bei einem Anbieter und kein Wiederherstellungscode hinzugefügt werden. Die Anmeldung funktioniert weiter wie bisher.",
	Release:     "Wieder erlauben",
	ReleaseHow:  "Wenn alles in Ordnung ist, öffnen Sie den Link, melden Sie sich im selben Browser an, und erlauben Sie sie wieder. Das kann auch die Administration.",
	ReleaseAsk:  "Wenn alles in Ordnung ist, kann die Administration sie wieder erlauben.",

	TestTitle: "E-Mails kommen an",
	TestLead:  "Das ist ein Test. Die E-Mail-Einstellungen von {product} funktionieren.",
}

var mailFrench = Mail{
	Hello:     "Bonjour {name},",
	Lead:      "Ce message concerne votre compte {product}.",
	When:      "Date",
	Passkey:   "Clé d’accès",
	Provider:  "Fournisseur",
	Program:   "Programme",
	Browser:   "Navigateur",
	BrowserOn: "{browser} sous {system}",
	Address:   "Adresse IP",
	NewEmail:  "Nouvelle adresse",
	ByOther:   "Effectué par",
	ByOtherIs: "L’administration ou l’assistance",
	Fact:      "{name} : {value}",
	NotYou:    "Si c’était vous, ou si vous vous y attendiez, vous n’avez rien à faire. Sinon, choisissez « {notMe} » : vous pourrez y bloquer les nouveaux moyens de connexion, même sans vous connecter.",
	NotYouAsk: "Si vous ne vous y attendiez pas, adressez-vous au contact indiqué ci-dessous.",
	Automatic: "{product} a envoyé ce message automatiquement. Personne ne vous demandera jamais par e-mail un mot de passe, un code PIN ou un autre code.",
	Titles: Titles{
		PasskeyAdded:     "Une clé d’accès a été ajoutée à votre compte",
		PasskeyRemoved:   "Une clé d’accès a été supprimée de votre compte",
		PasswordChanged:  "Le mot de passe de votre compte a été défini ou modifié",
		PasswordRemoved:  "Le mot de passe de votre compte a été supprimé",
		CodesMade:        "De nouveaux codes de secours ont été créés pour votre compte",
		CodeUsed:         "Une connexion à votre compte a eu lieu avec un code de secours",
		RecoveryLinkMade: "Un lien de récupération a été créé pour votre compte",
		LinkUsed:         "Un lien a servi à ajouter un moyen de connexion à votre compte",
		IdentityLinked:   "Une connexion chez un fournisseur a été associée à votre compte",
		IdentityUnlinked: "Une connexion chez un fournisseur a été dissociée de votre compte",
		ProgramAllowed:   "Votre compte a servi à se connecter à un nouveau programme",
		NewBrowser:       "Votre compte a été utilisé dans un nouveau navigateur",
		RoleChanged:      "Votre rôle a été modifié",
		Disabled:         "Votre compte a été désactivé",
		EmailChanged:     "L’adresse e-mail de votre compte a été modifiée",
		Held:             "Les nouveaux moyens de connexion à votre compte sont bloqués",
		Released:         "Les nouveaux moyens de connexion à votre compte sont de nouveau autorisés",
	},
	VerifyTitle: "Vérifiez votre adresse e-mail",
	VerifyLead:  "{address} a été indiquée comme adresse e-mail du compte « {user} » chez {product}. Si c’est la vôtre, vérifiez-la. Les messages concernant ce compte arriveront alors ici.",
	VerifyOpen:  "Vérifier l’adresse",
	VerifyNot:   "Si ce compte n’est pas le vôtre, vous n’avez rien à faire : sans ce lien, l’adresse n’est pas utilisée.",
	LinkUntil:   "Le lien fonctionne une seule fois, jusqu’au {date}.",
	InviteTitle: "Configurez votre compte",
	InviteLead:  "Vous avez un compte chez {product}. Votre nom d’utilisateur est {user}. Ouvrez le lien et choisissez comment vous connecter.",
	InviteOpen:  "Configurer mon compte",
	InviteNot:   "Gardez ce message pour vous : quiconque a le lien peut configurer le compte. Si vous ne savez pas de quoi il s’agit, adressez-vous au contact indiqué ci-dessous.",
	HeldLead:    "Une personne qui lit vos messages a choisi « {notMe} ». Jusqu’au {date}, aucune clé d’accès, aucun mot de passe, aucune connexion chez un fournisseur ni aucun code de secours ne peut être ajouté au compte « {user} » chez {product}. La connexion fonctionne comme avant.",
	Release:     "Les autoriser de nouveau",
	ReleaseHow:  "Si tout est en ordre, ouvrez le lien, connectez-vous dans le même navigateur et autorisez-les de nouveau. L’administration peut aussi le faire.",
	ReleaseAsk:  "Si tout est en ordre, l’administration peut les autoriser de nouveau.",

	TestTitle: "Les e-mails arrivent",
	TestLead:  "Ceci est un test. Les paramètres d’e-mail de {product} fonctionnent.",
}

var mailSpanish = Mail{
	Hello:     "Hola, {name}:",
	Lead:      "Este mensaje trata de tu cuenta en {product}.",
	When:      "Cuándo",
	Passkey:   "Llave de acceso",
	Provider:  "Proveedor",
	Program:   "Programa",
	Browser:   "Navegador",
	BrowserOn: "{browser} en {system}",
	Address:   "Dirección IP",
	NewEmail:  "Dirección nueva",
	ByOther:   "Hecho por",
	ByOtherIs: "Administración o asistencia",
	Fact:      "{name}: {value}",
	NotYou:    "Si fuiste tú o lo esperabas, no tienes que hacer nada. Si no, elige «{notMe}»: ahí puedes bloquear las nuevas formas de iniciar sesión, incluso sin iniciar sesión.",
	NotYouAsk: "Si no lo esperabas, pregunta al contacto que aparece abajo.",
	Automatic: "{product} ha enviado este mensaje automáticamente. Nadie te pedirá nunca por correo una contraseña, un PIN ni un código.",
	Titles: Titles{
		PasskeyAdded:     "Se añadió una llave de acceso a tu cuenta",
		PasskeyRemoved:   "Se eliminó una llave de acceso de tu cuenta",
		PasswordChanged:  "Se estableció o cambió la contraseña de tu cuenta",
		PasswordRemoved:  "Se eliminó la contraseña de tu cuenta",
		CodesMade:        "Se crearon nuevos códigos de recuperación para tu cuenta",
		CodeUsed:         "Alguien inició sesión en tu cuenta con un código de recuperación",
		RecoveryLinkMade: "Se creó un enlace de recuperación para tu cuenta",
		LinkUsed:         "Se añadió a tu cuenta una forma de iniciar sesión mediante un enlace",
		IdentityLinked:   "Se vinculó a tu cuenta un inicio de sesión en un proveedor",
		IdentityUnlinked: "Se desvinculó de tu cuenta un inicio de sesión en un proveedor",
		ProgramAllowed:   "Tu cuenta se usó para iniciar sesión en un programa nuevo",
		NewBrowser:       "Tu cuenta se usó en un navegador nuevo",
		RoleChanged:      "Se cambió tu rol",
		Disabled:         "Se desactivó tu cuenta",
		EmailChanged:     "Se cambió la dirección de correo de tu cuenta",
		Held:             "Las nuevas formas de iniciar sesión en tu cuenta están bloqueadas",
		Released:         "Las nuevas formas de iniciar sesión en tu cuenta están permitidas de nuevo",
	},
	VerifyTitle: "Verifica tu dirección de correo",
	VerifyLead:  "{address} se indicó como dirección de correo de la cuenta «{user}» en {product}. Si es la tuya, verifícala. A partir de entonces, los correos sobre esa cuenta llegarán aquí.",
	VerifyOpen:  "Verificar la dirección",
	VerifyNot:   "Si la cuenta no es tuya, no tienes que hacer nada: sin este enlace, la dirección no se usa.",
	LinkUntil:   "El enlace funciona una sola vez, hasta el {date}.",
	InviteTitle: "Configura tu cuenta",
	InviteLead:  "Tienes una cuenta en {product}. Tu nombre de usuario es {user}. Abre el enlace y elige cómo iniciar sesión.",
	InviteOpen:  "Configurar mi cuenta",
	InviteNot:   "No compartas este correo: quien tenga el enlace puede configurar la cuenta. Si no sabes de qué se trata, pregunta al contacto que aparece abajo.",
	HeldLead:    "Alguien que lee tus correos eligió «{notMe}». Hasta el {date} no se pueden añadir llaves de acceso, contraseñas, inicios de sesión en un proveedor ni códigos de recuperación a la cuenta «{user}» de {product}. El inicio de sesión funciona como siempre.",
	Release:     "Permitirlas de nuevo",
	ReleaseHow:  "Si todo está en orden, abre el enlace, inicia sesión en el mismo navegador y permítelas de nuevo. También puede hacerlo la administración.",
	ReleaseAsk:  "Si todo está en orden, la administración puede permitirlas de nuevo.",

	TestTitle: "Los correos llegan",
	TestLead:  "Esto es una prueba. La configuración de correo de {product} funciona.",
}

var mailJapanese = Mail{
	Hello:     "{name} 様",
	Lead:      "{product} のアカウントについてお知らせします。",
	When:      "日時",
	Passkey:   "パスキー",
	Provider:  "プロバイダー",
	Program:   "プログラム",
	Browser:   "ブラウザー",
	BrowserOn: "{browser} ({system})",
	Address:   "IP アドレス",
	NewEmail:  "新しいアドレス",
	ByOther:   "操作した人",
	ByOtherIs: "管理者またはヘルプデスク",
	Fact:      "{name}: {value}",
	NotYou:    "ご自身の操作か、心当たりがある場合は、何もする必要はありません。そうでない場合は「{notMe}」を選んでください。サインインしなくても、新しいサインイン方法の追加を止められます。",
	NotYouAsk: "お心当たりがない場合は、下記の連絡先にお問い合わせください。",
	Automatic: "このメールは {product} から自動で送信されています。パスワード、PIN、コードをメールでお尋ねすることは決してありません。",
	Titles: Titles{
		PasskeyAdded:     "アカウントにパスキーが追加されました",
		PasskeyRemoved:   "アカウントからパスキーが削除されました",
		PasswordChanged:  "アカウントのパスワードが設定または変更されました",
		PasswordRemoved:  "アカウントのパスワードが削除されました",
		CodesMade:        "アカウントの新しいリカバリーコードが作成されました",
		CodeUsed:         "リカバリーコードを使ってアカウントへのサインインがありました",
		RecoveryLinkMade: "アカウントの復旧リンクが作成されました",
		LinkUsed:         "リンクを使ってアカウントにサインイン方法が追加されました",
		IdentityLinked:   "プロバイダーでのサインインがアカウントと連携されました",
		IdentityUnlinked: "プロバイダーでのサインインとアカウントの連携が解除されました",
		ProgramAllowed:   "新しいプログラムへのサインインにアカウントが使われました",
		NewBrowser:       "新しいブラウザーでアカウントが使われました",
		RoleChanged:      "役割が変更されました",
		Disabled:         "アカウントが無効になりました",
		EmailChanged:     "アカウントのメールアドレスが変更されました",
		Held:             "アカウントへのサインイン方法の追加が止められました",
		Released:         "アカウントへのサインイン方法の追加が再び許可されました",
	},
	VerifyTitle: "メールアドレスを確認してください",
	VerifyLead:  "{product} のアカウント「{user}」のメールアドレスとして {address} が登録されました。ご自身のアドレスでしたら、確認してください。以後、このアカウントについてのメールがこのアドレスに届きます。",
	VerifyOpen:  "アドレスを確認する",
	VerifyNot:   "お心当たりのないアカウントの場合は、何もする必要はありません。このリンクで確認しないかぎり、アドレスは使われません。",
	LinkUntil:   "このリンクは {date} まで、1 回だけ使えます。",
	InviteTitle: "アカウントを設定してください",
	InviteLead:  "{product} のアカウントが用意されました。ユーザー名は {user} です。リンクを開いて、サインイン方法を選んでください。",
	InviteOpen:  "アカウントを設定する",
	InviteNot:   "このメールを他の人に見せないでください。リンクがあれば、誰でもこのアカウントを設定できます。お心当たりがない場合は、下記の連絡先にお問い合わせください。",
	HeldLead:    "あなたのメールを読める人が「{notMe}」を選びました。{date} まで、{product} のアカウント「{user}」にパスキー、パスワード、プロバイダーでのサインイン、リカバリーコードを追加できません。サインインはこれまでどおりできます。",
	Release:     "再び許可する",
	ReleaseHow:  "問題がない場合は、リンクを開き、同じブラウザーでサインインして、再び許可してください。管理者が許可することもできます。",
	ReleaseAsk:  "問題がない場合は、管理者が再び許可できます。",

	TestTitle: "メールが届きました",
	TestLead:  "これはテストです。{product} のメール設定は正しく動作しています。",
}
