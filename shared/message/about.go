package message

// About is the page about passkeys. Words of other pages stand in it as they are there, so
// that a reader finds them: the names of buttons come from the other texts.
type About struct {
	Lead                string // {product}
	Picture             string // what the picture shows
	KeptTitle           string
	KeptManager         string
	KeptKey             string
	KeptDevice          string
	KeptKeyOnly         string // where only certain makers' authenticators are accepted
	UseButton           string // {button}
	UseUnlock           string
	UseElsewhere        string
	OtherTitle          string // of the list of other sign-in methods
	OtherAdministrators string // a password, which only administrators may use
	OtherCode           string
	ManageTitle         string
	ManageOpen          string // {menu}
	ManageAdd           string // {add}, {register}
	ManagePhone         string // {phone}
	ManageRemove        string // {rename}, {remove}
	ManageMost          Counted
	LostTitle           string
	LostTwo             string
	LostRemove          string
	LostFound           string // where a passkey must verify its user
	LostCodes           string // {codes}, {lost}
	SafeTitle           string
	SafeSecret          string
	SafeAddress         string // {address}
	Manual              string
}

// AboutIn returns the texts in the language of a catalogue.
func AboutIn(catalogue *Catalogue) About {
	switch catalogue.Lang {
	case German.Lang:
		return aboutGerman
	case French.Lang:
		return aboutFrench
	case Spanish.Lang:
		return aboutSpanish
	case Japanese.Lang:
		return aboutJapanese
	}
	return aboutEnglish
}

var aboutEnglish = About{
	Lead:                "A passkey signs you in to {product} without a password. You unlock your device as you always do: with your fingerprint, your face or its PIN.",
	Picture:             "You unlock your device, your passkey answers for you, and you are signed in.",
	KeptTitle:           "Where a passkey is kept",
	KeptManager:         "In a password manager: the passkey is on every device on which you use this password manager.",
	KeptKey:             "On a security key: you carry the passkey with you.",
	KeptDevice:          "On one phone or computer: the passkey stays there.",
	KeptKeyOnly:         "Only on devices of makers that IT has chosen. Ask before you buy a security key.",
	UseButton:           "On the sign-in page, choose “{button}”. You don't need to type your user name.",
	UseUnlock:           "Your fingerprint, your face and your PIN stay on your device. Nobody here can see them.",
	UseElsewhere:        "If your passkey is on your phone, you can sign in on any computer: choose the phone in the window that your browser opens, and scan the code there. Bluetooth must be on.",
	OtherTitle:          "Other ways to sign in here",
	OtherAdministrators: "A password, for administrators only",
	OtherCode:           "A recovery code, if you have lost everything else",
	ManageTitle:         "Add, rename and remove passkeys",
	ManageOpen:          "Sign in, click your name at the top, and choose “{menu}”.",
	ManageAdd:           "“{add}” and then “{register}” makes a new passkey.",
	ManagePhone:         "“{phone}” shows a code. The phone that scans it gets a passkey of its own.",
	ManageRemove:        "The pencil (“{rename}”) changes a passkey's name. “{remove}” means that it doesn't sign you in any more. Delete it in your password manager too.",
	ManageMost:          Counted{One: "You can have {n} passkey.", Other: "You can have up to {n} passkeys."},
	LostTitle:           "If you lose a device",
	LostTwo:             "Have two passkeys in different places. If you lose one, you sign in with the other.",
	LostRemove:          "Sign in and remove the passkey that was on the lost device.",
	LostFound:           "Whoever finds the device can't use the passkey without your fingerprint, your face or your PIN.",
	LostCodes:           "“{codes}”, on the start page, gives you codes for an emergency. Each of them signs you in once. Use one at “{lost}”, on the sign-in page. Keep them on paper.",
	SafeTitle:           "What you never need to give away",
	SafeSecret:          "Nobody needs your PIN or a recovery code to help you, not even IT. If somebody asks for them, end the conversation and tell IT.",
	SafeAddress:         "Your passkey works at {address} only. A page elsewhere can look the same, but it can't get your passkey.",
	Manual:              "The manual (in English)",
}

var aboutFrench = About{
	Lead:                "Une clé d’accès vous connecte à {product} sans mot de passe. Vous déverrouillez votre appareil comme d’habitude : par empreinte, visage ou code PIN.",
	Picture:             "Vous déverrouillez votre appareil, votre clé d’accès répond pour vous, et vous êtes connecté.",
	KeptTitle:           "Où se garde une clé d’accès",
	KeptManager:         "Dans un gestionnaire de mots de passe : la clé d’accès est sur tous les appareils où vous utilisez ce gestionnaire.",
	KeptKey:             "Sur une clé de sécurité : vous portez la clé d’accès sur vous.",
	KeptDevice:          "Sur un seul téléphone ou ordinateur : la clé d’accès y reste.",
	KeptKeyOnly:         "Seulement sur des appareils de fabricants choisis par le service informatique. Demandez avant d’acheter une clé de sécurité.",
	UseButton:           "Sur la page de connexion, choisissez « {button} ». Vous n’avez pas à saisir votre nom d’utilisateur.",
	UseUnlock:           "Votre empreinte, votre visage et votre code PIN restent sur votre appareil. Personne ici ne peut les voir.",
	UseElsewhere:        "Si votre clé d’accès est sur votre téléphone, vous pouvez vous connecter sur tout ordinateur : choisissez le téléphone dans la fenêtre de votre navigateur et scannez le code. Le Bluetooth doit être activé.",
	OtherTitle:          "Autres façons de se connecter ici",
	OtherAdministrators: "Un mot de passe, pour l’administration seulement",
	OtherCode:           "Un code de secours, si vous avez perdu tout le reste",
	ManageTitle:         "Ajouter, renommer et supprimer des clés d’accès",
	ManageOpen:          "Connectez-vous, cliquez sur votre nom en haut et choisissez « {menu} ».",
	ManageAdd:           "« {add} » puis « {register} » crée une nouvelle clé d’accès.",
	ManagePhone:         "« {phone} » affiche un code. Le téléphone qui le scanne reçoit sa propre clé d’accès.",
	ManageRemove:        "Le crayon (« {rename} ») change le nom d’une clé d’accès. Après « {remove} », elle ne vous connecte plus. Supprimez-la aussi dans votre gestionnaire de mots de passe.",
	ManageMost:          Counted{One: "Vous pouvez avoir {n} clé d’accès.", Many: "Vous pouvez avoir jusqu’à {n} clés d’accès.", Other: "Vous pouvez avoir jusqu’à {n} clés d’accès."},
	LostTitle:           "Si vous perdez un appareil",
	LostTwo:             "Ayez deux clés d’accès à des endroits différents. Si vous en perdez une, vous vous connectez avec l’autre.",
	LostRemove:          "Connectez-vous et supprimez la clé d’accès qui était sur l’appareil perdu.",
	LostFound:           "Qui trouve l’appareil ne peut pas se servir de la clé d’accès sans votre empreinte, votre visage ou votre code PIN.",
	LostCodes:           "« {codes} », sur la page d’accueil, vous donne des codes pour les urgences. Chacun vous connecte une fois. Un code s’utilise sur la page de connexion, sous « {lost} ». Gardez-les sur papier.",
	SafeTitle:           "Ce que vous n’avez jamais à donner",
	SafeSecret:          "Personne n’a besoin de votre code PIN ni d’un code de secours pour vous aider, pas même le service informatique. Si quelqu’un les demande, mettez fin à la conversation et prévenez le service informatique.",
	SafeAddress:         "Votre clé d’accès fonctionne seulement sur {address}. Une page ailleurs peut avoir le même aspect, mais elle n’obtient pas votre clé d’accès.",
	Manual:              "Le manuel (en anglais)",
}

var aboutGerman = About{
	Lead:                "Mit einem Passkey melden Sie sich ohne Passwort bei {product} an. Sie entsperren Ihr Gerät wie sonst auch: mit Fingerabdruck, Gesicht oder PIN.",
	Picture:             "Sie entsperren Ihr Gerät, Ihr Passkey antwortet für Sie, und Sie sind angemeldet.",
	KeptTitle:           "Wo ein Passkey aufbewahrt wird",
	KeptManager:         "In einem Passwortmanager: Der Passkey ist auf allen Geräten, auf denen Sie diesen Passwortmanager verwenden.",
	KeptKey:             "Auf einem Sicherheitsschlüssel: Sie haben den Passkey bei sich.",
	KeptDevice:          "Auf einem einzelnen Telefon oder Computer: Der Passkey bleibt dort.",
	KeptKeyOnly:         "Nur auf Geräten von Herstellern, die die IT ausgewählt hat. Fragen Sie, bevor Sie einen Sicherheitsschlüssel kaufen.",
	UseButton:           "Wählen Sie auf der Anmeldeseite „{button}“. Ihren Benutzernamen brauchen Sie nicht einzugeben.",
	UseUnlock:           "Fingerabdruck, Gesicht und PIN bleiben auf Ihrem Gerät. Niemand hier kann sie sehen.",
	UseElsewhere:        "Ist Ihr Passkey auf Ihrem Telefon, können Sie sich an jedem Computer anmelden: Wählen Sie im Fenster Ihres Browsers das Telefon, und scannen Sie den Code. Bluetooth muss eingeschaltet sein.",
	OtherTitle:          "Wie Sie sich hier sonst anmelden können",
	OtherAdministrators: "Mit einem Passwort, nur für die Administration",
	OtherCode:           "Mit einem Wiederherstellungscode, wenn Sie alles andere verloren haben",
	ManageTitle:         "Passkeys hinzufügen, umbenennen und entfernen",
	ManageOpen:          "Melden Sie sich an, klicken Sie oben auf Ihren Namen, und wählen Sie „{menu}“.",
	ManageAdd:           "„{add}“ und dann „{register}“ erstellt einen neuen Passkey.",
	ManagePhone:         "„{phone}“ zeigt einen Code. Das Telefon, das ihn scannt, bekommt einen eigenen Passkey.",
	ManageRemove:        "Der Stift („{rename}“) ändert den Namen eines Passkeys. Nach „{remove}“ können Sie sich nicht mehr mit ihm anmelden. Löschen Sie ihn auch in Ihrem Passwortmanager.",
	ManageMost:          Counted{One: "Sie können {n} Passkey haben.", Other: "Sie können bis zu {n} Passkeys haben."},
	LostTitle:           "Wenn Sie ein Gerät verlieren",
	LostTwo:             "Haben Sie zwei Passkeys an verschiedenen Orten. Wenn Sie einen verlieren, melden Sie sich mit dem anderen an.",
	LostRemove:          "Melden Sie sich an, und entfernen Sie den Passkey, der auf dem verlorenen Gerät war.",
	LostFound:           "Wer das Gerät findet, kann den Passkey ohne Ihren Fingerabdruck, Ihr Gesicht oder Ihre PIN nicht verwenden.",
	LostCodes:           "„{codes}“, auf der Startseite, gibt Ihnen Codes für den Notfall. Mit jedem können Sie sich einmal anmelden. Sie verwenden einen Code auf der Anmeldeseite, unter „{lost}“. Bewahren Sie die Codes auf Papier auf.",
	SafeTitle:           "Was Sie nie weitergeben müssen",
	SafeSecret:          "Niemand braucht Ihre PIN oder einen Wiederherstellungscode, um Ihnen zu helfen, auch die IT nicht. Fragt jemand danach, beenden Sie das Gespräch, und sagen Sie es der IT.",
	SafeAddress:         "Ihr Passkey funktioniert nur bei {address}. Eine Seite anderswo kann genauso aussehen, aber Ihren Passkey bekommt sie nicht.",
	Manual:              "Das Handbuch (auf Englisch)",
}

var aboutJapanese = About{
	Lead:                "パスキーを使うと、パスワードなしで {product} にサインインできます。いつもと同じように、指紋、顔、または PIN でデバイスのロックを解除します。",
	Picture:             "デバイスのロックを解除すると、パスキーがあなたの代わりに応答し、サインインできます。",
	KeptTitle:           "パスキーの保管場所",
	KeptManager:         "パスワードマネージャー: そのパスワードマネージャーを使っているすべてのデバイスで、パスキーを使えます。",
	KeptKey:             "セキュリティキー: パスキーを持ち歩きます。",
	KeptDevice:          "1台のスマートフォンまたはコンピューター: パスキーはそこから出ません。",
	KeptKeyOnly:         "IT 担当が選んだメーカーのデバイスだけに保管できます。セキュリティキーを買う前にお尋ねください。",
	UseButton:           "サインインのページで「{button}」を選びます。ユーザー名を入力する必要はありません。",
	UseUnlock:           "指紋、顔、PIN の情報はデバイスの中にとどまります。こちらでは誰も見ることができません。",
	UseElsewhere:        "パスキーがスマートフォンにあれば、どのコンピューターでもサインインできます。ブラウザーが開くウィンドウでスマートフォンを選び、コードを読み取ってください。Bluetooth をオンにしておく必要があります。",
	OtherTitle:          "ここで使えるほかのサインイン方法",
	OtherAdministrators: "パスワード (管理者のみ)",
	OtherCode:           "リカバリーコード (ほかのすべてを失くしたとき)",
	ManageTitle:         "パスキーの追加、名前の変更、削除",
	ManageOpen:          "サインインし、上に表示される自分の名前をクリックして、「{menu}」を選びます。",
	ManageAdd:           "「{add}」、続いて「{register}」を選ぶと、新しいパスキーが作成されます。",
	ManagePhone:         "「{phone}」を選ぶとコードが表示されます。それを読み取ったスマートフォンに、専用のパスキーが作成されます。",
	ManageRemove:        "鉛筆のアイコン（「{rename}」）でパスキーの名前を変更できます。「{remove}」を選ぶと、そのパスキーではサインインできなくなります。パスワードマネージャーからも削除してください。",
	ManageMost:          Counted{Other: "パスキーは {n} 個まで持てます。"},
	LostTitle:           "デバイスを失くしたとき",
	LostTwo:             "パスキーを2つ、別々の場所に用意しておいてください。1つを失くしても、もう1つでサインインできます。",
	LostRemove:          "サインインして、失くしたデバイスにあったパスキーを削除してください。",
	LostFound:           "デバイスを拾った人も、あなたの指紋、顔、または PIN がなければパスキーを使えません。",
	LostCodes:           "スタートページの「{codes}」で、緊急用のコードを受け取れます。それぞれ一度だけサインインできます。コードは、サインインのページの「{lost}」で使います。紙に書いて保管してください。",
	SafeTitle:           "決して人に教える必要のないもの",
	SafeSecret:          "あなたを手助けするために、PIN やリカバリーコードが必要な人はいません。IT 担当も同じです。尋ねられたら、やりとりをやめて IT 担当に知らせてください。",
	SafeAddress:         "パスキーは {address} でのみ使えます。ほかの場所に同じように見えるページがあっても、パスキーを手に入れることはできません。",
	Manual:              "マニュアル (英語)",
}

var aboutSpanish = About{
	Lead:                "Con una llave de acceso inicias sesión en {product} sin contraseña. Desbloqueas tu dispositivo como siempre: con tu huella, tu rostro o su PIN.",
	Picture:             "Desbloqueas tu dispositivo, tu llave de acceso responde por ti y ya tienes la sesión iniciada.",
	KeptTitle:           "Dónde se guarda una llave de acceso",
	KeptManager:         "En un gestor de contraseñas: la llave de acceso está en todos los dispositivos en los que usas ese gestor.",
	KeptKey:             "En una llave de seguridad: llevas la llave de acceso contigo.",
	KeptDevice:          "En un solo teléfono u ordenador: la llave de acceso se queda allí.",
	KeptKeyOnly:         "Solo en dispositivos de fabricantes que informática ha elegido. Pregunta antes de comprar una llave de seguridad.",
	UseButton:           "En la página de inicio de sesión, elige «{button}». No hace falta escribir tu nombre de usuario.",
	UseUnlock:           "Tu huella, tu rostro y tu PIN se quedan en tu dispositivo. Aquí nadie puede verlos.",
	UseElsewhere:        "Si tu llave de acceso está en tu teléfono, puedes iniciar sesión en cualquier ordenador: elige el teléfono en la ventana de tu navegador y escanea el código. El Bluetooth debe estar activado.",
	OtherTitle:          "Otras formas de iniciar sesión aquí",
	OtherAdministrators: "Una contraseña, solo para la administración",
	OtherCode:           "Un código de recuperación, si has perdido todo lo demás",
	ManageTitle:         "Añadir, renombrar y eliminar llaves de acceso",
	ManageOpen:          "Inicia sesión, haz clic en tu nombre, arriba, y elige «{menu}».",
	ManageAdd:           "«{add}» y después «{register}» crea una llave de acceso nueva.",
	ManagePhone:         "«{phone}» muestra un código. El teléfono que lo escanea recibe su propia llave de acceso.",
	ManageRemove:        "El lápiz («{rename}») cambia el nombre de una llave de acceso. Después de «{remove}» ya no puedes iniciar sesión con ella. Elimínala también en tu gestor de contraseñas.",
	ManageMost:          Counted{One: "Puedes tener {n} llave de acceso.", Many: "Puedes tener hasta {n} llaves de acceso.", Other: "Puedes tener hasta {n} llaves de acceso."},
	LostTitle:           "Si pierdes un dispositivo",
	LostTwo:             "Ten dos llaves de acceso en lugares distintos. Si pierdes una, inicias sesión con la otra.",
	LostRemove:          "Inicia sesión y elimina la llave de acceso que estaba en el dispositivo perdido.",
	LostFound:           "Quien encuentre el dispositivo no puede usar la llave de acceso sin tu huella, tu rostro o tu PIN.",
	LostCodes:           "«{codes}», en la página de inicio, te da códigos para una emergencia. Con cada uno inicias sesión una vez. Un código se usa en la página de inicio de sesión, en «{lost}». Guárdalos en papel.",
	SafeTitle:           "Lo que nunca tienes que dar",
	SafeSecret:          "Nadie necesita tu PIN ni un código de recuperación para ayudarte, tampoco informática. Si alguien te los pide, corta la conversación y avisa a informática.",
	SafeAddress:         "Tu llave de acceso funciona solo en {address}. Una página de otro sitio puede parecer igual, pero no consigue tu llave de acceso.",
	Manual:              "El manual (en inglés)",
}
