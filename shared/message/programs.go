package message

// Programs are the other programs that a user signs in to with the account.
type Programs struct {
	Title    string
	None     string
	Used     string // {date}
	Since    string // {date}
	Gets     string // {what}: the next three, with commas between
	Profile  string
	Email    string
	Groups   string
	Offline  string
	End      string
	EndRow   string // {program}
	EndTitle string // {program}
	EndLead  string // {program}
	Ended    string // {program}
}

var programsEnglish = Programs{
	Title: "Programs you use", None: "None any more.", Used: "Used {date}", Since: "Allowed {date}",
	Gets: "Gets {what}", Profile: "your name", Email: "your e-mail", Groups: "your groups", Offline: "Keeps you signed in",
	End: "End", EndRow: "End {program}", EndTitle: "End {program}?",
	EndLead: "{program} gets nothing more from here, and you are asked again before you sign in to it. What it knows already, it keeps.",
	Ended:   "{program} was ended.",
}

var programsGerman = Programs{
	Title: "Ihre Programme", None: "Keine mehr.", Used: "Benutzt {date}", Since: "Erlaubt {date}",
	Gets: "Bekommt {what}", Profile: "Ihren Namen", Email: "Ihre E-Mail-Adresse", Groups: "Ihre Gruppen", Offline: "Lässt Sie angemeldet",
	End: "Beenden", EndRow: "{program} beenden", EndTitle: "{program} beenden?",
	EndLead: "{program} bekommt von hier nichts mehr, und Sie werden wieder gefragt, bevor Sie sich dort anmelden. Was es schon weiß, behält es.",
	Ended:   "{program} wurde beendet.",
}

var programsFrench = Programs{
	Title: "Vos programmes", None: "Aucun désormais.", Used: "Utilisé {date}", Since: "Autorisé {date}",
	Gets: "Reçoit {what}", Profile: "votre nom", Email: "votre adresse e-mail", Groups: "vos groupes", Offline: "Garde votre session ouverte",
	End: "Terminer", EndRow: "Terminer {program}", EndTitle: "Terminer {program} ?",
	EndLead: "{program} ne reçoit plus rien d’ici, et la question vous sera posée avant la prochaine connexion. Ce qu’il sait déjà, il le garde.",
	Ended:   "L’accès de {program} est terminé.",
}

var programsSpanish = Programs{
	Title: "Tus programas", None: "Ya no hay ninguno.", Used: "Usado {date}", Since: "Permitido {date}",
	Gets: "Recibe {what}", Profile: "tu nombre", Email: "tu correo", Groups: "tus grupos", Offline: "Mantiene tu sesión iniciada",
	End: "Terminar", EndRow: "Terminar {program}", EndTitle: "¿Terminar {program}?",
	EndLead: "{program} no recibe nada más de aquí, y se te preguntará antes de iniciar sesión de nuevo. Lo que ya sabe, lo conserva.",
	Ended:   "Se terminó el acceso de {program}.",
}

var programsJapanese = Programs{
	Title: "使っているプログラム", None: "もうありません。", Used: "最終利用: {date}", Since: "許可: {date}",
	Gets: "受け取る情報: {what}", Profile: "お名前", Email: "メールアドレス", Groups: "グループ", Offline: "サインインを維持",
	End: "終了", EndRow: "{program} を終了", EndTitle: "{program} を終了しますか？",
	EndLead: "{program} は今後ここから情報を受け取りません。次にサインインするときは、もう一度確認します。すでに受け取った情報は {program} に残ります。",
	Ended:   "{program} を終了しました。",
}
