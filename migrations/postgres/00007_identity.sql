-- Who may do what: users, API keys, sessions, signing keys, and the key-encryption keys
-- that secrets are sealed under. Times are Unix nanoseconds, 0 is never or not yet; scopes
-- and addresses are JSON; sealed columns are persist/seal's.
--
-- Rights: qcat_write reads and changes these tables. qcat_read sees everything but the
-- columns users.password, api_keys.secret, sessions.refresh, signing_keys.secret and
-- key_versions.sealed, and so cannot dump these tables: a backup is made with qcat_write.

-- +goose Up

-- One row. version rises with each change of the other tables, in its transaction, which
-- changes this row first and so waits for the one before it.
CREATE TABLE identity_version (
	one smallint PRIMARY KEY CHECK (one = 1),
	version bigint NOT NULL,
	last_user bigint NOT NULL -- the highest id that a user ever had
);
INSERT INTO identity_version VALUES (1, 0, 0);

CREATE TABLE users (
	id bigint PRIMARY KEY,
	name text COLLATE "C" NOT NULL,
	name_key text COLLATE "C" NOT NULL UNIQUE, -- the name in lower case
	role smallint NOT NULL,                    -- 1 viewer, 2 trader, 3 risk, 4 admin
	scope text COLLATE "C" NOT NULL,
	disabled smallint NOT NULL,
	password text COLLATE "C" NOT NULL,        -- argon2id in PHC form, '': none
	epoch bigint NOT NULL,
	failures integer NOT NULL,
	locked_to bigint NOT NULL,
	last_login bigint NOT NULL,
	created bigint NOT NULL,
	changed bigint NOT NULL
);

CREATE TABLE api_keys (
	id text COLLATE "C" PRIMARY KEY,
	owner bigint NOT NULL, -- users.id
	name text COLLATE "C" NOT NULL,
	kind smallint NOT NULL, -- 1 HMAC-SHA256, 2 Ed25519
	secret bytea,           -- sealed; gone once it is revoked
	public bytea,
	permissions smallint NOT NULL, -- 1 read, 2 trade, 4 risk, 8 admin, added
	scope text COLLATE "C" NOT NULL,
	addresses text COLLATE "C" NOT NULL,
	expires bigint NOT NULL,
	revoked bigint NOT NULL,
	last_used bigint NOT NULL,
	created bigint NOT NULL
);

CREATE TABLE sessions (
	id text COLLATE "C" PRIMARY KEY,
	user_id bigint NOT NULL, -- users.id
	epoch bigint NOT NULL,
	refresh bytea NOT NULL, -- SHA-256 of the good refresh token's identifier
	address text COLLATE "C" NOT NULL,
	created bigint NOT NULL,
	used bigint NOT NULL,
	expires bigint NOT NULL,
	ended bigint NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE signing_keys (
	id text COLLATE "C" PRIMARY KEY,
	secret bytea NOT NULL, -- sealed
	created bigint NOT NULL,
	expires bigint NOT NULL
);

-- Key-encryption keys. The highest version is the present one; there are others only
-- while a rotation is under way.
CREATE TABLE key_versions (
	version bigint PRIMARY KEY,
	sealed bytea NOT NULL, -- under the master key
	created bigint NOT NULL
);

-- +goose StatementBegin
DO $$ BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'qcat_read') THEN
		GRANT SELECT ON identity_version TO qcat_read;
		GRANT SELECT (id, name, name_key, role, scope, disabled, epoch, failures, locked_to, last_login, created, changed) ON users TO qcat_read;
		GRANT SELECT (id, owner, name, kind, public, permissions, scope, addresses, expires, revoked, last_used, created) ON api_keys TO qcat_read;
		GRANT SELECT (id, user_id, epoch, address, created, used, expires, ended) ON sessions TO qcat_read;
		GRANT SELECT (id, created, expires) ON signing_keys TO qcat_read;
		GRANT SELECT (version, created) ON key_versions TO qcat_read;
	END IF;
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'qcat_write') THEN
		GRANT SELECT, UPDATE ON identity_version TO qcat_write;
		GRANT SELECT, INSERT, UPDATE ON users, api_keys TO qcat_write;
		GRANT SELECT, INSERT, UPDATE, DELETE ON sessions, signing_keys, key_versions TO qcat_write;
	END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE key_versions;
DROP TABLE signing_keys;
DROP TABLE sessions;
DROP TABLE api_keys;
DROP TABLE users;
DROP TABLE identity_version;
