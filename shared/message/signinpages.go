package message

// SignInPages are the texts for people who aren't signed in. The app doesn't carry them.
type SignInPages struct {
	SignInTitle       string
	SignInLead        string // {product}
	SignInWith        string // {provider}
	SetupTitle        string
	SetupLead         string // {product}
	SetupUserName     string
	SetupUserHint     string
	DisplayName       string
	DisplayHint       string
	NewPassword       string
	NewPasswordHint   string
	SetupSubmit       string
	LostAccess        string
	RecoveryTitle     string
	RecoveryLead      string
	RecoveryCode      string
	InvitationTitle   string // {name}
	InvitationLead    string // {product}, {user}
	InvitationPasskey string // {product}, {user}
	RecoveryLinkTitle string
	RecoveryLinkLead  string // {user}
	PhoneTitle        string
	PhoneLead         string // {user}
	CreatePasskey     string
	Incapable         string
	PasswordOnly      string
	SavePassword      string
	EnrolledTitle     string
	EnrolledPasskey   string
	EnrolledPassword  string
	RefusalTitle      string
	RefusalNotFound   string
	RefusalLink       string
	RefusalAccess     string
	RefusalTooMany    string
	RefusalFault      string
	RefusalProvider   string
	RefusalSuspended  string
	RefusalHost       string

	PasswordOptional     string
	PasswordOptionalHint string
	PasskeyOnly          string
	BackToSignIn         string
	BackToStart          string
	Contact              string // {contact}
	ContactNone          string // {product}
}

// SignIn is the sign-in form, on the sign-in page and in a host program.
type SignIn struct {
	Name     string
	Password string
	Submit   string
	Passkey  string
	Or       string
	Working  string
	Cancel   string
}

// SignInPagesIn returns the texts in the language of a catalogue.
func SignInPagesIn(catalogue *Catalogue) SignInPages {
	switch catalogue.Lang {
	case German.Lang:
		return signInPagesGerman
	case French.Lang:
		return signInPagesFrench
	case Spanish.Lang:
		return signInPagesSpanish
	case Japanese.Lang:
		return signInPagesJapanese
	}
	return signInPagesEnglish
}

var signInPagesEnglish = SignInPages{
	SignInTitle:       "Sign in",
	SignInLead:        "Welcome to {product}.",
	SignInWith:        "Sign in with {provider}",
	SetupTitle:        "Set up {product}",
	SetupLead:         "This makes the first administrator. You can add a passkey right after.",
	SetupUserName:     "User name",
	SetupUserHint:     "What you type to sign in. Capital letters don't matter.",
	DisplayName:       "Your name",
	DisplayHint:       "As others shall see it.",
	NewPassword:       "Password",
	NewPasswordHint:   "At least 12 characters. A few unrelated words are easy to remember and hard to guess.",
	SetupSubmit:       "Create administrator",
	LostAccess:        "Lost your passkey or password?",
	RecoveryTitle:     "Use a recovery code",
	RecoveryLead:      "Each of your recovery codes works once. Add a passkey right after.",
	RecoveryCode:      "Recovery code",
	InvitationTitle:   "Welcome, {name}",
	InvitationLead:    "You have an account at {product}. Choose how you want to sign in as {user}.",
	InvitationPasskey: "You have an account at {product}. Create a passkey to sign in as {user}.",
	RecoveryLinkTitle: "Back into your account",
	RecoveryLinkLead:  "Choose a new way to sign in as {user}. Wherever you are still signed in, that ends.",
	PhoneTitle:        "Passkey for this device",
	PhoneLead:         "With it, you sign in on this device as {user}.",
	CreatePasskey:     "Create a passkey",
	Incapable:         "This browser can't create passkeys. Another one, or another device, may.",
	PasswordOnly:      "Use the password alone",
	SavePassword:      "Save the password",
	EnrolledTitle:     "Done",
	EnrolledPasskey:   "From now on you can sign in with your passkey.",
	EnrolledPassword:  "From now on you can sign in with your password.",
	PasskeyOnly:       "You sign in with a passkey here, and this browser can't use one. Another one, or another device, may.",
	RefusalTitle:      "Nothing was done",
	RefusalNotFound:   "Not found",
	RefusalLink:       "This link has ended",
	RefusalAccess:     "No access",
	RefusalTooMany:    "Too many attempts",
	RefusalFault:      "Something went wrong",
	RefusalProvider:   "The provider couldn't sign you in",
	RefusalSuspended:  "Switched off",
	RefusalHost:       "Wrong address",

	PasswordOptional:     "Password, if you want one",
	PasswordOptionalHint: "At least 12 characters. With a passkey you don't need a password.",
	BackToSignIn:         "Go to sign-in",
	BackToStart:          "Go to the start page",
	Contact:              "Need help? {contact}",
	ContactNone:          "Need help? Ask whoever runs {product} for your organisation.",
}

var signInPagesGerman = SignInPages{
	SignInTitle:          "Anmelden",
	SignInLead:           "Willkommen bei {product}.",
	SignInWith:           "Mit {provider} anmelden",
	SetupTitle:           "{product} einrichten",
	SetupLead:            "Hiermit legen Sie das erste Administratorkonto an. Einen Passkey können Sie gleich danach hinzufügen.",
	SetupUserName:        "Benutzername",
	SetupUserHint:        "Damit melden Sie sich an. Groß- und Kleinschreibung spielt keine Rolle.",
	DisplayName:          "Ihr Name",
	DisplayHint:          "So, wie andere ihn sehen sollen.",
	NewPassword:          "Passwort",
	NewPasswordHint:      "Mindestens 12 Zeichen. Ein paar Wörter, die nichts miteinander zu tun haben, sind leicht zu merken und schwer zu erraten.",
	SetupSubmit:          "Administratorkonto anlegen",
	LostAccess:           "Passkey oder Passwort verloren?",
	RecoveryTitle:        "Wiederherstellungscode verwenden",
	RecoveryLead:         "Jeder Ihrer Wiederherstellungscodes gilt einmal. Fügen Sie gleich danach einen Passkey hinzu.",
	RecoveryCode:         "Wiederherstellungscode",
	InvitationTitle:      "Willkommen, {name}",
	InvitationLead:       "Sie haben ein Konto bei {product}. Wählen Sie, wie Sie sich als {user} anmelden möchten.",
	InvitationPasskey:    "Sie haben ein Konto bei {product}. Erstellen Sie einen Passkey, um sich als {user} anzumelden.",
	RecoveryLinkTitle:    "Zurück in Ihr Konto",
	RecoveryLinkLead:     "Wählen Sie, wie Sie sich künftig als {user} anmelden. Wo Sie noch angemeldet sind, endet das.",
	PhoneTitle:           "Passkey für dieses Gerät",
	PhoneLead:            "Damit melden Sie sich auf diesem Gerät als {user} an.",
	CreatePasskey:        "Passkey erstellen",
	Incapable:            "Dieser Browser kann keine Passkeys erstellen. Ein anderer, oder ein anderes Gerät, vielleicht schon.",
	PasswordOnly:         "Nur das Passwort verwenden",
	SavePassword:         "Passwort speichern",
	EnrolledTitle:        "Fertig",
	EnrolledPasskey:      "Ab jetzt können Sie sich mit Ihrem Passkey anmelden.",
	EnrolledPassword:     "Ab jetzt können Sie sich mit Ihrem Passwort anmelden.",
	PasswordOptional:     "Passwort, falls Sie eines möchten",
	PasswordOptionalHint: "Mindestens 12 Zeichen. Mit einem Passkey brauchen Sie kein Passwort.",
	PasskeyOnly:          "Hier melden Sie sich mit einem Passkey an, und dieser Browser kann keinen verwenden. Ein anderer, oder ein anderes Gerät, vielleicht schon.",
	RefusalTitle:         "Nichts wurde geändert",
	RefusalNotFound:      "Nicht gefunden",
	RefusalLink:          "Dieser Link gilt nicht mehr",
	RefusalAccess:        "Kein Zugriff",
	RefusalTooMany:       "Zu viele Versuche",
	RefusalFault:         "Etwas ist schiefgegangen",
	RefusalProvider:      "Der Anbieter konnte Sie nicht anmelden",
	RefusalSuspended:     "Abgeschaltet",
	RefusalHost:          "Falsche Adresse",
	BackToSignIn:         "Zur Anmeldung",
	BackToStart:          "Zur Startseite",
	Contact:              "Brauchen Sie Hilfe? {contact}",
	ContactNone:          "Brauchen Sie Hilfe? Fragen Sie, wer {product} in Ihrer Organisation betreibt.",
}

var signInPagesFrench = SignInPages{
	SignInTitle:          "Connexion",
	SignInLead:           "Bienvenue sur {product}.",
	SignInWith:           "Se connecter avec {provider}",
	SetupTitle:           "Configurer {product}",
	SetupLead:            "Vous créez ici le premier compte d’administration. Vous pourrez ajouter une clé d’accès juste après.",
	SetupUserName:        "Nom d’utilisateur",
	SetupUserHint:        "Ce que vous saisissez pour vous connecter. Les majuscules ne comptent pas.",
	DisplayName:          "Votre nom",
	DisplayHint:          "Tel que les autres le verront.",
	NewPassword:          "Mot de passe",
	NewPasswordHint:      "Au moins 12 caractères. Quelques mots sans rapport entre eux sont faciles à retenir et difficiles à deviner.",
	SetupSubmit:          "Créer le compte d’administration",
	LostAccess:           "Clé d’accès ou mot de passe perdu ?",
	RecoveryTitle:        "Utiliser un code de secours",
	RecoveryLead:         "Chacun de vos codes de secours fonctionne une fois. Ajoutez une clé d’accès aussitôt après.",
	RecoveryCode:         "Code de secours",
	InvitationTitle:      "Bienvenue, {name}",
	InvitationLead:       "Vous avez un compte chez {product}. Choisissez comment vous connecter en tant que {user}.",
	InvitationPasskey:    "Vous avez un compte chez {product}. Créez une clé d’accès pour vous connecter en tant que {user}.",
	RecoveryLinkTitle:    "Retour dans votre compte",
	RecoveryLinkLead:     "Choisissez une nouvelle façon de vous connecter en tant que {user}. Les sessions encore ouvertes ailleurs prendront fin.",
	PhoneTitle:           "Clé d’accès pour cet appareil",
	PhoneLead:            "Elle vous connecte sur cet appareil en tant que {user}.",
	CreatePasskey:        "Créer une clé d’accès",
	Incapable:            "Ce navigateur ne peut pas créer de clé d’accès. Un autre navigateur ou un autre appareil le peut peut-être.",
	PasswordOnly:         "Utiliser seulement le mot de passe",
	SavePassword:         "Enregistrer le mot de passe",
	EnrolledTitle:        "C’est fait",
	EnrolledPasskey:      "Vous pouvez désormais vous connecter avec votre clé d’accès.",
	EnrolledPassword:     "Vous pouvez désormais vous connecter avec votre mot de passe.",
	PasswordOptional:     "Mot de passe, si vous en voulez un",
	PasswordOptionalHint: "Au moins 12 caractères. Avec une clé d’accès, un mot de passe est inutile.",
	PasskeyOnly:          "Ici, on se connecte avec une clé d’accès, et ce navigateur ne peut pas en utiliser. Un autre navigateur ou un autre appareil le peut peut-être.",
	RefusalTitle:         "Rien n’a été modifié",
	RefusalNotFound:      "Introuvable",
	RefusalLink:          "Ce lien n’est plus valable",
	RefusalAccess:        "Accès refusé",
	RefusalTooMany:       "Trop de tentatives",
	RefusalFault:         "Un problème est survenu",
	RefusalProvider:      "Le fournisseur n’a pas pu vous connecter",
	RefusalSuspended:     "Désactivé",
	RefusalHost:          "Mauvaise adresse",
	BackToSignIn:         "Aller à la connexion",
	BackToStart:          "Aller à la page d’accueil",
	Contact:              "Besoin d’aide ? {contact}",
	ContactNone:          "Besoin d’aide ? Adressez-vous à qui gère {product} dans votre organisation.",
}

var signInPagesSpanish = SignInPages{
	SignInTitle:          "Iniciar sesión",
	SignInLead:           "Te damos la bienvenida a {product}.",
	SignInWith:           "Iniciar sesión con {provider}",
	SetupTitle:           "Configurar {product}",
	SetupLead:            "Aquí creas la primera cuenta de administración. Justo después puedes añadir una llave de acceso.",
	SetupUserName:        "Nombre de usuario",
	SetupUserHint:        "Lo que escribes para iniciar sesión. Las mayúsculas no importan.",
	DisplayName:          "Tu nombre",
	DisplayHint:          "Como lo verán los demás.",
	NewPassword:          "Contraseña",
	NewPasswordHint:      "Al menos 12 caracteres. Unas cuantas palabras sin relación son fáciles de recordar y difíciles de adivinar.",
	SetupSubmit:          "Crear la cuenta de administración",
	LostAccess:           "¿Has perdido tu llave de acceso o contraseña?",
	RecoveryTitle:        "Usar un código de recuperación",
	RecoveryLead:         "Cada código de recuperación sirve una vez. Añade una llave de acceso justo después.",
	RecoveryCode:         "Código de recuperación",
	InvitationTitle:      "Te damos la bienvenida, {name}",
	InvitationLead:       "Tienes una cuenta en {product}. Elige cómo quieres iniciar sesión como {user}.",
	InvitationPasskey:    "Tienes una cuenta en {product}. Crea una llave de acceso para iniciar sesión como {user}.",
	RecoveryLinkTitle:    "De vuelta en tu cuenta",
	RecoveryLinkLead:     "Elige una nueva forma de iniciar sesión como {user}. Las sesiones que sigan abiertas terminarán.",
	PhoneTitle:           "Llave de acceso para este dispositivo",
	PhoneLead:            "Con ella inicias sesión en este dispositivo como {user}.",
	CreatePasskey:        "Crear una llave de acceso",
	Incapable:            "Este navegador no puede crear llaves de acceso. Quizá otro navegador u otro dispositivo sí pueda.",
	PasswordOnly:         "Usar solo la contraseña",
	SavePassword:         "Guardar la contraseña",
	EnrolledTitle:        "Listo",
	EnrolledPasskey:      "A partir de ahora puedes iniciar sesión con tu llave de acceso.",
	EnrolledPassword:     "A partir de ahora puedes iniciar sesión con tu contraseña.",
	PasswordOptional:     "Contraseña, si quieres una",
	PasswordOptionalHint: "Al menos 12 caracteres. Con una llave de acceso no necesitas contraseña.",
	PasskeyOnly:          "Aquí se inicia sesión con una llave de acceso y este navegador no puede usarlas. Quizá otro navegador u otro dispositivo sí pueda.",
	RefusalTitle:         "No se cambió nada",
	RefusalNotFound:      "No se encontró",
	RefusalLink:          "Este enlace ya no sirve",
	RefusalAccess:        "Sin acceso",
	RefusalTooMany:       "Demasiados intentos",
	RefusalFault:         "Algo salió mal",
	RefusalProvider:      "El proveedor no pudo iniciar tu sesión",
	RefusalSuspended:     "Desactivado",
	RefusalHost:          "Dirección equivocada",
	BackToSignIn:         "Ir al inicio de sesión",
	BackToStart:          "Ir a la página de inicio",
	Contact:              "¿Necesitas ayuda? {contact}",
	ContactNone:          "¿Necesitas ayuda? Pregunta a quien gestiona {product} en tu organización.",
}

var signInPagesJapanese = SignInPages{
	SignInTitle:          "サインイン",
	SignInLead:           "{product} へようこそ。",
	SignInWith:           "{provider} でサインイン",
	SetupTitle:           "{product} のセットアップ",
	SetupLead:            "最初の管理者アカウントを作成します。パスキーはこのあとすぐに追加できます。",
	SetupUserName:        "ユーザー名",
	SetupUserHint:        "サインインのときに入力します。大文字と小文字は区別されません。",
	DisplayName:          "お名前",
	DisplayHint:          "ほかの人に表示される名前です。",
	NewPassword:          "パスワード",
	NewPasswordHint:      "12 文字以上。互いに関係のない単語をいくつか並べると、覚えやすく推測されにくくなります。",
	SetupSubmit:          "管理者アカウントを作成",
	LostAccess:           "パスキーやパスワードを失くしましたか？",
	RecoveryTitle:        "リカバリーコードを使う",
	RecoveryLead:         "リカバリーコードはそれぞれ一度だけ使えます。サインインしたらすぐにパスキーを追加してください。",
	RecoveryCode:         "リカバリーコード",
	InvitationTitle:      "ようこそ、{name} さん",
	InvitationLead:       "{product} にアカウントがあります。{user} としてサインインする方法を選んでください。",
	InvitationPasskey:    "{product} にアカウントがあります。{user} としてサインインするためのパスキーを作成してください。",
	RecoveryLinkTitle:    "アカウントに戻る",
	RecoveryLinkLead:     "{user} としてサインインする新しい方法を選んでください。ほかの場所でのサインインは終了します。",
	PhoneTitle:           "このデバイスのパスキー",
	PhoneLead:            "これを使って、このデバイスで {user} としてサインインします。",
	CreatePasskey:        "パスキーを作成",
	Incapable:            "このブラウザーではパスキーを作成できません。別のブラウザーまたは別のデバイスをお試しください。",
	PasswordOnly:         "パスワードだけを使う",
	SavePassword:         "パスワードを保存",
	EnrolledTitle:        "完了",
	EnrolledPasskey:      "これからはパスキーでサインインできます。",
	EnrolledPassword:     "これからはパスワードでサインインできます。",
	PasswordOptional:     "パスワード（必要な場合）",
	PasswordOptionalHint: "12 文字以上。パスキーがあればパスワードは不要です。",
	PasskeyOnly:          "ここではパスキーでサインインしますが、このブラウザーでは使えません。別のブラウザーまたは別のデバイスをお試しください。",
	RefusalTitle:         "何も変更されていません",
	RefusalNotFound:      "見つかりません",
	RefusalLink:          "このリンクはもう使えません",
	RefusalAccess:        "アクセスできません",
	RefusalTooMany:       "試行回数が多すぎます",
	RefusalFault:         "問題が発生しました",
	RefusalProvider:      "プロバイダーでサインインできませんでした",
	RefusalSuspended:     "停止中",
	RefusalHost:          "アドレスが違います",
	BackToSignIn:         "サインインへ",
	BackToStart:          "スタートページへ",
	Contact:              "お困りのときは: {contact}",
	ContactNone:          "お困りのときは、組織で {product} を運用している担当者にお尋ねください。",
}
