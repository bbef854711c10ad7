package message

// ProgramSessions are texts about signing in and out because a program wants it. The app doesn't carry them.
type ProgramSessions struct {
	SignIn string // {program}

	// The page that asks whether to sign out.
	Title string
	Lead  string // {program}
	Leads string // without a program's name
	Leave string
	Stay  string
}

// ProgramSessionsIn returns the texts in the language of a catalogue.
func ProgramSessionsIn(catalogue *Catalogue) ProgramSessions {
	switch catalogue.Lang {
	case German.Lang:
		return ProgramSessions{
			SignIn: "Melden Sie sich an, um zu {program} zu gelangen.",
			Title:  "Möchten Sie sich abmelden?", Lead: "{program} möchte, dass Sie auch hier abgemeldet werden, und damit in den anderen Programmen.",
			Leads: "Ein Programm möchte, dass Sie hier abgemeldet werden, und damit in den anderen Programmen.", Leave: "Abmelden", Stay: "Angemeldet bleiben",
		}
	case French.Lang:
		return ProgramSessions{
			SignIn: "Connectez-vous pour continuer vers {program}.",
			Title:  "Voulez-vous vous déconnecter ?", Lead: "{program} souhaite que vous soyez aussi déconnecté ici, et donc des autres programmes.",
			Leads: "Un programme souhaite que vous soyez déconnecté ici, et donc des autres programmes.", Leave: "Se déconnecter", Stay: "Rester connecté",
		}
	case Spanish.Lang:
		return ProgramSessions{
			SignIn: "Inicie sesión para continuar a {program}.",
			Title:  "¿Quiere cerrar la sesión?", Lead: "{program} pide que su sesión se cierre también aquí, y con ella la de los demás programas.",
			Leads: "Un programa pide que su sesión se cierre aquí, y con ella la de los demás programas.", Leave: "Cerrar sesión", Stay: "Seguir con la sesión iniciada",
		}
	case Japanese.Lang:
		return ProgramSessions{
			SignIn: "{program} に進むにはサインインしてください。",
			Title:  "サインアウトしますか？", Lead: "{program} が、こちらと他のプログラムからのサインアウトも求めています。",
			Leads: "あるプログラムが、こちらと他のプログラムからのサインアウトを求めています。", Leave: "サインアウト", Stay: "サインインしたままにする",
		}
	}
	return ProgramSessions{
		SignIn: "Sign in to go on to {program}.",
		Title:  "Do you want to sign out?", Lead: "{program} asks that you are signed out here too, and so in your other programs.",
		Leads: "A program asks that you are signed out here, and so in your other programs.", Leave: "Sign out", Stay: "Stay signed in",
	}
}
