package message

import "strings"

// CheckTitle returns the group and the title of a check of the doctor in a language. What has no translation is
// the name of a header or a file, and the same in each. The app doesn't carry these texts: the server sends them.
func CheckTitle(catalogue *Catalogue, group, title string) (string, string) {
	column := columnOf(catalogue)
	about := ""
	for _, of := range []string{"identity provider", "origins listed at", "gate"} {
		if id, is := strings.CutPrefix(title, of+" "); is {
			title, about = of, " "+id
		}
	}
	if titles, is := checkTitles[group+"/"+title]; is {
		title = titles[column]
	}
	if groups, is := checkGroups[group]; is {
		group = groups[column]
	}
	return group, title + about
}

// checkGroups are the groups of checks by their English names, in the order of [Languages].
var checkGroups = map[string][5]string{
	"Settings":                     {"Settings", "Einstellungen", "Paramètres", "Ajustes", "設定"},
	"Database":                     {"Database", "Datenbank", "Base de données", "Base de datos", "データベース"},
	"Address":                      {"Address", "Adresse", "Adresse", "Dirección", "アドレス"},
	"Round trip by the public URL": {"Round trip by the public URL", "Hin- und Rückweg über die öffentliche URL", "Aller-retour par l’URL publique", "Ida y vuelta por la URL pública", "公開URL経由の往復"},
	"Pages by the public URL":      {"Pages by the public URL", "Seiten über die öffentliche URL", "Pages par l’URL publique", "Páginas por la URL pública", "公開URL経由のページ"},
	"The app by the public URL":    {"The app by the public URL", "Die App über die öffentliche URL", "L’application par l’URL publique", "La aplicación por la URL pública", "公開URL経由のアプリ"},
	"Requests by the public URL":   {"Requests by the public URL", "Anfragen über die öffentliche URL", "Requêtes par l’URL publique", "Peticiones por la URL pública", "公開URL経由のリクエスト"},
	"Others":                       {"Others", "Andere", "Autres", "Otros", "その他"},
	"This browser":                 {"This browser", "Dieser Browser", "Ce navigateur", "Este navegador", "このブラウザー"},
}

// checkTitles are the titles of checks by their groups and names, in the order of [Languages].
var checkTitles = map[string][5]string{
	"Settings/values":                                   {"Values", "Werte", "Valeurs", "Valores", "値"},
	"Settings/notice":                                   {"Notice", "Hinweis", "Remarque", "Aviso", "お知らせ"},
	"Database/tenants":                                  {"Tenants", "Mandanten", "Organisations", "Organizaciones", "テナント"},
	"Database/opens":                                    {"Opens", "Öffnet sich", "Ouverture", "Se abre", "開けるか"},
	"Database/machine":                                  {"Machine", "Maschine", "Machine", "Máquina", "マシン"},
	"Database/passkeys":                                 {"Passkeys", "Passkeys", "Clés d’accès", "Llaves de acceso", "パスキー"},
	"Database/ways to sign in":                          {"Ways to sign in", "Anmeldewege", "Moyens de connexion", "Formas de iniciar sesión", "サインイン方法"},
	"Address/name":                                      {"Name", "Name", "Nom", "Nombre", "名前"},
	"Address/port":                                      {"Port", "Port", "Port", "Puerto", "ポート"},
	"Address/encryption":                                {"Encryption", "Verschlüsselung", "Chiffrement", "Cifrado", "暗号化"},
	"Address/certificate's authority":                   {"Certificate: authority", "Zertifikat: Aussteller", "Certificat : autorité", "Certificado: autoridad", "証明書の発行元"},
	"Address/certificate's names":                       {"Certificate: names", "Zertifikat: Namen", "Certificat : noms", "Certificado: nombres", "証明書の名前"},
	"Address/certificate's end":                         {"Certificate: end", "Zertifikat: Ablauf", "Certificat : expiration", "Certificado: caducidad", "証明書の期限"},
	"Address/plain http":                                {"Without https", "Ohne https", "Sans https", "Sin https", "httpsなしのアクセス"},
	"Round trip by the public URL/server":               {"Server", "Server", "Serveur", "Servidor", "サーバー"},
	"Round trip by the public URL/database is writable": {"Database is writable", "Datenbank ist beschreibbar", "Écriture dans la base", "Escritura en la base", "データベースへの書き込み"},
	"Round trip by the public URL/cookies":              {"Cookies", "Cookies", "Cookies", "Cookies", "Cookie"},
	"Round trip by the public URL/HTTP version":         {"HTTP version", "HTTP-Version", "Version de HTTP", "Versión de HTTP", "HTTPのバージョン"},
	"Pages by the public URL/sign-in page":              {"Sign-in page", "Anmeldeseite", "Page de connexion", "Página de inicio de sesión", "サインインページ"},
	"Pages by the public URL/its content":               {"Its content", "Ihr Inhalt", "Son contenu", "Su contenido", "その内容"},
	"Pages by the public URL/other headers":             {"Other headers", "Andere Header", "Autres en-têtes", "Otras cabeceras", "その他のヘッダー"},
	"Pages by the public URL/kept answers":              {"Kept answers", "Gespeicherte Antworten", "Réponses en cache", "Respuestas en caché", "キャッシュされた応答"},
	"Pages by the public URL/refusals":                  {"Refusals", "Ablehnungen", "Refus", "Rechazos", "拒否の応答"},
	"The app by the public URL/its type":                {"Its type", "Ihr Typ", "Son type", "Su tipo", "その種類"},
	"The app by the public URL/its encoding":            {"Its encoding", "Ihre Kodierung", "Son encodage", "Su codificación", "そのエンコード"},
	"The app by the public URL/scripts and style":       {"Scripts and style", "Skripte und Stile", "Scripts et styles", "Scripts y estilos", "スクリプトとスタイル"},
	"Requests by the public URL/methods":                {"Methods", "Methoden", "Méthodes", "Métodos", "メソッド"},
	"Requests by the public URL/size":                   {"Size", "Größe", "Taille", "Tamaño", "サイズ"},
	"Requests by the public URL/event stream":           {"Event stream", "Ereignisstrom", "Flux d’événements", "Flujo de eventos", "イベントストリーム"},
	"Others/clock":                                      {"Clock", "Uhr", "Horloge", "Reloj", "時計"},
	"Others/programs":                                   {"Programs", "Programme", "Programmes", "Programas", "プログラム"},
	"Others/identity provider":                          {"Identity provider", "Identitätsanbieter", "Fournisseur d’identité", "Proveedor de identidad", "IDプロバイダー"},
	"Address/origins listed at":                         {"Origins listed at", "Herkünfte gelistet bei", "Origines listées par", "Orígenes listados en", "オリジンの一覧："},
	"Others/gate":                                       {"Protected host", "Geschützter Host", "Hôte protégé", "Host protegido", "保護されたホスト"},
	"Others/mail server":                                {"Mail server", "Mailserver", "Serveur de messagerie", "Servidor de correo", "メールサーバー"},
	"Others/backup":                                     {"Backup", "Sicherung", "Sauvegarde", "Copia de seguridad", "バックアップ"},
	"Others/examination":                                {"Examination", "Untersuchung", "Examen", "Examen", "検査"},
	"This browser/secure page":                          {"Secure page", "Sichere Seite", "Page sécurisée", "Página segura", "安全なページ"},
	"This browser/abilities":                            {"What it can do", "Was er kann", "Ses capacités", "Lo que puede hacer", "できること"},
	"This browser/page":                                 {"This page", "Diese Seite", "Cette page", "Esta página", "このページ"},
	"This browser/other headers":                        {"Other headers", "Andere Header", "Autres en-têtes", "Otras cabeceras", "その他のヘッダー"},
	"This browser/cookies":                              {"Cookies", "Cookies", "Cookies", "Cookies", "Cookie"},
	"This browser/service worker":                       {"Service worker", "Service Worker", "Service worker", "Service worker", "サービスワーカー"},
	"This browser/event stream":                         {"Event stream", "Ereignisstrom", "Flux d’événements", "Flujo de eventos", "イベントストリーム"},
	"This browser/clock":                                {"Clock", "Uhr", "Horloge", "Reloj", "時計"},
	"This browser/throwaway passkey":                    {"Throwaway passkey", "Wegwerf-Passkey", "Clé d’accès jetable", "Llave de acceso desechable", "使い捨てパスキー"},
}
