-- The records of package store. The organisation leads every key: one database
-- can hold several, and nothing of one is found by another.
--
-- Text is compared by its bytes. A moment that never was is NULL.

CREATE TABLE users (
    organisation text COLLATE "C" NOT NULL,
    id           text COLLATE "C" NOT NULL,
    revision     bigint           NOT NULL,
    name         text COLLATE "C" NOT NULL,
    display_name text             NOT NULL,
    handle       bytea            NOT NULL,
    admin        boolean          NOT NULL,
    disabled     boolean          NOT NULL,
    created      timestamptz,
    password     text             NOT NULL, -- PHC string, empty for none
    CONSTRAINT users_pkey PRIMARY KEY (organisation, id),
    CONSTRAINT users_name UNIQUE (organisation, name)
);
CREATE INDEX users_admins ON users (organisation) WHERE admin;

CREATE TABLE passkeys (
    organisation  text COLLATE "C" NOT NULL,
    user_id       text COLLATE "C" NOT NULL,
    id            text COLLATE "C" NOT NULL,
    position      integer          NOT NULL, -- among the user's, oldest first
    credential_id bytea            NOT NULL,
    public_key    bytea            NOT NULL, -- COSE_Key
    name          text             NOT NULL,
    aaguid        uuid             NOT NULL,
    format        text             NOT NULL,
    attachment    text             NOT NULL,
    transports    text[]           NOT NULL,
    flags         smallint         NOT NULL,
    sign_count    bigint           NOT NULL,
    verified      boolean          NOT NULL,
    created       timestamptz,
    last_used     timestamptz,
    CONSTRAINT passkeys_pkey PRIMARY KEY (organisation, user_id, id),
    CONSTRAINT passkeys_credential UNIQUE (organisation, credential_id)
);

CREATE TABLE sessions (
    organisation  text COLLATE "C" NOT NULL,
    id            bytea            NOT NULL, -- SHA-256 of the cookie's token
    user_id       text COLLATE "C" NOT NULL,
    method        text             NOT NULL,
    passkey_id    text             NOT NULL,
    browser       text             NOT NULL,
    system        text             NOT NULL,
    address       text             NOT NULL,
    created       timestamptz,
    seen          timestamptz,
    authenticated timestamptz,
    expires       timestamptz      NOT NULL,
    CONSTRAINT sessions_pkey PRIMARY KEY (organisation, id)
);
CREATE INDEX sessions_user ON sessions (organisation, user_id, id);
CREATE INDEX sessions_expires ON sessions (organisation, expires);

CREATE TABLE events (
    organisation text COLLATE "C" NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    id           bytea            NOT NULL, -- sorts by time
    kind         text             NOT NULL,
    time         timestamptz      NOT NULL,
    method       text             NOT NULL,
    passkey_id   text             NOT NULL,
    passkey      text             NOT NULL, -- its name at the time
    browser      text             NOT NULL,
    system       text             NOT NULL,
    address      text             NOT NULL,
    expires      timestamptz      NOT NULL,
    CONSTRAINT events_pkey PRIMARY KEY (organisation, user_id, id)
);
CREATE INDEX events_time ON events (organisation, time);
CREATE INDEX events_expires ON events (organisation, expires);

CREATE TABLE links (
    organisation text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    hash         bytea            NOT NULL, -- SHA-256 of the token
    expires      timestamptz      NOT NULL,
    CONSTRAINT links_pkey PRIMARY KEY (organisation, key)
);
CREATE INDEX links_expires ON links (organisation, expires);

CREATE TABLE secrets (
    organisation text COLLATE "C" NOT NULL,
    name         text COLLATE "C" NOT NULL,
    value        bytea            NOT NULL,
    CONSTRAINT secrets_pkey PRIMARY KEY (organisation, name)
);

CREATE TABLE spent_tickets (
    organisation text COLLATE "C" NOT NULL,
    id           bytea            NOT NULL,
    expires      timestamptz      NOT NULL,
    CONSTRAINT spent_tickets_pkey PRIMARY KEY (organisation, id)
);
CREATE INDEX spent_tickets_expires ON spent_tickets (organisation, expires);
