-- The audit log: who did what, from where, and what it changed, as a chain of hashes
-- (docs/format/audit-log.md). It is only ever added to, and its table is not the table
-- audit, which repeats the order journal and is one of the sources of this one.
--
-- audit_head holds the end of the chain. Its row is the lock by which processes take
-- turns, and nobody writes it: a row that is inserted into audit_log must continue the
-- chain, and moves the head by a trigger that has the owner's rights. So a role needs
-- INSERT on audit_log and EXECUTE on qcat_audit_head, and neither UPDATE nor DELETE of
-- anything. The owner and superusers can do all the same what the triggers refuse; that
-- is what the hashes and their anchors outside the database are for.

-- +goose Up
CREATE TABLE audit_log (
	n bigint PRIMARY KEY CHECK (n > 0), -- without a gap
	time_ns bigint NOT NULL,
	journal_seq bigint NOT NULL CHECK (journal_seq >= 0), -- of the row of audit that this one repeats, 0 none
	actor text COLLATE "C" NOT NULL,
	role text COLLATE "C" NOT NULL,
	via text COLLATE "C" NOT NULL,
	key_id text COLLATE "C" NOT NULL,
	address text COLLATE "C" NOT NULL,
	action text COLLATE "C" NOT NULL,
	target text COLLATE "C" NOT NULL,
	outcome text COLLATE "C" NOT NULL,
	"before" text COLLATE "C" NOT NULL,
	"after" text COLLATE "C" NOT NULL,
	detail text COLLATE "C" NOT NULL,
	prev bytea NOT NULL CHECK (octet_length(prev) = 32), -- hash of row n-1
	hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);
CREATE UNIQUE INDEX audit_log_journal_seq ON audit_log (journal_seq) WHERE journal_seq <> 0;
CREATE INDEX audit_log_time ON audit_log (time_ns);
CREATE INDEX audit_log_actor ON audit_log (actor, n);

CREATE TABLE audit_head (
	one boolean PRIMARY KEY DEFAULT true CHECK (one),
	n bigint NOT NULL,
	hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);
INSERT INTO audit_head (n, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

-- qcat_audit_head locks the end of the chain until the transaction ends and says what it
-- is. What is added in this transaction is on the disk when its COMMIT is answered.
-- +goose StatementBegin
CREATE FUNCTION qcat_audit_head(OUT n bigint, OUT hash bytea)
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	IF current_setting('synchronous_commit') = 'off' THEN
		PERFORM set_config('synchronous_commit', 'on', true);
	END IF;
	SELECT h.n, h.hash INTO STRICT n, hash FROM audit_head h FOR UPDATE;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION qcat_audit_link() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
	UPDATE audit_head h SET n = NEW.n, hash = NEW.hash WHERE h.n = NEW.n - 1 AND h.hash = NEW.prev;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'qcat: entry % does not continue the audit log', NEW.n USING ERRCODE = 'integrity_constraint_violation';
	END IF;
	RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION qcat_audit_refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION 'qcat: the audit log is only added to: no % of %', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
-- +goose StatementEnd

CREATE TRIGGER audit_log_link AFTER INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION qcat_audit_link();
CREATE TRIGGER audit_log_refuse BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log FOR EACH STATEMENT EXECUTE FUNCTION qcat_audit_refuse();
CREATE TRIGGER audit_head_refuse BEFORE INSERT OR DELETE OR TRUNCATE ON audit_head FOR EACH STATEMENT EXECUTE FUNCTION qcat_audit_refuse();
CREATE TRIGGER audit_head_unlinked BEFORE UPDATE ON audit_head FOR EACH STATEMENT
	WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION qcat_audit_refuse();

-- +goose StatementBegin
DO $$ BEGIN
	EXECUTE format('ALTER FUNCTION qcat_audit_head() SET search_path = %I, pg_catalog, pg_temp', current_schema());
	EXECUTE format('ALTER FUNCTION qcat_audit_link() SET search_path = %I, pg_catalog, pg_temp', current_schema());
	REVOKE ALL ON FUNCTION qcat_audit_head(), qcat_audit_link(), qcat_audit_refuse() FROM PUBLIC;
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'qcat_read') THEN
		GRANT SELECT ON audit_log, audit_head TO qcat_read;
	END IF;
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'qcat_audit') THEN
		GRANT INSERT ON audit_log TO qcat_audit;
		GRANT EXECUTE ON FUNCTION qcat_audit_head() TO qcat_audit;
	END IF;
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'qcat_write') THEN
		GRANT SELECT ON audit_log, audit_head TO qcat_write;
		GRANT INSERT ON audit_log TO qcat_write;
		GRANT EXECUTE ON FUNCTION qcat_audit_head() TO qcat_write;
	END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_log;
DROP TABLE audit_head;
DROP FUNCTION qcat_audit_refuse();
DROP FUNCTION qcat_audit_link();
DROP FUNCTION qcat_audit_head();
