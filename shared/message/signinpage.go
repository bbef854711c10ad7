package message

// SignInPage are the texts that only the sign-in page has. The app doesn't carry them.
type SignInPage struct {
	Welcome     string // {name}
	NotYou      string
	UsePasskey  string
	UsePassword string
	OtherWays   string
	OrPassword  string
	OrProvider  string
	Continue    string // {provider}
	LostPasskey string
	NotHere     string
	// Of an organisation with several addresses.
	OtherPasskey string // {address}
	Moving       string // {address}
	MovedTitle   string // {product}
	MovedLead    string // {address}
	MovedPasskey string // {old}, {address}
	MovedMake    string
	MovedGo      string // {address}
	MovedLater   string

	SignedOut string
	Elsewhere string
	Expired   string
	Disabled  string
	GoOn      string
}

// SignInPageIn returns the texts in the language of a catalogue.
func SignInPageIn(catalogue *Catalogue) SignInPage {
	switch catalogue.Lang {
	case German.Lang:
		return signInPageGerman
	case French.Lang:
		return signInPageFrench
	case Spanish.Lang:
		return signInPageSpanish
	case Japanese.Lang:
		return signInPageJapanese
	}
	return signInPageEnglish
}

var signInPageEnglish = SignInPage{
	Welcome:      "Welcome back, {name}",
	NotYou:       "Not you?",
	UsePasskey:   "Use your passkey",
	UsePassword:  "Use your password",
	OtherWays:    "other ways",
	OrPassword:   "or with a password",
	OrProvider:   "or continue with",
	Continue:     "Continue with {provider}",
	LostPasskey:  "Lost your passkey?",
	NotHere:      "No passkey of this device was used. Press the button again to use a phone or a security key.",
	OtherPasskey: "Use a passkey for {address}",
	Moving:       "This address moves to {address}.",
	MovedTitle:   "{product} moves",
	MovedLead:    "The new address is {address}. This one ends soon.",
	MovedPasskey: "Your passkey is for {old}. So that you have one that goes on working, make a new one at {address} now.",
	MovedMake:    "Make a passkey there",
	MovedGo:      "Go to {address}",
	MovedLater:   "Later",
	SignedOut:    "You have signed out.",
	Elsewhere:    "You were signed out on another device, or by an administrator.",
	Expired:      "Your session has ended: it was too old, or unused for too long.",
	Disabled:     "Your account is disabled. Please ask IT.",
	GoOn:         "Sign in, and you are back on the same page.",
}

var signInPageGerman = SignInPage{
	Welcome:      "Willkommen zurück, {name}",
	NotYou:       "Nicht Sie?",
	UsePasskey:   "Passkey benutzen",
	UsePassword:  "Passwort benutzen",
	OtherWays:    "andere Wege",
	OrPassword:   "oder mit Passwort",
	OrProvider:   "oder weiter mit",
	Continue:     "Weiter mit {provider}",
	LostPasskey:  "Passkey verloren?",
	NotHere:      "Es wurde kein Passkey dieses Geräts benutzt. Drücken Sie noch einmal, um ein Telefon oder einen Sicherheitsschlüssel zu benutzen.",
	OtherPasskey: "Passkey für {address} benutzen",
	Moving:       "Diese Adresse zieht nach {address} um.",
	MovedTitle:   "{product} zieht um",
	MovedLead:    "Die neue Adresse ist {address}. Diese Adresse gibt es bald nicht mehr.",
	MovedPasskey: "Ihr Passkey gehört zu {old}. Damit Sie einen haben, der weiter funktioniert, erstellen Sie jetzt einen neuen bei {address}.",
	MovedMake:    "Dort einen Passkey erstellen",
	MovedGo:      "Zu {address}",
	MovedLater:   "Später",
	SignedOut:    "Sie haben sich abgemeldet.",
	Elsewhere:    "Sie wurden auf einem anderen Gerät oder von der Administration abgemeldet.",
	Expired:      "Ihre Sitzung ist zu Ende: Sie war zu alt oder zu lange unbenutzt.",
	Disabled:     "Ihr Konto ist gesperrt. Bitte fragen Sie die IT.",
	GoOn:         "Nach der Anmeldung sind Sie wieder auf derselben Seite.",
}

var signInPageFrench = SignInPage{
	Welcome:      "Bon retour, {name}",
	NotYou:       "Ce n’est pas vous ?",
	UsePasskey:   "Utiliser votre clé d’accès",
	UsePassword:  "Utiliser votre mot de passe",
	OtherWays:    "autres moyens",
	OrPassword:   "ou avec un mot de passe",
	OrProvider:   "ou continuer avec",
	Continue:     "Continuer avec {provider}",
	LostPasskey:  "Clé d’accès perdue ?",
	NotHere:      "Aucune clé d’accès de cet appareil n’a été utilisée. Appuyez encore une fois pour utiliser un téléphone ou une clé de sécurité.",
	OtherPasskey: "Utiliser une clé d’accès pour {address}",
	Moving:       "Cette adresse devient {address}.",
	MovedTitle:   "{product} change d’adresse",
	MovedLead:    "La nouvelle adresse est {address}. Celle-ci sera bientôt désactivée.",
	MovedPasskey: "Votre clé d’accès a été créée pour {old}. Pour en garder une qui fonctionne, créez-en une nouvelle sur {address} dès maintenant.",
	MovedMake:    "Y créer une clé d’accès",
	MovedGo:      "Aller sur {address}",
	MovedLater:   "Plus tard",
	SignedOut:    "La déconnexion est faite.",
	Elsewhere:    "Votre session a été fermée sur un autre appareil ou par un administrateur.",
	Expired:      "Votre session est terminée : elle était trop ancienne ou inutilisée depuis trop longtemps.",
	Disabled:     "Votre compte est désactivé. Adressez-vous au service informatique.",
	GoOn:         "Connectez-vous, et vous revenez à la même page.",
}

var signInPageSpanish = SignInPage{
	Welcome:      "Hola de nuevo, {name}",
	NotYou:       "¿No eres tú?",
	UsePasskey:   "Usar tu llave de acceso",
	UsePassword:  "Usar tu contraseña",
	OtherWays:    "otras formas",
	OrPassword:   "o con una contraseña",
	OrProvider:   "o continuar con",
	Continue:     "Continuar con {provider}",
	LostPasskey:  "¿Has perdido tu llave de acceso?",
	NotHere:      "No se usó ninguna llave de acceso de este dispositivo. Pulsa otra vez para usar un teléfono o una llave de seguridad.",
	OtherPasskey: "Usar una llave de acceso de {address}",
	Moving:       "Esta dirección pasa a ser {address}.",
	MovedTitle:   "{product} se muda",
	MovedLead:    "La nueva dirección es {address}. Esta dejará de funcionar pronto.",
	MovedPasskey: "Tu llave de acceso es de {old}. Para tener una que siga funcionando, crea ahora otra en {address}.",
	MovedMake:    "Crear allí una llave de acceso",
	MovedGo:      "Ir a {address}",
	MovedLater:   "Más tarde",
	SignedOut:    "Has cerrado la sesión.",
	Elsewhere:    "Tu sesión se cerró en otro dispositivo o la cerró un administrador.",
	Expired:      "Tu sesión ha terminado: era demasiado antigua o llevaba demasiado tiempo sin usarse.",
	Disabled:     "Tu cuenta está desactivada. Consulta al equipo de informática.",
	GoOn:         "Inicia sesión y volverás a la misma página.",
}

var signInPageJapanese = SignInPage{
	Welcome:      "おかえりなさい、{name} さん",
	NotYou:       "別の方ですか？",
	UsePasskey:   "パスキーを使う",
	UsePassword:  "パスワードを使う",
	OtherWays:    "その他の方法",
	OrPassword:   "またはパスワードで",
	OrProvider:   "または次で続ける",
	Continue:     "{provider} で続ける",
	LostPasskey:  "パスキーを失くしましたか？",
	NotHere:      "このデバイスのパスキーは使われませんでした。スマートフォンやセキュリティキーを使うには、もう一度押してください。",
	OtherPasskey: "{address} のパスキーを使う",
	Moving:       "このアドレスは {address} に移転します。",
	MovedTitle:   "{product} は移転します",
	MovedLead:    "新しいアドレスは {address} です。このアドレスはまもなく使えなくなります。",
	MovedPasskey: "お使いのパスキーは {old} 用です。引き続き使えるパスキーを、今 {address} で作成してください。",
	MovedMake:    "移転先でパスキーを作成",
	MovedGo:      "{address} へ",
	MovedLater:   "あとで",
	SignedOut:    "サインアウトしました。",
	Elsewhere:    "別のデバイスまたは管理者によってサインアウトされました。",
	Expired:      "セッションが終了しました。有効期限が切れたか、長い間使われませんでした。",
	Disabled:     "アカウントは無効になっています。IT部門にお問い合わせください。",
	GoOn:         "サインインすると、元のページに戻ります。",
}
