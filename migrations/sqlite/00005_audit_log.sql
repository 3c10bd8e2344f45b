-- The audit log: who did what, from where, and what it changed, as a chain of hashes
-- (docs/format/audit-log.md). It is only ever added to, and its table is not the table
-- audit, which repeats the order journal and is one of the sources of this one.
--
-- audit_head holds the end of the chain. The triggers stop what happens by mistake;
-- whoever can write the file can drop them, and what is done then is found by the hashes
-- and their anchors outside the database. They only refuse, so that a dump can hold them.

-- +goose Up
CREATE TABLE audit_log (
    n           INTEGER PRIMARY KEY CHECK (n > 0), -- without a gap
    time_ns     INTEGER NOT NULL,
    journal_seq INTEGER NOT NULL CHECK (journal_seq >= 0), -- of the row of audit that this one repeats, 0 none
    actor       TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    via         TEXT    NOT NULL,
    key_id      TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    target      TEXT    NOT NULL,
    outcome     TEXT    NOT NULL,
    "before"    TEXT    NOT NULL,
    "after"     TEXT    NOT NULL,
    detail      TEXT    NOT NULL,
    prev        BLOB    NOT NULL CHECK (length(prev) = 32), -- hash of row n-1
    hash        BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE UNIQUE INDEX audit_log_journal_seq ON audit_log (journal_seq) WHERE journal_seq <> 0;
CREATE INDEX audit_log_time  ON audit_log (time_ns);
CREATE INDEX audit_log_actor ON audit_log (actor, n);

CREATE TABLE audit_head (
    one  INTEGER PRIMARY KEY CHECK (one = 1),
    n    INTEGER NOT NULL,
    hash BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
INSERT INTO audit_head VALUES (1, 0, zeroblob(32));

-- +goose StatementBegin
CREATE TRIGGER audit_log_insert BEFORE INSERT ON audit_log
WHEN NOT EXISTS (SELECT 1 FROM audit_head WHERE n = NEW.n - 1 AND hash = NEW.prev)
BEGIN SELECT RAISE(ABORT, 'qcat: the entry does not continue the audit log'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_log_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'qcat: the audit log is only added to'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_log_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'qcat: the audit log is only added to'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_head_update BEFORE UPDATE ON audit_head
WHEN NEW.n <> OLD.n + 1 OR NOT EXISTS (SELECT 1 FROM audit_log WHERE n = NEW.n AND hash = NEW.hash)
BEGIN SELECT RAISE(ABORT, 'qcat: the head of the audit log moves by its entries alone'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_head_delete BEFORE DELETE ON audit_head
BEGIN SELECT RAISE(ABORT, 'qcat: the head of the audit log stays'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE audit_head;
DROP TABLE audit_log;
