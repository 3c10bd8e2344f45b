package identity

import "qcat/core"

// AuditEntry is one line of the audit log: who did what, from where, and what it
// changed. Texts are as they came and may hold anything; who shows them escapes them.
type AuditEntry struct {
	N       int64 // 1, 2, 3, … without a gap
	Time    core.Nanos
	Actor   string // user name, "system", or "root@host" style for commands
	Role    string // at that time; "" where there is none
	Via     string // "http", "ws", "cli", "signal-file", "engine"
	Key     string // API key id, where one was used
	Address string // where from; "" for the process itself
	Action  string // "login", "limits.change", "key.revoke", …
	Target  string // what it was done to
	Outcome string // "ok", or the stable code of the refusal
	Before  string // JSON, "" where there is nothing
	After   string // JSON
	Detail  string
	// Journal is the sequence of the order journal's record that this entry repeats, 0
	// if it does not. There is one entry for such a record.
	Journal uint64
}

// AuditQuery selects entries, the newest first; zero fields select all.
type AuditQuery struct {
	From, To core.Nanos
	Actor    string
	Action   string // this one, or with a trailing "*" all that begin so
	Before   int64  // N; 0: from the newest on
	Limit    int    // required
}
