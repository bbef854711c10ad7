package mail

import (
	"net/textproto"
	"regexp"
	"slices"
)

// command is a step of the conversation from MAIL on.
type command int

const (
	atMail command = iota
	atRcpt
	atData
	atBody
	atEnd // of the mail
)

// refusals say what a refusal is about, by the enhanced code (RFC 3463, and the registry of RFC
// 5248) without its class. A row holds for whole subjects too; the first one that fits decides.
//
// Servers refuse at RCPT whatever they want to refuse, Postfix unless smtpd_delay_reject is off: the
// machine, what it calls itself, the sender. IT can mend that, and then the mail shall go. It is
// over only where another try would say the same, because of the recipient.
var refusals = []struct {
	codes []string
	stage Stage
	final bool
}{
	{[]string{
		"1.1",  // no such mailbox
		"1.2",  // no such domain
		"1.3",  // no address
		"1.6",  // the mailbox has moved
		"1.10", // the domain takes no mails
		"2.1",  // the mailbox is disabled
	}, StageRecipient, true},
	{[]string{"1.7", "1.8", "7.27"}, StageSender, false},  // no address, no such domain, or one that takes no mails
	{[]string{"1", "2", "4", "6"}, StageRecipient, false}, // addresses, mailboxes, the way there, letters
	{[]string{"3", "5", "7"}, StageRelay, false},          // the server, commands, rules
}

var (
	enhancedCode = regexp.MustCompile(`^[245]\.((\d{1,3})\.\d{1,3})\b`)
	// aboutUs are words of servers without such codes that refuse something else than a mailbox.
	aboutUs = regexp.MustCompile(`(?i)relay|rcpthosts|helo|ehlo|client|host|sender|authenti|polic|prohibit|denied|block|spam`)
)

const noRelay = "the server takes no mails from this machine, or none of --mail-from to elsewhere: let it relay them"

// refusal says what it means that the server has answered a command with 4xx or 5xx.
func refusal(at command, answer *textproto.Error) *Trouble {
	stage, final := aboutWhat(answer)
	final = final && answer.Code >= 500
	switch {
	case answer.Code == 530 && at != atEnd: // RFC 4954, 6; RFC 3207, 4
		return &Trouble{Stage: StageSignIn, Detail: "the server wants a sign-in or encryption first: see --smtp-user and --smtp-security", cause: answer}
	case at == atMail, at == atRcpt && stage == StageSender:
		return &Trouble{Stage: StageSender, Detail: "the server refuses the address of --mail-from", cause: answer}
	case at == atRcpt && stage == StageRelay:
		return &Trouble{Stage: StageRelay, Detail: noRelay, cause: answer}
	case at == atRcpt, final && enhancedCode.MatchString(answer.Msg):
		return &Trouble{Stage: StageRecipient, Permanent: final, Detail: "the server refuses the recipient", cause: answer}
	}
	return &Trouble{Stage: StageContent, Detail: "the server refuses the mail", cause: answer}
}

// aboutWhat says what a refusal is about, and whether another try would say the same.
func aboutWhat(answer *textproto.Error) (about Stage, final bool) {
	found := enhancedCode.FindStringSubmatch(answer.Msg)
	if found != nil && found[1] != "0.0" {
		for _, row := range refusals {
			if slices.Contains(row.codes, found[1]) || slices.Contains(row.codes, found[2]) {
				return row.stage, row.final
			}
		}
	}
	switch answer.Code {
	case 550, 551, 553: // RFC 5321, 4.2.2: of a mailbox
		if aboutUs.MatchString(answer.Msg) {
			return StageRelay, false
		}
		return StageRecipient, true
	case 552, 450, 451, 452:
		return StageRecipient, false
	}
	return StageRelay, false
}
