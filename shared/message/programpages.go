package message

// ProgramPages are the texts of the pages that lead from here to another program and back. The app doesn't
// carry them.
type ProgramPages struct {
	ConsentTitle string // {program}, {name}
	Gets         string // {program}
	GetsMore     string // {program}
	GetsAsBefore string
	// What a program gets, with the user's own value.
	Name       string // {value}
	UserName   string // {value}
	Email      string // {value}
	Unverified string // {value}
	Groups     string // {value}
	NoGroups   string
	Language   string // {value}
	Offline    string
	NoSecrets  string
	Continue   string
	Cancel     string
	NotAgain   string // {program}
	Other      string

	StepTitle    string
	Step         string // {name}, {program}
	StepMinutes  Counted
	StepHours    Counted
	StepDays     Counted
	StepPasskey  string // {program}
	StepAdd      string // {program}
	StepProvider string // {provider}
	StepAgain    string
	Back         string // {program}
	NotName      string // {name}

	DeviceTitle   string
	DeviceLead    string // {product}
	DeviceCode    string
	DeviceHint    string
	DeviceWarn    string
	DeviceAllow   string
	DeviceDone    string
	DeviceDoneIn  string // {program}
	DeviceNot     string
	DeviceNotLead string // {program}

	OnwardTitle string // {program}
	OnwardLead  string
	Onward      string // {program}
}

// ProgramPagesIn returns the texts in the language of a catalogue.
func ProgramPagesIn(catalogue *Catalogue) ProgramPages {
	switch catalogue.Lang {
	case German.Lang:
		return programPagesGerman
	case French.Lang:
		return programPagesFrench
	case Spanish.Lang:
		return programPagesSpanish
	case Japanese.Lang:
		return programPagesJapanese
	}
	return programPagesEnglish
}

var programPagesEnglish = ProgramPages{
	ConsentTitle: "Sign in to {program} as {name}",
	Gets:         "{program} will get",
	GetsMore:     "{program} now also asks for",
	GetsAsBefore: "It gets as before",
	Name:         "Your name, {value}",
	UserName:     "Your user name, {value}",
	Email:        "Your e-mail, {value}",
	Unverified:   "Your e-mail, {value}, which isn’t verified",
	Groups:       "Your groups: {value}",
	NoGroups:     "Your groups, of which you have none yet",
	Language:     "Your language, {value}",
	Offline:      "Permission to keep you signed in while you aren’t using it",
	NoSecrets:    "It doesn’t get your password or your passkeys.",
	Continue:     "Continue",
	Cancel:       "Cancel",
	NotAgain:     "You aren’t asked again for {program}.",
	Other:        "Use another account",

	StepTitle:    "Confirm that it’s you",
	Step:         "{name}, {program} asks for it.",
	StepMinutes:  Counted{One: "{name}, {program} asks for it: you signed in {n} minute ago.", Other: "{name}, {program} asks for it: you signed in {n} minutes ago."},
	StepHours:    Counted{One: "{name}, {program} asks for it: you signed in {n} hour ago.", Other: "{name}, {program} asks for it: you signed in {n} hours ago."},
	StepDays:     Counted{One: "{name}, {program} asks for it: you signed in {n} day ago.", Other: "{name}, {program} asks for it: you signed in {n} days ago."},
	StepPasskey:  "Here a passkey is needed. A password isn’t enough for this part of {program}.",
	StepAdd:      "Add a passkey first: this part of {program} needs one. Then begin there again.",
	StepProvider: "Confirm with {provider}",
	StepAgain:    "Sign in again",
	Back:         "Back to {program}",
	NotName:      "Not {name}?",

	DeviceTitle:   "Sign in on a device",
	DeviceLead:    "A television, a printer or a terminal shows a code when you want to sign in there with your account at {product}. Type it here.",
	DeviceCode:    "Code",
	DeviceHint:    "10 letters, as in BCDFG-HJKLM.",
	DeviceWarn:    "Only go on if you see this code on a device in front of you. Whoever sent it to you would be signed in as you.",
	DeviceAllow:   "Allow",
	DeviceDone:    "You can go back to your device",
	DeviceDoneIn:  "{program} goes on there in a moment. You can close this page.",
	DeviceNot:     "Nothing was allowed",
	DeviceNotLead: "{program} gets nothing. You can close this page.",

	OnwardTitle: "Going on to {program}",
	OnwardLead:  "This takes a moment. If nothing happens, use the button.",
	Onward:      "Continue to {program}",
}

var programPagesGerman = ProgramPages{
	ConsentTitle: "Bei {program} als {name} anmelden",
	Gets:         "{program} bekommt",
	GetsMore:     "{program} möchte jetzt auch",
	GetsAsBefore: "Wie bisher bekommt es",
	Name:         "Ihren Namen, {value}",
	UserName:     "Ihren Benutzernamen, {value}",
	Email:        "Ihre E-Mail-Adresse, {value}",
	Unverified:   "Ihre E-Mail-Adresse, {value}, die nicht bestätigt ist",
	Groups:       "Ihre Gruppen: {value}",
	NoGroups:     "Ihre Gruppen, noch sind Sie in keiner",
	Language:     "Ihre Sprache, {value}",
	Offline:      "Die Erlaubnis, Sie angemeldet zu lassen, auch wenn Sie es nicht benutzen",
	NoSecrets:    "Ihr Passwort und Ihre Passkeys bekommt es nicht.",
	Continue:     "Weiter",
	Cancel:       "Abbrechen",
	NotAgain:     "Für {program} werden Sie nicht noch einmal gefragt.",
	Other:        "Anderes Konto benutzen",

	StepTitle:    "Bestätigen Sie, dass Sie es sind",
	Step:         "{name}, {program} verlangt das.",
	StepMinutes:  Counted{One: "{name}, {program} verlangt das: Sie haben sich vor {n} Minute angemeldet.", Other: "{name}, {program} verlangt das: Sie haben sich vor {n} Minuten angemeldet."},
	StepHours:    Counted{One: "{name}, {program} verlangt das: Sie haben sich vor {n} Stunde angemeldet.", Other: "{name}, {program} verlangt das: Sie haben sich vor {n} Stunden angemeldet."},
	StepDays:     Counted{One: "{name}, {program} verlangt das: Sie haben sich vor {n} Tag angemeldet.", Other: "{name}, {program} verlangt das: Sie haben sich vor {n} Tagen angemeldet."},
	StepPasskey:  "Hier ist ein Passkey nötig. Ein Passwort genügt für diesen Teil von {program} nicht.",
	StepAdd:      "Fügen Sie zuerst einen Passkey hinzu: Dieser Teil von {program} braucht einen. Beginnen Sie dann dort noch einmal.",
	StepProvider: "Mit {provider} bestätigen",
	StepAgain:    "Noch einmal anmelden",
	Back:         "Zurück zu {program}",
	NotName:      "Nicht {name}?",

	DeviceTitle:   "Auf einem Gerät anmelden",
	DeviceLead:    "Ein Fernseher, ein Drucker oder ein Terminal zeigt einen Code, wenn Sie sich dort mit Ihrem Konto bei {product} anmelden wollen. Geben Sie ihn hier ein.",
	DeviceCode:    "Code",
	DeviceHint:    "10 Buchstaben, wie BCDFG-HJKLM.",
	DeviceWarn:    "Machen Sie nur weiter, wenn Sie diesen Code auf einem Gerät vor sich sehen. Wer Ihnen den Code geschickt hat, wäre sonst als Sie angemeldet.",
	DeviceAllow:   "Erlauben",
	DeviceDone:    "Sie können zu Ihrem Gerät zurück",
	DeviceDoneIn:  "{program} macht dort gleich weiter. Sie können diese Seite schließen.",
	DeviceNot:     "Es wurde nichts erlaubt",
	DeviceNotLead: "{program} bekommt nichts. Sie können diese Seite schließen.",

	OnwardTitle: "Weiter zu {program}",
	OnwardLead:  "Das dauert einen Moment. Wenn nichts geschieht, benutzen Sie die Schaltfläche.",
	Onward:      "Weiter zu {program}",
}

var programPagesFrench = ProgramPages{
	ConsentTitle: "Se connecter à {program} en tant que {name}",
	Gets:         "{program} recevra",
	GetsMore:     "{program} demande maintenant aussi",
	GetsAsBefore: "Comme avant, il reçoit",
	Name:         "Votre nom, {value}",
	UserName:     "Votre nom d’utilisateur, {value}",
	Email:        "Votre adresse e-mail, {value}",
	Unverified:   "Votre adresse e-mail, {value}, qui n’est pas vérifiée",
	Groups:       "Vos groupes : {value}",
	NoGroups:     "Vos groupes, vous n’en avez pas encore",
	Language:     "Votre langue, {value}",
	Offline:      "La permission de garder votre session ouverte quand vous ne l’utilisez pas",
	NoSecrets:    "Il ne reçoit ni votre mot de passe ni vos clés d’accès.",
	Continue:     "Continuer",
	Cancel:       "Annuler",
	NotAgain:     "La question n’est posée qu’une fois pour {program}.",
	Other:        "Utiliser un autre compte",

	StepTitle:    "Confirmez que c’est bien vous",
	Step:         "{name}, {program} le demande.",
	StepMinutes:  Counted{One: "{name}, {program} le demande : votre connexion date d’il y a {n} minute.", Other: "{name}, {program} le demande : votre connexion date d’il y a {n} minutes."},
	StepHours:    Counted{One: "{name}, {program} le demande : votre connexion date d’il y a {n} heure.", Other: "{name}, {program} le demande : votre connexion date d’il y a {n} heures."},
	StepDays:     Counted{One: "{name}, {program} le demande : votre connexion date d’il y a {n} jour.", Other: "{name}, {program} le demande : votre connexion date d’il y a {n} jours."},
	StepPasskey:  "Ici, une clé d’accès est nécessaire. Un mot de passe ne suffit pas pour cette partie de {program}.",
	StepAdd:      "Ajoutez d’abord une clé d’accès : cette partie de {program} en a besoin. Puis recommencez là-bas.",
	StepProvider: "Confirmer avec {provider}",
	StepAgain:    "Se connecter à nouveau",
	Back:         "Retour à {program}",
	NotName:      "Vous n’êtes pas {name} ?",

	DeviceTitle:   "Se connecter sur un appareil",
	DeviceLead:    "Un téléviseur, une imprimante ou un terminal affiche un code quand vous voulez vous y connecter avec votre compte {product}. Saisissez-le ici.",
	DeviceCode:    "Code",
	DeviceHint:    "10 lettres, comme BCDFG-HJKLM.",
	DeviceWarn:    "Ne continuez que si vous voyez ce code sur un appareil devant vous. Sinon, la personne qui vous l’a envoyé serait connectée à votre place.",
	DeviceAllow:   "Autoriser",
	DeviceDone:    "Vous pouvez revenir à votre appareil",
	DeviceDoneIn:  "{program} y continue dans un instant. Vous pouvez fermer cette page.",
	DeviceNot:     "Rien n’a été autorisé",
	DeviceNotLead: "{program} ne reçoit rien. Vous pouvez fermer cette page.",

	OnwardTitle: "Vers {program}",
	OnwardLead:  "Cela prend un instant. S’il ne se passe rien, utilisez le bouton.",
	Onward:      "Continuer vers {program}",
}

var programPagesSpanish = ProgramPages{
	ConsentTitle: "Iniciar sesión en {program} como {name}",
	Gets:         "{program} recibirá",
	GetsMore:     "{program} ahora también pide",
	GetsAsBefore: "Como antes, recibe",
	Name:         "Tu nombre, {value}",
	UserName:     "Tu nombre de usuario, {value}",
	Email:        "Tu correo, {value}",
	Unverified:   "Tu correo, {value}, que no está verificado",
	Groups:       "Tus grupos: {value}",
	NoGroups:     "Tus grupos; todavía no estás en ninguno",
	Language:     "Tu idioma, {value}",
	Offline:      "Permiso para mantener tu sesión iniciada mientras no lo usas",
	NoSecrets:    "No recibe tu contraseña ni tus llaves de acceso.",
	Continue:     "Continuar",
	Cancel:       "Cancelar",
	NotAgain:     "No se te volverá a preguntar por {program}.",
	Other:        "Usar otra cuenta",

	StepTitle:    "Confirma que eres tú",
	Step:         "{name}, {program} lo pide.",
	StepMinutes:  Counted{One: "{name}, {program} lo pide: iniciaste sesión hace {n} minuto.", Other: "{name}, {program} lo pide: iniciaste sesión hace {n} minutos."},
	StepHours:    Counted{One: "{name}, {program} lo pide: iniciaste sesión hace {n} hora.", Other: "{name}, {program} lo pide: iniciaste sesión hace {n} horas."},
	StepDays:     Counted{One: "{name}, {program} lo pide: iniciaste sesión hace {n} día.", Other: "{name}, {program} lo pide: iniciaste sesión hace {n} días."},
	StepPasskey:  "Aquí se necesita una llave de acceso. Una contraseña no basta para esta parte de {program}.",
	StepAdd:      "Añade primero una llave de acceso: esta parte de {program} la necesita. Después empieza allí de nuevo.",
	StepProvider: "Confirmar con {provider}",
	StepAgain:    "Iniciar sesión de nuevo",
	Back:         "Volver a {program}",
	NotName:      "¿No eres {name}?",

	DeviceTitle:   "Iniciar sesión en un dispositivo",
	DeviceLead:    "Un televisor, una impresora o un terminal muestra un código cuando quieres iniciar sesión en él con tu cuenta de {product}. Escríbelo aquí.",
	DeviceCode:    "Código",
	DeviceHint:    "10 letras, como BCDFG-HJKLM.",
	DeviceWarn:    "Continúa solo si ves este código en un dispositivo delante de ti. Si no, quien te lo envió iniciaría sesión como tú.",
	DeviceAllow:   "Permitir",
	DeviceDone:    "Puedes volver a tu dispositivo",
	DeviceDoneIn:  "{program} continúa allí en un momento. Puedes cerrar esta página.",
	DeviceNot:     "No se permitió nada",
	DeviceNotLead: "{program} no recibe nada. Puedes cerrar esta página.",

	OnwardTitle: "Hacia {program}",
	OnwardLead:  "Esto tarda un momento. Si no pasa nada, usa el botón.",
	Onward:      "Continuar a {program}",
}

var programPagesJapanese = ProgramPages{
	ConsentTitle: "{name} さんとして {program} にサインイン",
	Gets:         "{program} が受け取る情報",
	GetsMore:     "{program} が新たに求めている情報",
	GetsAsBefore: "これまでどおり受け取る情報",
	Name:         "お名前: {value}",
	UserName:     "ユーザー名: {value}",
	Email:        "メールアドレス: {value}",
	Unverified:   "メールアドレス: {value} (未確認)",
	Groups:       "グループ: {value}",
	NoGroups:     "グループ (現在はありません)",
	Language:     "言語: {value}",
	Offline:      "使っていない間もサインインしたままにする許可",
	NoSecrets:    "パスワードとパスキーは渡されません。",
	Continue:     "続ける",
	Cancel:       "キャンセル",
	NotAgain:     "{program} については、次回から確認しません。",
	Other:        "別のアカウントを使う",

	StepTitle:    "ご本人であることを確認してください",
	Step:         "{name} さん、{program} が確認を求めています。",
	StepMinutes:  Counted{Other: "{name} さん、{program} が確認を求めています。サインインは {n} 分前です。"},
	StepHours:    Counted{Other: "{name} さん、{program} が確認を求めています。サインインは {n} 時間前です。"},
	StepDays:     Counted{Other: "{name} さん、{program} が確認を求めています。サインインは {n} 日前です。"},
	StepPasskey:  "ここではパスキーが必要です。{program} のこの部分は、パスワードでは使えません。",
	StepAdd:      "先にパスキーを追加してください。{program} のこの部分にはパスキーが必要です。追加したら、{program} でもう一度始めてください。",
	StepProvider: "{provider} で確認",
	StepAgain:    "もう一度サインイン",
	Back:         "{program} に戻る",
	NotName:      "{name} さんではありませんか？",

	DeviceTitle:   "デバイスでサインイン",
	DeviceLead:    "テレビ、プリンター、端末などに {product} のアカウントでサインインするとき、コードが表示されます。そのコードをここに入力してください。",
	DeviceCode:    "コード",
	DeviceHint:    "10 文字の英字です (例: BCDFG-HJKLM)。",
	DeviceWarn:    "このコードが目の前のデバイスに表示されている場合にだけ進んでください。そうでない場合、コードを送ってきた人があなたとしてサインインします。",
	DeviceAllow:   "許可",
	DeviceDone:    "デバイスに戻ってください",
	DeviceDoneIn:  "{program} がまもなく続行します。このページは閉じてかまいません。",
	DeviceNot:     "何も許可されませんでした",
	DeviceNotLead: "{program} には何も渡されません。このページは閉じてかまいません。",

	OnwardTitle: "{program} に進みます",
	OnwardLead:  "少々お待ちください。進まない場合は、ボタンを押してください。",
	Onward:      "{program} に進む",
}
