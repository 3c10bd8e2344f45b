// Package identity keeps users, API keys, sessions and signing keys in Postgres or in the
// embedded store, and the keys under which their secrets are sealed.
//
//	db, err := postgres.OpenDB(ctx, url) // or sqlite.OpenDB
//	s := identity.New(migrate.Postgres, db, core.SystemClock())
//	keys, err := identity.OpenKeys(ctx, s, s.MastersFrom(source)) // for who seals and opens secrets
//
// Store implements the identity.Store of core/identity with the same statements for both
// databases.
//
// # Versions
//
// Each change first raises the one row of identity_version, in its transaction, and so
// waits there for the change before it. Changes are thus one after the other, whichever
// process makes them, and who has read version n has seen all changes up to n and none
// after it. Logins, uses of keys and rewrapped secrets are no changes in this sense.
//
// # Keys
//
// Keys holds the key-encryption keys, opened with the master key. Rotate exchanges them
// while servers run: it makes a new one, wraps every secret's data key anew, row by
// row, proves that every secret opens, and deletes the old one. It may be killed at any
// moment and run again, and two at once exclude each other. A server meets the new
// version when it opens a secret, and reads it then. What it still seals under the old
// one is wrapped anew when it is stored.
//
// # Ownership
//
// Store and Keys are for any goroutine, and start none. The caller closes the *sql.DB.
//
// # Imports
//
// core, core/identity, persist/seal, persist/migrate (which database it is),
// persist/vfs (the lock beside a database file). The drivers stay where they are opened.
package identity
