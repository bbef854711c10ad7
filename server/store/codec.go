package store

import (
	"errors"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/keypeg/keypeg/shared"
)

// An encoded record is a version byte and then the fields in protobuf's wire format. A field's
// number never changes its meaning. A field with its zero value is left out, and an unknown
// field is skipped. So older files still open. A change that this cannot express gets a new
// version.
const codecVersion = 1

// errDamaged means that bytes are not a valid record.
var errDamaged = errors.New("store: damaged record")

// Encode returns the bytes under which backends keep a user.
func (u User) Encode() []byte {
	e := newEncoder(smallRecord + len(u.Passkeys)*passkeyRecord)
	e.text(1, u.ID)
	e.number(2, u.Revision)
	e.text(3, u.Name)
	e.text(4, u.DisplayName)
	e.bytes(5, u.Handle)
	e.flag(7, u.Disabled)
	e.time(8, u.Created)
	e.text(9, u.Password)
	for _, p := range u.Passkeys {
		e.always(10, p.encode())
	}
	for _, i := range u.Identities {
		e.always(11, i.encode())
	}
	for _, code := range u.RecoveryCodes {
		e.always(12, code[:])
	}
	e.time(13, u.RecoveryCodesMade)
	e.text(14, u.Email)
	e.flag(15, u.EmailVerified)
	e.text(16, u.Language)
	e.texts(17, u.Groups)
	e.text(18, string(u.Role))
	e.texts(19, u.Helps)
	e.text(20, u.ExternalID)
	e.time(21, u.LastSignIn)
	e.time(22, u.PasswordSet)
	e.time(23, u.Invited)
	e.text(24, u.InvitedBy)
	e.time(25, u.FirstPasskey)
	e.time(26, u.HeldUntil)
	e.flag(27, u.EmailReserved)
	e.time(28, u.Changed)
	return e.b
}

// DecodeUser reverses [User.Encode]. It fails with [errDamaged].
func DecodeUser(b []byte) (u User, err error) {
	err = decode(recordOf(b), func(tag protowire.Number, f field) error {
		switch tag {
		case 1:
			u.ID = f.text
		case 2:
			u.Revision = f.number
		case 3:
			u.Name = f.text
		case 4:
			u.DisplayName = f.text
		case 5:
			u.Handle = f.bytes()
		case 7:
			u.Disabled = f.flag()
		case 8:
			u.Created = f.time()
		case 9:
			u.Password = f.text
		case 10:
			p, err := decodePasskey(f.record)
			u.Passkeys = append(u.Passkeys, p)
			return err
		case 11:
			i, err := decodeIdentity(f.record)
			u.Identities = append(u.Identities, i)
			return err
		case 12:
			u.RecoveryCodes = append(u.RecoveryCodes, Hash{})
			return f.fill(u.RecoveryCodes[len(u.RecoveryCodes)-1][:])
		case 13:
			u.RecoveryCodesMade = f.time()
		case 14:
			u.Email = f.text
		case 15:
			u.EmailVerified = f.flag()
		case 16:
			u.Language = f.text
		case 17:
			u.Groups = append(u.Groups, f.text)
		case 18:
			u.Role = shared.Role(f.text)
		case 19:
			u.Helps = append(u.Helps, f.text)
		case 20:
			u.ExternalID = f.text
		case 21:
			u.LastSignIn = f.time()
		case 22:
			u.PasswordSet = f.time()
		case 23:
			u.Invited = f.time()
		case 24:
			u.InvitedBy = f.text
		case 25:
			u.FirstPasskey = f.time()
		case 26:
			u.HeldUntil = f.time()
		case 27:
			u.EmailReserved = f.flag()
		case 28:
			u.Changed = f.time()
		}
		return nil
	})
	return u, err
}

func (p Passkey) encode() []byte {
	e := newEncoder(passkeyRecord)
	e.text(1, p.ID)
	e.bytes(2, p.CredentialID)
	e.bytes(3, p.PublicKey)
	e.text(4, p.Name)
	e.bytes(5, p.AAGUID[:])
	e.text(6, p.Format)
	e.text(7, p.Attachment)
	e.texts(8, p.Transports)
	e.number(9, uint64(p.Flags))
	e.number(10, uint64(p.SignCount))
	e.flag(11, p.Verified)
	e.time(12, p.Created)
	e.time(13, p.LastUsed)
	e.text(14, p.RPID)
	e.flag(15, p.Attested)
	return e.b
}

func decodePasskey(r record) (p Passkey, err error) {
	err = decode(r, func(tag protowire.Number, f field) error {
		switch tag {
		case 1:
			p.ID = f.text
		case 2:
			p.CredentialID = f.bytes()
		case 3:
			p.PublicKey = f.bytes()
		case 4:
			p.Name = f.text
		case 5:
			return f.fill(p.AAGUID[:])
		case 6:
			p.Format = f.text
		case 7:
			p.Attachment = f.text
		case 8:
			p.Transports = append(p.Transports, f.text)
		case 9:
			p.Flags = byte(f.number)
		case 10:
			p.SignCount = uint32(f.number)
		case 11:
			p.Verified = f.flag()
		case 12:
			p.Created = f.time()
		case 13:
			p.LastUsed = f.time()
		case 14:
			p.RPID = f.text
		case 15:
			p.Attested = f.flag()
		}
		return nil
	})
	return p, err
}

func (i Identity) encode() []byte {
	e := newEncoder(smallRecord)
	e.text(1, i.ID)
	e.text(2, i.Issuer)
	e.text(3, i.Subject)
	e.text(4, i.Name)
	e.time(5, i.Created)
	e.time(6, i.LastUsed)
	return e.b
}

func decodeIdentity(r record) (i Identity, err error) {
	err = decode(r, func(tag protowire.Number, f field) error {
		switch tag {
		case 1:
			i.ID = f.text
		case 2:
			i.Issuer = f.text
		case 3:
			i.Subject = f.text
		case 4:
			i.Name = f.text
		case 5:
			i.Created = f.time()
		case 6:
			i.LastUsed = f.time()
		}
		return nil
	})
	return i, err
}

// Encode returns the bytes under which backends keep a session.
func (s Session) Encode() []byte {
	e := newEncoder(smallRecord)
	e.bytes(1, s.ID[:])
	e.text(2, s.UserID)
	e.text(3, string(s.Method))
	e.text(4, s.PasskeyID)
	e.client(5, s.Client)
	e.time(8, s.Created)
	e.time(9, s.Seen)
	e.time(10, s.Authenticated)
	e.time(11, s.Expires)
	e.text(12, s.Provider)
	e.text(13, s.Client.Mark)
	e.text(14, string(s.Proof.Method))
	e.text(15, s.Proof.PasskeyID)
	e.flag(16, s.Proof.UserVerified)
	if s.First != (Hash{}) {
		e.bytes(17, s.First[:])
	}
	return e.b
}

// DecodeSession reverses [Session.Encode]. It fails with [errDamaged].
func DecodeSession(b []byte) (s Session, err error) {
	err = decode(recordOf(b), func(tag protowire.Number, f field) error {
		switch tag {
		case 1:
			return f.fill(s.ID[:])
		case 2:
			s.UserID = f.text
		case 3:
			s.Method = Method(f.text)
		case 4:
			s.PasskeyID = f.text
		case 5, 6, 7:
			f.client(tag-5, &s.Client)
		case 8:
			s.Created = f.time()
		case 9:
			s.Seen = f.time()
		case 10:
			s.Authenticated = f.time()
		case 11:
			s.Expires = f.time()
		case 12:
			s.Provider = f.text
		case 13:
			s.Client.Mark = f.text
		case 14:
			s.Proof.Method = Method(f.text)
		case 15:
			s.Proof.PasskeyID = f.text
		case 16:
			s.Proof.UserVerified = f.flag()
		case 17:
			return f.fill(s.First[:])
		}
		return nil
	})
	return s, err
}

// Encode returns the bytes under which backends keep an item.
func (i Item) Encode() []byte {
	e := newEncoder(smallRecord)
	e.text(1, i.Owner)
	e.text(2, i.Collection)
	e.text(3, i.Key)
	e.bytes(4, i.Value)
	e.number(5, i.Version)
	e.time(6, i.Expires)
	return e.b
}

// DecodeItem reverses [Item.Encode]. It fails with [errDamaged].
func DecodeItem(b []byte) (i Item, err error) {
	err = decode(recordOf(b), func(tag protowire.Number, f field) error {
		switch tag {
		case 1:
			i.Owner = f.text
		case 2:
			i.Collection = f.text
		case 3:
			i.Key = f.text
		case 4:
			i.Value = f.bytes()
		case 5:
			i.Version = f.number
		case 6:
			i.Expires = f.time()
		}
		return nil
	})
	return i, err
}

type encoder struct{ b []byte }

// The capacity that suffices for most records, in bytes.
const (
	smallRecord   = 256
	passkeyRecord = 352
)

func newEncoder(room int) *encoder { return &encoder{append(make([]byte, 0, room), codecVersion)} }

func (e *encoder) always(tag protowire.Number, v []byte) {
	e.b = protowire.AppendTag(e.b, tag, protowire.BytesType)
	e.b = protowire.AppendBytes(e.b, v)
}

func (e *encoder) bytes(tag protowire.Number, v []byte) {
	if len(v) > 0 {
		e.always(tag, v)
	}
}

func (e *encoder) text(tag protowire.Number, v string) {
	if v != "" {
		e.b = protowire.AppendTag(e.b, tag, protowire.BytesType)
		e.b = protowire.AppendString(e.b, v)
	}
}

func (e *encoder) texts(tag protowire.Number, list []string) {
	for _, v := range list {
		e.always(tag, []byte(v))
	}
}

func (e *encoder) number(tag protowire.Number, v uint64) {
	if v != 0 {
		e.b = protowire.AppendTag(e.b, tag, protowire.VarintType)
		e.b = protowire.AppendVarint(e.b, v)
	}
}

func (e *encoder) flag(tag protowire.Number, v bool) { e.number(tag, protowire.EncodeBool(v)) }

// time writes nanoseconds since 1970, rounded to microseconds. It leaves the zero time out.
func (e *encoder) time(tag protowire.Number, v time.Time) {
	if !v.IsZero() {
		e.b = protowire.AppendTag(e.b, tag, protowire.VarintType)
		e.b = protowire.AppendVarint(e.b, protowire.EncodeZigZag(v.Truncate(time.Microsecond).UnixNano()))
	}
}

// client writes three fields, numbered from tag on. The mark was added later and has its own number.
func (e *encoder) client(tag protowire.Number, c Client) {
	e.text(tag, c.Browser)
	e.text(tag+1, c.System)
	e.text(tag+2, c.Address)
}

// record is an encoded record, and a copy of it as a string, of which all texts are parts.
type record struct {
	lies []byte
	text string
}

func recordOf(b []byte) record { return record{b, string(b)} }

// field is a decoded value. Its wire type decides whether it is a number or a record.
type field struct {
	number uint64
	record
}

// bytes returns nil for no bytes, because the encoder leaves these out.
func (f field) bytes() []byte { return append([]byte(nil), f.text...) }
func (f field) flag() bool    { return protowire.DecodeBool(f.number) }
func (f field) time() time.Time {
	return time.Unix(0, protowire.DecodeZigZag(f.number)).UTC().Truncate(time.Microsecond)
}

func (f field) fill(into []byte) error {
	if len(f.text) != len(into) {
		return fmt.Errorf("%w: %d bytes in a field of %d", errDamaged, len(f.text), len(into))
	}
	copy(into, f.text)
	return nil
}

func (f field) client(part protowire.Number, into *Client) {
	*[]*string{&into.Browser, &into.System, &into.Address}[part] = f.text
}

// decode calls take with every field of a record.
func decode(r record, take func(protowire.Number, field) error) error {
	if len(r.lies) == 0 || r.lies[0] != codecVersion {
		return fmt.Errorf("%w: not of version %d", errDamaged, codecVersion)
	}
	for b := r.lies[1:]; len(b) > 0; {
		tag, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("%w: %w", errDamaged, protowire.ParseError(n))
		}
		b = b[n:]

		var f field
		switch kind {
		case protowire.VarintType:
			f.number, n = protowire.ConsumeVarint(b)
		case protowire.BytesType:
			f.lies, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(tag, kind, b)
		}
		if n < 0 {
			return fmt.Errorf("%w: %w", errDamaged, protowire.ParseError(n))
		}
		b = b[n:]
		end := len(r.lies) - len(b)
		f.text = r.text[end-len(f.lies) : end]
		if err := take(tag, f); err != nil {
			return err
		}
	}
	return nil
}
