package message

// Clients is the page on which administrators register the programs that sign people in here.
type Clients struct {
	Title          string
	None           string
	NoneLead       string
	Add            string
	Everybody      string
	ForGroups      string // {groups}
	Changed        string // {date}
	InFile         string
	Edit           string
	EditTitle      string // {program}
	Preset         string
	Another        string
	URL            string
	URLHint        string
	Name           string
	ID             string
	IDHint         string
	Redirects      string
	RedirectsHint  string
	Groups         string
	GroupsHint     string
	FirstParty     string
	Offline        string
	Device         string
	More           string
	Home           string
	SignedOut      string
	BackChannel    string
	Authentication string
	ByNothing      string
	Keys           string
	Algorithm      string
	WithoutPKCE    string
	Pairwise       string
	SetUp          string
	SecretTitle    string // {program}
	SecretLead     string
	LaterLead      string
	NoSecretLead   string
	Issuer         string
	Secret         string
	Text           string
	Copy           string
	Rotate         string
	RotateTitle    string // {program}
	RotateLead     string
	Overlap        string
	AtOnce         string
	InDay          string
	InWeek         string
	InMonth        string
	Remove         string
	RemoveTitle    string // {program}
	RemoveLead     string
	Removed        string // {program}
	Saved          string
	Lost           string
}

var clientsEnglish = Clients{
	Title:          "Programs",
	None:           "No program signs people in here yet",
	NoneLead:       "Add Grafana, a wiki, or whatever speaks OpenID Connect. People then sign in to it with their passkey.",
	Add:            "Add a program",
	Everybody:      "For everybody",
	ForGroups:      "For {groups}",
	Changed:        "Changed {date}",
	InFile:         "Configuration file",
	Edit:           "Edit",
	EditTitle:      "Edit {program}",
	Preset:         "Which program",
	Another:        "Another program",
	URL:            "Its address",
	URLHint:        "Where people open it, such as https://grafana.example.com.",
	Name:           "Name that people read",
	ID:             "Client id",
	IDHint:         "The program sends it. It can't be changed later.",
	Redirects:      "Redirect addresses",
	RedirectsHint:  "Where the program wants people sent back, exactly as it sends it. One per line.",
	Groups:         "Groups that may use it",
	GroupsHint:     "Put commas between them. Empty means everybody.",
	FirstParty:     "It is our own: nobody is asked what it may know",
	Offline:        "It may work for people while they are away (offline_access)",
	Device:         "It signs people in on devices without a browser",
	More:           "More settings",
	Home:           "Start page",
	SignedOut:      "Addresses after sign-out",
	BackChannel:    "Address that is told of ended sessions",
	Authentication: "How it proves who it is",
	ByNothing:      "Not at all, such as an app (none)",
	Keys:           "Its public keys (JSON Web Key Set)",
	Algorithm:      "Signature of its ID tokens",
	WithoutPKCE:    "It doesn't know PKCE",
	Pairwise:       "It gets identifiers of people that no other program gets",
	SetUp:          "Set up",
	SecretTitle:    "Set up {program}",
	SecretLead:     "Give this to the program now. You can't read the secret again.",
	LaterLead:      "Give this to the program. Its secret can't be read again. If it is lost, make a new one.",
	NoSecretLead:   "Give this to the program. It has no secret.",
	Issuer:         "Issuer",
	Secret:         "Secret",
	Text:           "Settings for the program",
	Copy:           "Copy",
	Rotate:         "New secret",
	RotateTitle:    "New secret for {program}",
	RotateLead:     "People can't sign in to the program from the end of the old secret until it has the new one.",
	Overlap:        "The old secret ends",
	AtOnce:         "at once",
	InDay:          "in a day",
	InWeek:         "in 7 days",
	InMonth:        "in 30 days",
	Remove:         "Remove",
	RemoveTitle:    "Remove {program}?",
	RemoveLead:     "Nobody can sign in to it from here any more, and its access ends. This can't be undone: a new entry gets a new secret.",
	Removed:        "{program} was removed.",
	Saved:          "Saved.",
	Lost:           "The program may have been added or changed all the same. Load the page again, and make a new secret if you need one.",
}

var clientsGerman = Clients{
	Title:          "Programme",
	None:           "Noch kein Programm meldet hier an",
	NoneLead:       "Fügen Sie Grafana, ein Wiki oder sonst etwas hinzu, das OpenID Connect spricht. Dann meldet man sich dort mit dem Passkey an.",
	Add:            "Programm hinzufügen",
	Everybody:      "Für alle",
	ForGroups:      "Für {groups}",
	Changed:        "Geändert {date}",
	InFile:         "Konfigurationsdatei",
	Edit:           "Ändern",
	EditTitle:      "{program} ändern",
	Preset:         "Welches Programm",
	Another:        "Ein anderes Programm",
	URL:            "Seine Adresse",
	URLHint:        "Wo man es öffnet, zum Beispiel https://grafana.example.com.",
	Name:           "Name, den man liest",
	ID:             "Client-ID",
	IDHint:         "Das Programm sendet sie. Sie lässt sich später nicht ändern.",
	Redirects:      "Rücksprungadressen",
	RedirectsHint:  "Wohin das Programm die Leute zurückhaben will, genau wie es das sendet. Eine je Zeile.",
	Groups:         "Gruppen, die es benutzen dürfen",
	GroupsHint:     "Mit Kommas dazwischen. Leer heißt: alle.",
	FirstParty:     "Es ist unser eigenes: Niemand wird gefragt, was es wissen darf",
	Offline:        "Es darf für Leute arbeiten, während sie weg sind (offline_access)",
	Device:         "Es meldet auf Geräten ohne Browser an",
	More:           "Weitere Einstellungen",
	Home:           "Startseite",
	SignedOut:      "Adressen nach dem Abmelden",
	BackChannel:    "Adresse, die vom Ende der Sitzungen erfährt",
	Authentication: "Wie es sich ausweist",
	ByNothing:      "Gar nicht, etwa eine App (none)",
	Keys:           "Seine öffentlichen Schlüssel (JSON Web Key Set)",
	Algorithm:      "Signatur seiner ID-Token",
	WithoutPKCE:    "Es kennt PKCE nicht",
	Pairwise:       "Es bekommt Kennungen von Leuten, die kein anderes Programm bekommt",
	SetUp:          "Einrichten",
	SecretTitle:    "{program} einrichten",
	SecretLead:     "Geben Sie das jetzt dem Programm. Das Geheimnis lässt sich nicht noch einmal lesen.",
	LaterLead:      "Geben Sie das dem Programm. Sein Geheimnis lässt sich nicht noch einmal lesen. Ist es verloren, machen Sie ein neues.",
	NoSecretLead:   "Geben Sie das dem Programm. Es hat kein Geheimnis.",
	Issuer:         "Aussteller",
	Secret:         "Geheimnis",
	Text:           "Einstellungen für das Programm",
	Copy:           "Kopieren",
	Rotate:         "Neues Geheimnis",
	RotateTitle:    "Neues Geheimnis für {program}",
	RotateLead:     "Vom Ende des alten Geheimnisses an kann sich niemand am Programm anmelden, bis es das neue hat.",
	Overlap:        "Das alte Geheimnis endet",
	AtOnce:         "sofort",
	InDay:          "in einem Tag",
	InWeek:         "in 7 Tagen",
	InMonth:        "in 30 Tagen",
	Remove:         "Entfernen",
	RemoveTitle:    "{program} entfernen?",
	RemoveLead:     "Niemand kann sich von hier aus mehr dort anmelden, und sein Zugang endet. Das lässt sich nicht rückgängig machen: Ein neuer Eintrag bekommt ein neues Geheimnis.",
	Removed:        "{program} wurde entfernt.",
	Saved:          "Gespeichert.",
	Lost:           "Das Programm kann trotzdem eingetragen oder geändert worden sein. Laden Sie die Seite neu, und machen Sie ein neues Geheimnis, wenn Sie eines brauchen.",
}

var clientsFrench = Clients{
	Title:          "Programmes",
	None:           "Aucun programme ne connecte encore ici",
	NoneLead:       "Ajoutez Grafana, un wiki ou tout ce qui parle OpenID Connect. On s’y connecte alors avec sa clé d’accès.",
	Add:            "Ajouter un programme",
	Everybody:      "Pour tout le monde",
	ForGroups:      "Pour {groups}",
	Changed:        "Modifié {date}",
	InFile:         "Fichier de configuration",
	Edit:           "Modifier",
	EditTitle:      "Modifier {program}",
	Preset:         "Quel programme",
	Another:        "Un autre programme",
	URL:            "Son adresse",
	URLHint:        "Là où on l’ouvre, par exemple https://grafana.example.com.",
	Name:           "Nom affiché",
	ID:             "Identifiant client",
	IDHint:         "Le programme l’envoie. Il ne peut pas être modifié plus tard.",
	Redirects:      "Adresses de redirection",
	RedirectsHint:  "Là où le programme veut voir revenir les gens, exactement comme il l’envoie. Une par ligne.",
	Groups:         "Groupes qui peuvent l’utiliser",
	GroupsHint:     "Séparés par des virgules. Vide : tout le monde.",
	FirstParty:     "C’est le nôtre : personne n’est interrogé sur ce qu’il peut savoir",
	Offline:        "Il peut travailler pour les gens en leur absence (offline_access)",
	Device:         "Il connecte sur des appareils sans navigateur",
	More:           "Plus de réglages",
	Home:           "Page d’accueil",
	SignedOut:      "Adresses après la déconnexion",
	BackChannel:    "Adresse prévenue de la fin des sessions",
	Authentication: "Comment il prouve qui il est",
	ByNothing:      "Pas du tout, comme une app (none)",
	Keys:           "Ses clés publiques (JSON Web Key Set)",
	Algorithm:      "Signature de ses jetons d’identité",
	WithoutPKCE:    "Il ne connaît pas PKCE",
	Pairwise:       "Il reçoit des identifiants que nul autre programme ne reçoit",
	SetUp:          "Configurer",
	SecretTitle:    "Configurer {program}",
	SecretLead:     "Donnez ceci au programme maintenant. Vous ne pourrez plus relire le secret.",
	LaterLead:      "Donnez ceci au programme. Son secret ne peut plus être lu. S’il est perdu, créez-en un nouveau.",
	NoSecretLead:   "Donnez ceci au programme. Il n’a pas de secret.",
	Issuer:         "Émetteur",
	Secret:         "Secret",
	Text:           "Réglages pour le programme",
	Copy:           "Copier",
	Rotate:         "Nouveau secret",
	RotateTitle:    "Nouveau secret pour {program}",
	RotateLead:     "À partir de la fin de l’ancien secret, personne ne peut se connecter au programme tant qu’il n’a pas le nouveau.",
	Overlap:        "L’ancien secret prend fin",
	AtOnce:         "tout de suite",
	InDay:          "dans un jour",
	InWeek:         "dans 7 jours",
	InMonth:        "dans 30 jours",
	Remove:         "Supprimer",
	RemoveTitle:    "Supprimer {program} ?",
	RemoveLead:     "Plus personne ne pourra s’y connecter d’ici, et son accès prend fin. C’est définitif : une nouvelle entrée reçoit un nouveau secret.",
	Removed:        "{program} a été supprimé.",
	Saved:          "Enregistré.",
	Lost:           "Le programme a peut-être été ajouté ou modifié quand même. Rechargez la page, et créez un nouveau secret s’il vous en faut un.",
}

var clientsSpanish = Clients{
	Title:          "Programas",
	None:           "Ningún programa inicia sesión aquí todavía",
	NoneLead:       "Añade Grafana, un wiki o cualquier cosa que hable OpenID Connect. Después se entra allí con la clave de acceso.",
	Add:            "Añadir un programa",
	Everybody:      "Para todas las personas",
	ForGroups:      "Para {groups}",
	Changed:        "Cambiado {date}",
	InFile:         "Archivo de configuración",
	Edit:           "Cambiar",
	EditTitle:      "Cambiar {program}",
	Preset:         "Qué programa",
	Another:        "Otro programa",
	URL:            "Su dirección",
	URLHint:        "Donde se abre, por ejemplo https://grafana.example.com.",
	Name:           "Nombre que se lee",
	ID:             "Identificador de cliente",
	IDHint:         "El programa lo envía. Después no se puede cambiar.",
	Redirects:      "Direcciones de redirección",
	RedirectsHint:  "Adonde el programa quiere que vuelva la gente, exactamente como lo envía. Una por línea.",
	Groups:         "Grupos que lo pueden usar",
	GroupsHint:     "Separados por comas. Vacío: todas las personas.",
	FirstParty:     "Es nuestro: no se pregunta a nadie qué puede saber",
	Offline:        "Puede trabajar para la gente en su ausencia (offline_access)",
	Device:         "Inicia sesión en dispositivos sin navegador",
	More:           "Más ajustes",
	Home:           "Página de inicio",
	SignedOut:      "Direcciones tras cerrar sesión",
	BackChannel:    "Dirección a la que se avisa del fin de las sesiones",
	Authentication: "Cómo demuestra quién es",
	ByNothing:      "De ninguna forma, como una app (none)",
	Keys:           "Sus claves públicas (JSON Web Key Set)",
	Algorithm:      "Firma de sus tokens de identidad",
	WithoutPKCE:    "No conoce PKCE",
	Pairwise:       "Recibe identificadores que ningún otro programa recibe",
	SetUp:          "Configurar",
	SecretTitle:    "Configurar {program}",
	SecretLead:     "Dale esto al programa ahora. El secreto no se puede volver a leer.",
	LaterLead:      "Dale esto al programa. Su secreto no se puede volver a leer. Si se ha perdido, crea uno nuevo.",
	NoSecretLead:   "Dale esto al programa. No tiene secreto.",
	Issuer:         "Emisor",
	Secret:         "Secreto",
	Text:           "Ajustes para el programa",
	Copy:           "Copiar",
	Rotate:         "Nuevo secreto",
	RotateTitle:    "Nuevo secreto para {program}",
	RotateLead:     "Desde el fin del secreto antiguo, nadie puede entrar en el programa hasta que tenga el nuevo.",
	Overlap:        "El secreto antiguo termina",
	AtOnce:         "enseguida",
	InDay:          "en un día",
	InWeek:         "en 7 días",
	InMonth:        "en 30 días",
	Remove:         "Eliminar",
	RemoveTitle:    "¿Eliminar {program}?",
	RemoveLead:     "Nadie podrá entrar desde aquí, y su acceso termina. No se puede deshacer: una entrada nueva recibe un secreto nuevo.",
	Removed:        "Se eliminó {program}.",
	Saved:          "Guardado.",
	Lost:           "Puede que el programa se haya añadido o cambiado de todos modos. Vuelve a cargar la página y crea un secreto nuevo si lo necesitas.",
}

var clientsJapanese = Clients{
	Title:          "プログラム",
	None:           "ここでサインインするプログラムはまだありません",
	NoneLead:       "Grafana や Wiki など、OpenID Connect に対応したものを追加してください。パスキーでサインインできるようになります。",
	Add:            "プログラムを追加",
	Everybody:      "全員が利用可",
	ForGroups:      "利用可: {groups}",
	Changed:        "変更: {date}",
	InFile:         "設定ファイル",
	Edit:           "編集",
	EditTitle:      "{program} を編集",
	Preset:         "どのプログラムですか",
	Another:        "その他のプログラム",
	URL:            "そのアドレス",
	URLHint:        "開くときのアドレスです。例: https://grafana.example.com",
	Name:           "表示名",
	ID:             "クライアント ID",
	IDHint:         "プログラムが送信する ID です。後で変更できません。",
	Redirects:      "リダイレクト先",
	RedirectsHint:  "サインイン後に戻るアドレスを、プログラムが送信するとおりに 1 行に 1 つ入力します。",
	Groups:         "利用できるグループ",
	GroupsHint:     "コンマで区切ります。空欄なら全員が利用できます。",
	FirstParty:     "自社のプログラムなので、情報を渡す確認をしない",
	Offline:        "本人がいない間も動作できる (offline_access)",
	Device:         "ブラウザーのないデバイスでサインインする",
	More:           "詳細設定",
	Home:           "開始ページ",
	SignedOut:      "サインアウト後のアドレス",
	BackChannel:    "セッション終了の通知先",
	Authentication: "認証方法",
	ByNothing:      "認証しない。アプリなど (none)",
	Keys:           "公開鍵 (JSON Web Key Set)",
	Algorithm:      "ID トークンの署名",
	WithoutPKCE:    "PKCE に対応していない",
	Pairwise:       "他のプログラムとは異なるユーザー識別子を渡す",
	SetUp:          "設定",
	SecretTitle:    "{program} の設定",
	SecretLead:     "今すぐプログラムに設定してください。シークレットは再表示できません。",
	LaterLead:      "プログラムに設定してください。シークレットは再表示できません。なくした場合は、新しいものを作成してください。",
	NoSecretLead:   "プログラムに設定してください。シークレットはありません。",
	Issuer:         "発行者",
	Secret:         "シークレット",
	Text:           "プログラムに貼り付ける設定",
	Copy:           "コピー",
	Rotate:         "新しいシークレット",
	RotateTitle:    "{program} の新しいシークレット",
	RotateLead:     "古いシークレットの終了後は、新しいものを設定するまで誰もサインインできません。",
	Overlap:        "古いシークレットの終了",
	AtOnce:         "すぐに",
	InDay:          "1 日後",
	InWeek:         "7 日後",
	InMonth:        "30 日後",
	Remove:         "削除",
	RemoveTitle:    "{program} を削除しますか？",
	RemoveLead:     "ここからは誰もサインインできなくなり、アクセスも終了します。元に戻せません。もう一度登録すると、新しいシークレットになります。",
	Removed:        "{program} を削除しました。",
	Saved:          "保存しました。",
	Lost:           "プログラムが追加または変更された可能性があります。ページを読み込み直し、必要なら新しいシークレットを作成してください。",
}
