-- How OpenID providers know users, and what is left of users' recovery codes.

CREATE TABLE identities (
    organisation text COLLATE "C" NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    id           text COLLATE "C" NOT NULL,
    position     integer          NOT NULL, -- among the user's, oldest first
    issuer       text COLLATE "C" NOT NULL,
    subject      text COLLATE "C" NOT NULL,
    name         text             NOT NULL, -- what the provider called the user last
    created      timestamptz,
    last_used    timestamptz,
    CONSTRAINT identities_pkey PRIMARY KEY (organisation, user_id, id),
    CONSTRAINT identities_subject UNIQUE (organisation, issuer, subject)
);

ALTER TABLE users
    ADD COLUMN recovery_codes      bytea[] NOT NULL DEFAULT '{}', -- HMAC-SHA-256 of each
    ADD COLUMN recovery_codes_made timestamptz;

ALTER TABLE sessions ADD COLUMN provider text NOT NULL DEFAULT ''; -- as the configuration calls it
ALTER TABLE events ADD COLUMN provider text NOT NULL DEFAULT ''; -- as people knew it at the time
