-- The relying party id that a passkey was made for: it works with no other.

ALTER TABLE passkeys ADD COLUMN rp_id text NOT NULL DEFAULT '';
