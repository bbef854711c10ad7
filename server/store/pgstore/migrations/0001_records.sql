-- The records of package store. Each key begins with the organisation: one database can hold
-- several organisations, and none finds a record of another.
--
-- Text is compared by its bytes. A time that never was is NULL.

CREATE TABLE users (
    organisation        text COLLATE "C" NOT NULL,
    id                  text COLLATE "C" NOT NULL, -- 16 bytes, as hexadecimal digits
    revision            bigint           NOT NULL,
    name                text COLLATE "C" NOT NULL,
    display_name        text             NOT NULL,
    handle              bytea            NOT NULL,
    disabled            boolean          NOT NULL,
    created             timestamptz,
    last_sign_in        timestamptz,
    password            text             NOT NULL, -- PHC string, empty for none
    recovery_codes      bytea[]          NOT NULL, -- HMAC-SHA-256 of each
    recovery_codes_made timestamptz,
    email               text             NOT NULL, -- empty for none
    email_key           text COLLATE "C",          -- in lower case; NULL unless verified or reserved
    email_verified      boolean          NOT NULL,
    email_reserved      boolean          NOT NULL,
    language            text             NOT NULL, -- BCP 47 tag, empty for the organisation's
    groups              text[]           NOT NULL,
    role                text             NOT NULL, -- administrator, helper, auditor, or empty
    helps               text[]           NOT NULL, -- the groups whose users a helper may help
    external_id         text             NOT NULL, -- at a system that provisions users
    password_set        timestamptz,
    invited             timestamptz,
    invited_by          text COLLATE "C" NOT NULL, -- the id of the user who invited, or empty
    first_passkey       timestamptz,
    held_until          timestamptz,               -- no sign-in method may be added until then
    changed             timestamptz,               -- when what programs are told of the user changed last
    counted             text[]           NOT NULL, -- the user's categories in table counts
    entries             text[]           NOT NULL, -- the user's entries in table listed
    CONSTRAINT users_pkey PRIMARY KEY (organisation, id),
    CONSTRAINT users_name UNIQUE (organisation, name),
    CONSTRAINT users_email UNIQUE (organisation, email_key)
);

-- The lists of users: of each category, by name; and of each word in a name or an e-mail address, with
-- the user's other words behind it. A trigger writes it if the entries of a user change. A sign-in
-- changes none.
CREATE TABLE listed (
    organisation text COLLATE "C" NOT NULL,
    entry        text COLLATE "C" NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    CONSTRAINT listed_pkey PRIMARY KEY (organisation, entry, user_id)
);
CREATE INDEX listed_user ON listed (organisation, user_id);

CREATE FUNCTION list_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM listed WHERE organisation = NEW.organisation AND user_id = NEW.id;
    INSERT INTO listed (organisation, entry, user_id) SELECT NEW.organisation, unnest(NEW.entries), NEW.id;
    RETURN NULL;
END $$;

CREATE FUNCTION unlist_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM listed USING removed WHERE listed.organisation = removed.organisation AND listed.user_id = removed.id;
    RETURN NULL;
END $$;

CREATE TRIGGER users_listed AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION list_user();
CREATE TRIGGER users_listed_anew AFTER UPDATE ON users FOR EACH ROW WHEN (NEW.entries <> OLD.entries) EXECUTE FUNCTION list_user();
CREATE TRIGGER users_unlisted AFTER DELETE ON users REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION unlist_users();

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
    rp_id         text             NOT NULL, -- the relying party id that the passkey was made for
    attested      boolean          NOT NULL, -- its attestation led to a root that IT trusts
    created       timestamptz,
    last_used     timestamptz,
    CONSTRAINT passkeys_pkey PRIMARY KEY (organisation, user_id, id),
    CONSTRAINT passkeys_credential UNIQUE (organisation, credential_id)
);

-- How OpenID providers name the users.
CREATE TABLE identities (
    organisation text COLLATE "C" NOT NULL,
    user_id      text COLLATE "C" NOT NULL,
    id           text COLLATE "C" NOT NULL,
    position     integer          NOT NULL, -- among the user's, oldest first
    issuer       text COLLATE "C" NOT NULL,
    subject      text COLLATE "C" NOT NULL,
    name         text             NOT NULL, -- the provider's latest name for the user
    created      timestamptz,
    last_used    timestamptz,
    CONSTRAINT identities_pkey PRIMARY KEY (organisation, user_id, id),
    CONSTRAINT identities_subject UNIQUE (organisation, issuer, subject)
);

CREATE TABLE sessions (
    organisation  text COLLATE "C" NOT NULL,
    id            bytea            NOT NULL, -- the user's id, and a hash of the cookie's token
    user_id       text COLLATE "C" NOT NULL,
    method        text             NOT NULL,
    passkey_id    text             NOT NULL,
    provider      text             NOT NULL, -- by its name in the configuration
    browser       text             NOT NULL,
    system        text             NOT NULL,
    address       text             NOT NULL,
    mark          text             NOT NULL, -- of the browser: a hash of a cookie that it keeps
    created       timestamptz,
    seen          timestamptz,
    authenticated timestamptz,
    expires       timestamptz      NOT NULL,
    proof_method     text          NOT NULL, -- of the last proof of identity
    proof_passkey_id text          NOT NULL,
    proof_verified   boolean       NOT NULL,
    first_id         bytea,                  -- the id before the first confirmation, or null
    CONSTRAINT sessions_pkey PRIMARY KEY (organisation, id)
);
CREATE INDEX sessions_expires ON sessions (organisation, expires);

CREATE TABLE events (
    organisation   text COLLATE "C" NOT NULL,
    user_id        text COLLATE "C" NOT NULL,
    id             bytea            NOT NULL, -- sorts by time
    kind           text COLLATE "C" NOT NULL,
    time           timestamptz      NOT NULL,
    method         text             NOT NULL,
    passkey_id     text             NOT NULL,
    passkey        text             NOT NULL, -- its name at the time
    provider       text             NOT NULL, -- its displayed name at the time
    by_user        text COLLATE "C" NOT NULL, -- the id of the administrator who did it, or empty
    about          text COLLATE "C" NOT NULL, -- the id of another user whom it is about, or empty
    reason         text             NOT NULL, -- why a ceremony failed, or empty
    change         text             NOT NULL, -- what was changed, or empty
    program        text             NOT NULL, -- its name at the time, or empty
    browser        text             NOT NULL,
    system         text             NOT NULL,
    address        text             NOT NULL,
    mark           text             NOT NULL, -- of the browser, as in sessions
    count          bigint           NOT NULL, -- how many events this one stands for; 0 for one
    last           timestamptz,               -- when the last of them was
    expires        timestamptz      NOT NULL,
    counted        text[]           NOT NULL, -- the event's category in table counts, or empty
    CONSTRAINT events_pkey PRIMARY KEY (organisation, user_id, id)
);
-- The order of all events, newest first, and the same for each kind.
CREATE INDEX events_order ON events (organisation, id, user_id);
CREATE INDEX events_kind ON events (organisation, kind, id, user_id);
CREATE INDEX events_expires ON events (organisation, expires);
-- Nodes read the events of other nodes, also those that stand for several.
CREATE INDEX events_last ON events (organisation, last) WHERE last IS NOT NULL;

-- Records of every other kind. A collection is a kind; only its part of the program knows what
-- its values mean. The value is json, not jsonb, so that its text stays as it was written.
CREATE TABLE items (
    organisation text COLLATE "C" NOT NULL,
    owner        text COLLATE "C" NOT NULL, -- a user's id, or empty
    collection   text COLLATE "C" NOT NULL,
    key          text COLLATE "C" NOT NULL,
    value        json             NOT NULL,
    version      bigint           NOT NULL, -- a random number, another one after each write
    expires      timestamptz,               -- NULL for never
    CONSTRAINT items_pkey PRIMARY KEY (organisation, owner, collection, key)
);
CREATE INDEX items_expires ON items (organisation, expires) WHERE expires IS NOT NULL;

-- How many records there are of a category: the sum over its slots. A transaction writes to the
-- slot of its connection, so that sign-ins at the same time seldom wait for each other.
--
-- Triggers keep it right, in the transaction that writes users or events: by the difference
-- between the categories of a row before and after. Most writes change none. Rows are locked in
-- the order of their categories, so that two transactions don't wait for each other.
CREATE TABLE counts (
    organisation text COLLATE "C" NOT NULL,
    category     text COLLATE "C" NOT NULL,
    slot         smallint         NOT NULL,
    n            bigint           NOT NULL,
    CONSTRAINT counts_pkey PRIMARY KEY (organisation, category, slot)
) WITH (fillfactor = 50); -- room for new versions of a row beside the old ones

CREATE FUNCTION count_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counts AS c (organisation, category, slot, n)
        SELECT NEW.organisation, category, pg_backend_pid() % 32, sum(n)
        FROM (SELECT unnest(NEW.counted), 1 UNION ALL SELECT unnest(OLD.counted), -1) AS differences (category, n)
        GROUP BY category HAVING sum(n) <> 0 ORDER BY category
        ON CONFLICT (organisation, category, slot) DO UPDATE SET n = c.n + excluded.n;
    RETURN NULL;
END $$;

-- A new event, which every sign-in has, counts in one category, as often as it stands for.
CREATE FUNCTION count_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counts AS c (organisation, category, slot, n)
        VALUES (NEW.organisation, NEW.counted[1], pg_backend_pid() % 32, greatest(NEW.count, 1))
        ON CONFLICT (organisation, category, slot) DO UPDATE SET n = c.n + excluded.n;
    RETURN NULL;
END $$;

CREATE FUNCTION count_changed_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counts AS c (organisation, category, slot, n)
        SELECT NEW.organisation, category, pg_backend_pid() % 32, sum(n)
        FROM (SELECT unnest(NEW.counted), greatest(NEW.count, 1)
            UNION ALL SELECT unnest(OLD.counted), -greatest(OLD.count, 1)) AS differences (category, n)
        GROUP BY category HAVING sum(n) <> 0 ORDER BY category
        ON CONFLICT (organisation, category, slot) DO UPDATE SET n = c.n + excluded.n;
    RETURN NULL;
END $$;

CREATE FUNCTION count_removed_users() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counts AS c (organisation, category, slot, n)
        SELECT organisation, category, pg_backend_pid() % 32, -count(*)
        FROM removed, unnest(counted) AS category
        GROUP BY organisation, category ORDER BY organisation, category
        ON CONFLICT (organisation, category, slot) DO UPDATE SET n = c.n + excluded.n;
    RETURN NULL;
END $$;

CREATE FUNCTION count_removed_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO counts AS c (organisation, category, slot, n)
        SELECT organisation, category, pg_backend_pid() % 32, -sum(greatest(removed.count, 1))
        FROM removed, unnest(counted) AS category
        GROUP BY organisation, category ORDER BY organisation, category
        ON CONFLICT (organisation, category, slot) DO UPDATE SET n = c.n + excluded.n;
    RETURN NULL;
END $$;

CREATE TRIGGER users_added AFTER INSERT ON users FOR EACH ROW EXECUTE FUNCTION count_user();
CREATE TRIGGER users_changed AFTER UPDATE ON users FOR EACH ROW WHEN (NEW.counted <> OLD.counted) EXECUTE FUNCTION count_user();
CREATE TRIGGER users_removed AFTER DELETE ON users REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_removed_users();
CREATE TRIGGER events_added AFTER INSERT ON events FOR EACH ROW WHEN (NEW.counted <> '{}') EXECUTE FUNCTION count_event();
CREATE TRIGGER events_changed AFTER UPDATE ON events FOR EACH ROW
    WHEN (NEW.counted <> OLD.counted OR NEW.count <> OLD.count AND NEW.counted <> '{}') EXECUTE FUNCTION count_changed_event();
CREATE TRIGGER events_removed AFTER DELETE ON events REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION count_removed_events();

-- ANALYZE keeps samples of the values of a column, also of rows that were removed since. So it
-- takes none of columns that say who a user is, or that have a secret. Then PostgreSQL doesn't
-- know how few rows have a value of them: look a row up by its id in a join.
ALTER TABLE users
    ALTER name SET STATISTICS 0, ALTER display_name SET STATISTICS 0, ALTER handle SET STATISTICS 0,
    ALTER password SET STATISTICS 0, ALTER recovery_codes SET STATISTICS 0, ALTER email SET STATISTICS 0,
    ALTER email_key SET STATISTICS 0, ALTER external_id SET STATISTICS 0, ALTER entries SET STATISTICS 0, ALTER counted SET STATISTICS 0,
    ALTER groups SET STATISTICS 0, ALTER helps SET STATISTICS 0;
ALTER TABLE counts
    ALTER category SET STATISTICS 0;
ALTER TABLE listed
    ALTER entry SET STATISTICS 0;
ALTER TABLE passkeys
    ALTER credential_id SET STATISTICS 0, ALTER public_key SET STATISTICS 0, ALTER name SET STATISTICS 0;
ALTER TABLE identities
    ALTER subject SET STATISTICS 0, ALTER name SET STATISTICS 0;
ALTER TABLE sessions
    ALTER browser SET STATISTICS 0, ALTER system SET STATISTICS 0,
    ALTER address SET STATISTICS 0, ALTER mark SET STATISTICS 0;
ALTER TABLE events
    ALTER passkey SET STATISTICS 0, ALTER browser SET STATISTICS 0, ALTER system SET STATISTICS 0,
    ALTER address SET STATISTICS 0, ALTER mark SET STATISTICS 0;
ALTER TABLE items
    ALTER key SET STATISTICS 0, ALTER value SET STATISTICS 0;
