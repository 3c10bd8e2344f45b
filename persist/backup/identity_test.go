package backup_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"reflect"
	"testing"

	"qcat/core"
	"qcat/core/identity"
	"qcat/persist/backup"
	stored "qcat/persist/identity"
	"qcat/persist/migrate"
	"qcat/persist/postgres"
	"qcat/persist/seal"
	"qcat/persist/sqlite"
)

// identities is the store of who may do what, beside the rows of b's store.
func (b *bed) identities(dataDir, url string) *stored.Store {
	b.t.Helper()
	var db *sql.DB
	var err error
	dialect := migrate.SQLite
	if b.kind == backup.KindPostgres {
		dialect = migrate.Postgres
		db, err = postgres.OpenDB(b.t.Context(), url)
	} else {
		db, err = sqlite.OpenDB(b.t.Context(), filepath.Join(dataDir, "qcat.db"))
	}
	b.must(err)
	b.t.Cleanup(func() { b.must(db.Close()) })
	return stored.New(dialect, db, core.SystemClock())
}

// TestIdentitiesComeBack: users, keys and sessions are in a backup, secrets sealed: who
// has the backup and not the master key has none of them.
func TestIdentitiesComeBack(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		source := seal.Source{Dir: b.dataDir}
		master, err := source.LoadOrMake(ctx)
		b.must(err)
		masters := func(context.Context) ([]*seal.Master, error) { return []*seal.Master{master}, nil }
		was := b.identities(b.dataDir, b.url)
		keys, err := stored.OpenKeys(ctx, was, masters)
		b.must(err)

		u := identity.User{Name: "ann", Role: identity.Admin, Scope: identity.Scope{All: true}, Password: "$argon2id$'quoted'"}
		b.must(was.CreateUser(ctx, &u))
		sealed, err := keys.Seal(t.Context(), stored.TableAPIKeys, "k1", []byte("secret of k1"))
		b.must(err)
		b.must(was.CreateKey(ctx, &identity.APIKey{ID: "k1", Owner: u.ID, Kind: identity.HMACSHA256, Secret: sealed}))
		signing, err := keys.Seal(t.Context(), stored.TableSigningKeys, "s1", []byte("secret of s1"))
		b.must(err)
		b.must(was.Sign(ctx, &identity.SigningKey{ID: "s1", Secret: signing}, 0))
		b.must(was.CreateSession(ctx, &identity.Session{ID: "x1", User: u.ID, Refresh: []byte{0, 1, 255}, Expires: 1 << 62}))
		want, err := was.Load(ctx)
		b.must(err)
		m := b.create()

		target := b.target()
		_, err = target.restore(m.Name)
		b.must(err)
		is := b.identities(target.dataDir, target.url)
		got, err := is.Load(ctx)
		b.must(err)
		if !reflect.DeepEqual(got, want) || len(got.Keys)+len(got.Signing)+len(got.Sessions)+len(got.Users) != 4 {
			t.Errorf("restored %+v, want %+v", got, want)
		}
		if _, err := (&seal.Source{Dir: target.dataDir}).Load(ctx); err == nil {
			t.Error("the master key is in the backup")
		}
		keys, err = stored.OpenKeys(ctx, is, masters)
		b.must(err)
		if secret, err := keys.Open(ctx, stored.TableAPIKeys, "k1", got.Keys[0].Secret); string(secret) != "secret of k1" || err != nil {
			t.Errorf("%q (%v)", secret, err)
		}
		if secret, err := keys.Open(ctx, stored.TableSigningKeys, "s1", got.Signing[0].Secret); string(secret) != "secret of s1" || err != nil {
			t.Errorf("%q (%v)", secret, err)
		}
		next := identity.User{Name: "bob", Role: identity.Viewer}
		b.must(is.CreateUser(ctx, &next))
		if next.ID <= u.ID {
			t.Errorf("the number %d was given again", next.ID)
		}
	})
}
