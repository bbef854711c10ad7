package message

import "github.com/keypeg/keypeg/shared"

// ChecksIn returns the texts of the administrators' page of checks in the language of a catalogue. The app doesn't
// carry them: the server sends them with its answer.
func ChecksIn(catalogue *Catalogue) map[shared.CheckText]string {
	column := columnOf(catalogue)
	texts := make(map[shared.CheckText]string, len(checkTexts))
	for name, columns := range checkTexts {
		texts[name] = columns[column]
	}
	return texts
}

// columnOf returns the place of a catalogue in [Languages].
func columnOf(catalogue *Catalogue) int {
	for i, language := range Languages {
		if language.Lang == catalogue.Lang {
			return i
		}
	}
	return 0
}

// checkTexts are in the order of [Languages].
var checkTexts = map[shared.CheckText][5]string{
	shared.CheckTextLead: {
		"What keypeg doctor finds, and what this browser sees",
		"Was keypeg doctor findet, und was dieser Browser sieht",
		"Ce que trouve keypeg doctor, et ce que voit ce navigateur",
		"Lo que encuentra keypeg doctor y lo que ve este navegador",
		"keypeg doctorの結果と、このブラウザーから見た状態",
	},
	shared.CheckTextAgain: {
		"Check again",
		"Erneut prüfen",
		"Vérifier à nouveau",
		"Comprobar de nuevo",
		"もう一度検査",
	},
	shared.CheckTextRunning: {
		"Checking… {n} so far",
		"Wird geprüft … bisher {n}",
		"Vérification… {n} jusqu’ici",
		"Comprobando… {n} hasta ahora",
		"検査中… 現在{n}件",
	},
	shared.CheckTextFailed: {
		"failed",
		"fehlgeschlagen",
		"en échec",
		"con fallos",
		"件失敗",
	},
	shared.CheckTextWarning: {
		"to look at",
		"ansehen",
		"à examiner",
		"por revisar",
		"件要確認",
	},
	shared.CheckTextOK: {
		"fine",
		"in Ordnung",
		"en ordre",
		"bien",
		"件正常",
	},
	shared.CheckTextLeftOut: {
		"left out",
		"ausgelassen",
		"non fait",
		"sin hacer",
		"件省略",
	},
	shared.CheckTextStateFailed: {
		"Failed",
		"Fehler",
		"Échec",
		"Fallo",
		"失敗",
	},
	shared.CheckTextStateWarning: {
		"Warning",
		"Warnung",
		"Avertissement",
		"Advertencia",
		"警告",
	},
	shared.CheckTextStateOK: {
		"OK",
		"OK",
		"OK",
		"Correcto",
		"正常",
	},
	shared.CheckTextStateLeftOut: {
		"Left out",
		"Ausgelassen",
		"Omis",
		"Omitido",
		"省略",
	},
	shared.CheckTextToDo: {
		"To do",
		"Zu tun",
		"À faire",
		"Por hacer",
		"対応が必要",
	},
	shared.CheckTextNothing: {
		"Nothing is wrong.",
		"Es ist nichts falsch.",
		"Rien à signaler.",
		"No hay nada incorrecto.",
		"問題はありません。",
	},
	shared.CheckTextAll: {
		"All checks",
		"Alle Prüfungen",
		"Tous les contrôles",
		"Todas las comprobaciones",
		"すべての検査",
	},
	shared.CheckTextMend: {
		"Do this:",
		"Das hilft:",
		"À faire :",
		"Haga esto:",
		"対処方法：",
	},
	shared.CheckTextWrite: {
		"For {program}:",
		"Für {program}:",
		"Pour {program} :",
		"Para {program}:",
		"{program}の設定：",
	},
	shared.CheckTextCopy: {
		"Copy",
		"Kopieren",
		"Copier",
		"Copiar",
		"コピー",
	},
	shared.CheckTextThrowaway: {
		"Try a throwaway passkey",
		"Wegwerf-Passkey ausprobieren",
		"Essayer une clé d’accès jetable",
		"Probar una llave desechable",
		"使い捨てパスキーを試す",
	},
	shared.CheckTextThrowawayLead: {
		"Makes a passkey “Keypeg check” for nobody, uses it once, and asks your password manager to delete it. Nobody can sign in with it. Delete it by hand if it stays. Don’t save it on a security key: some can’t delete it.",
		"Legt einen Passkey „Keypeg check“ für niemanden an, benutzt ihn einmal und bittet Ihren Passwortmanager, ihn zu löschen. Damit kann sich niemand anmelden. Löschen Sie ihn von Hand, falls er bleibt. Speichern Sie ihn nicht auf einem Sicherheitsschlüssel: Manche können ihn nicht löschen.",
		"Crée une clé d’accès « Keypeg check » pour personne, l’utilise une fois et demande à votre gestionnaire de mots de passe de la supprimer. Personne ne peut se connecter avec elle. Supprimez-la à la main si elle reste. Ne l’enregistrez pas sur une clé de sécurité : certaines ne peuvent pas la supprimer.",
		"Crea una llave de acceso «Keypeg check» para nadie, la usa una vez y pide a su gestor de contraseñas que la elimine. Nadie puede iniciar sesión con ella. Elimínela a mano si permanece. No la guarde en una llave de seguridad: algunas no pueden eliminarla.",
		"誰のものでもないパスキー「Keypeg check」を作り、一度使ってから、パスワードマネージャーに削除を依頼します。これでサインインすることはできません。残った場合は手動で削除してください。セキュリティキーには保存しないでください。削除できないものがあります。",
	},
	shared.CheckTextWorking: {
		"Follow your browser…",
		"Folgen Sie Ihrem Browser …",
		"Suivez votre navigateur…",
		"Siga las indicaciones del navegador…",
		"ブラウザーの指示に従ってください…",
	},
	shared.CheckTextSupport: {
		"Support text",
		"Text für den Support",
		"Texte pour l’assistance",
		"Texto para soporte",
		"サポート用テキスト",
	},
	shared.CheckTextSupportLead: {
		"Without secrets and names of users. Read it before you send it: it names addresses of your network.",
		"Ohne Geheimnisse und Namen von Benutzern. Lesen Sie ihn vor dem Senden: Er nennt Adressen Ihres Netzes.",
		"Sans secrets ni noms d’utilisateurs. Relisez-le avant l’envoi : il contient des adresses de votre réseau.",
		"Sin secretos ni nombres de usuarios. Léalo antes de enviarlo: contiene direcciones de su red.",
		"秘密情報やユーザー名は含まれません。ネットワークのアドレスが含まれるため、送る前に確認してください。",
	},
	shared.CheckTextUnseen: {
		"The browser’s own checks couldn’t be made.",
		"Die Prüfungen im Browser waren nicht möglich.",
		"Les contrôles du navigateur n’ont pas pu être faits.",
		"No se pudieron hacer las comprobaciones del navegador.",
		"ブラウザー側の検査を実行できませんでした。",
	},
}
