-- Who may do what: users, API keys, sessions, signing keys, and the key-encryption keys
-- that secrets are sealed under. Times are Unix nanoseconds, 0 is never or not yet; scopes
-- and addresses are JSON; sealed columns are persist/seal's.

-- +goose Up

-- One row. version rises with each change of the other tables, in its transaction.
CREATE TABLE identity_version (
    one       INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    version   INTEGER NOT NULL,
    last_user INTEGER NOT NULL -- the highest id that a user ever had
) STRICT;
INSERT INTO identity_version VALUES (1, 0, 0);

CREATE TABLE users (
    id         INTEGER NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL UNIQUE, -- the name in lower case
    role       INTEGER NOT NULL,        -- 1 viewer, 2 trader, 3 risk, 4 admin
    scope      TEXT    NOT NULL,
    disabled   INTEGER NOT NULL,
    password   TEXT    NOT NULL,        -- argon2id in PHC form, '': none
    epoch      INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    locked_to  INTEGER NOT NULL,
    last_login INTEGER NOT NULL,
    created    INTEGER NOT NULL,
    changed    INTEGER NOT NULL
) STRICT;

CREATE TABLE api_keys (
    id          TEXT    NOT NULL PRIMARY KEY,
    owner       INTEGER NOT NULL, -- users.id
    name        TEXT    NOT NULL,
    kind        INTEGER NOT NULL, -- 1 HMAC-SHA256, 2 Ed25519
    secret      BLOB,             -- sealed; gone once it is revoked
    public      BLOB,
    permissions INTEGER NOT NULL, -- 1 read, 2 trade, 4 risk, 8 admin, added
    scope       TEXT    NOT NULL,
    addresses   TEXT    NOT NULL,
    expires     INTEGER NOT NULL,
    revoked     INTEGER NOT NULL,
    last_used   INTEGER NOT NULL,
    created     INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id      TEXT    NOT NULL PRIMARY KEY,
    user_id INTEGER NOT NULL, -- users.id
    epoch   INTEGER NOT NULL,
    refresh BLOB    NOT NULL, -- SHA-256 of the good refresh token's identifier
    address TEXT    NOT NULL,
    created INTEGER NOT NULL,
    used    INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    ended   INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE signing_keys (
    id      TEXT    NOT NULL PRIMARY KEY,
    secret  BLOB    NOT NULL, -- sealed
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;

-- Key-encryption keys. The highest version is the present one; there are others only
-- while a rotation is under way.
CREATE TABLE key_versions (
    version INTEGER NOT NULL PRIMARY KEY,
    sealed  BLOB    NOT NULL, -- under the master key
    created INTEGER NOT NULL
) STRICT;

-- +goose Down
DROP TABLE key_versions;
DROP TABLE signing_keys;
DROP TABLE sessions;
DROP TABLE api_keys;
DROP TABLE users;
DROP TABLE identity_version;
