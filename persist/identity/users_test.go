package identity_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"qcat/core"
	"qcat/core/identity"
)

func TestUsers(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		var root identity.User
		b.rises(true, func() { root = b.user("Root", identity.Admin) })
		for _, name := range []string{"Root", "root", "ROOT"} {
			u := identity.User{Name: name, Role: identity.Viewer}
			b.rises(false, func() { b.refused(b.CreateUser(ctx, &u), identity.ErrExists) })
			got, err := b.User(ctx, name)
			b.must(err)
			if !reflect.DeepEqual(got, root) {
				t.Errorf("%+v, want %+v", got, root)
			}
		}
		if root.ID == 0 || root.Created != start || root.Changed != start {
			t.Errorf("%+v", root)
		}
		b.refused(b.CreateUser(ctx, &identity.User{Name: "x; DROP TABLE users", Role: identity.Viewer}), identity.ErrName)
		b.refused(b.CreateUser(ctx, &identity.User{Name: "none"}), identity.ErrRole)
		_, err := b.User(ctx, "nobody")
		b.refused(err, identity.ErrNotFound)
		all := identity.User{Name: "all", Role: identity.Risk, Scope: identity.Scope{All: true}, Epoch: 3, Failures: 2, LockedTo: 5, LastLogin: 4, Created: 7, Changed: 8, Disabled: true}
		b.must(b.CreateUser(ctx, &all))
		users, err := b.Users(ctx)
		b.must(err)
		if !reflect.DeepEqual(users, []identity.User{root, all}) || all.ID <= root.ID {
			t.Errorf("%+v", users)
		}
	})
}

func TestChangeUser(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		b.user("root", identity.Admin)
		u := b.user("ann", identity.Trader)
		b.session("s1", &u)
		b.clock.now.Add(5)
		for name, change := range map[string]func(*identity.User){
			"role":     func(u *identity.User) { u.Role = identity.Risk },
			"scope":    func(u *identity.User) { u.Scope.Accounts[0] = "desk9" },
			"password": func(u *identity.User) { u.Password = "$argon2id$other" },
			"disabled": func(u *identity.User) { u.Disabled = true },
			"epoch":    func(u *identity.User) { u.Epoch++ },
		} {
			b.rises(true, func() {
				before, after, err := b.ChangeUser(ctx, "ANN", func(u *identity.User) error { change(u); return nil })
				b.must(err)
				if after.Epoch != before.Epoch+1 || after.Changed != start+5 || after.ID != u.ID || before.Scope.Accounts[0] == after.Scope.Accounts[0] && name == "scope" {
					t.Errorf("%s: %+v, %+v", name, before, after)
				}
				got, err := b.User(ctx, "ann")
				b.must(err)
				if !reflect.DeepEqual(got, after) {
					t.Errorf("%s: stored %+v, want %+v", name, got, after)
				}
			})
		}
		e, err := b.Load(ctx)
		b.must(err)
		if len(e.Sessions) != 0 {
			t.Errorf("sessions of before are open: %+v", e.Sessions)
		}
		b.rises(false, func() {
			before, after, err := b.ChangeUser(ctx, "ann", func(u *identity.User) error {
				u.ID, u.Name, u.Failures, u.LastLogin, u.Epoch = 99, "bob", 7, 7, 0
				return nil
			})
			b.must(err)
			if !reflect.DeepEqual(before, after) {
				t.Errorf("changed what it must not: %+v", after)
			}
		})
		b.rises(false, func() {
			mine := errors.New("mine")
			_, _, err := b.ChangeUser(ctx, "ann", func(u *identity.User) error { u.Role = identity.Admin; return mine })
			b.refused(err, mine)
			_, _, err = b.ChangeUser(ctx, "ann", func(u *identity.User) error { u.Role = 9; return nil })
			b.refused(err, identity.ErrRole)
			_, _, err = b.ChangeUser(ctx, "nobody", func(*identity.User) error { return nil })
			b.refused(err, identity.ErrNotFound)
		})
	})
}

// TestChangesAreNotLost: of many that change one user at once, each sees the one before.
func TestChangesAreNotLost(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		u := b.user("ann", identity.Trader)
		other := b.process()
		var wg sync.WaitGroup
		for i := range 8 {
			from := []*bed{b, other}[i%2]
			wg.Go(func() {
				_, _, err := from.ChangeUser(t.Context(), "ann", func(u *identity.User) error {
					u.Scope.Accounts = append(u.Scope.Accounts, "a"+string(rune('0'+i)))
					return nil
				})
				from.must(err)
			})
		}
		wg.Wait()
		got, err := b.User(t.Context(), "ann")
		b.must(err)
		if len(got.Scope.Accounts) != len(u.Scope.Accounts)+8 || got.Epoch != u.Epoch+8 {
			t.Errorf("%+v", got)
		}
	})
}

// TestLastAdmin: two processes that take the last two admins away at once leave one.
func TestLastAdmin(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		other := b.process()
		b.user("one", identity.Admin)
		b.user("two", identity.Admin)
		b.user("risk", identity.Risk)
		for round := range 8 {
			var refusals atomic.Int32
			var wg sync.WaitGroup
			for from, name := range map[*bed]string{b: "one", other: "two"} {
				wg.Go(func() {
					_, _, err := from.ChangeUser(ctx, name, func(u *identity.User) error {
						if u.Disabled = round%2 == 0; !u.Disabled {
							u.Role = identity.Viewer
						}
						return nil
					})
					if errors.Is(err, identity.ErrLastAdmin) {
						refusals.Add(1)
						if !strings.Contains(err.Error(), name) {
							t.Error(err)
						}
					} else {
						from.must(err)
					}
				})
			}
			wg.Wait()
			users, err := b.Users(ctx)
			b.must(err)
			left := 0
			for _, u := range users {
				if u.Role == identity.Admin && !u.Disabled {
					left++
				}
			}
			if left != 1 || refusals.Load() != 1 {
				t.Fatalf("%d admins are left, %d were refused", left, refusals.Load())
			}
			for _, name := range []string{"one", "two"} {
				_, _, err := b.ChangeUser(ctx, name, func(u *identity.User) error {
					u.Role, u.Disabled = identity.Admin, false
					return nil
				})
				b.must(err)
			}
		}
	})
}

func TestNoteLogin(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		u := b.user("ann", identity.Trader)
		want := u
		want.Failures, want.LockedTo, want.LastLogin = 4, start+9, start+8
		noted := want
		noted.Role, noted.Password, noted.Epoch, noted.Disabled = identity.Admin, "x", 99, true
		b.rises(false, func() { b.must(b.NoteLogin(ctx, &noted)) })
		got, err := b.User(ctx, "ann")
		b.must(err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
		b.refused(b.NoteLogin(ctx, &identity.User{ID: u.ID + 1}), identity.ErrNotFound)
	})
}

// TestVersionOrders: who has read a version has read all that happened up to it.
func TestVersionOrders(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		zero, err := b.Version(ctx)
		b.must(err)
		var wg sync.WaitGroup
		done := make(chan struct{})
		for i := range 4 {
			p := b.process()
			wg.Go(func() {
				for n := range 5 {
					u := identity.User{Name: "u" + string(rune('a'+i)) + string(rune('0'+n)), Role: identity.Viewer, Created: core.Nanos(1)}
					p.must(p.CreateUser(ctx, &u))
				}
			})
		}
		go func() { wg.Wait(); close(done) }()
		for ended := false; !ended; {
			select {
			case <-done:
				ended = true
			default:
			}
			e, err := b.Load(ctx)
			b.must(err)
			if int64(len(e.Users)) != e.Version-zero {
				t.Fatalf("version %d has %d users", e.Version-zero, len(e.Users))
			}
			for i, u := range e.Users {
				if int64(u.ID) != int64(i+1) {
					t.Fatalf("user %d has the number %d", i+1, u.ID)
				}
			}
		}
	})
}

// TestFirstUsersAtOnce: of several who would be first, under whatever names, one is.
func TestFirstUsersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			p := b.process()
			wg.Go(func() {
				u := identity.User{Name: "u" + string(rune('a'+i)), Role: identity.Admin}
				errs[i] = p.CreateFirst(t.Context(), &u)
			})
		}
		wg.Wait()
		made := 0
		for _, err := range errs {
			if err == nil {
				made++
				continue
			}
			b.refused(err, identity.ErrExists)
		}
		if all, err := b.Users(t.Context()); err != nil || len(all) != 1 || made != 1 || all[0].ID != 1 {
			t.Errorf("%d were told to be first, of %+v, %v", made, all, err)
		}
	})
}

// TestUnlockUser: the failures are forgotten, and what a login that was under way then
// knew of them is not written any more.
func TestUnlockUser(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		u := b.user("ann", identity.Trader)
		u.Failures, u.LockedTo = 5, start+9
		b.must(b.NoteLogin(ctx, &u))
		var before, after identity.User
		b.rises(true, func() {
			var err error
			before, after, err = b.UnlockUser(ctx, "Ann")
			b.must(err)
		})
		if before.Failures != 5 || before.LockedTo != start+9 || before.Unlocked != 0 || after.Failures != 0 || after.LockedTo != 0 ||
			after.Unlocked == 0 || after.Epoch != before.Epoch {
			t.Errorf("before %+v, after %+v", before, after)
		}
		u.Failures, u.LockedTo, u.LastLogin = 6, start+99, start+1
		b.must(b.NoteLogin(ctx, &u))
		got, err := b.User(ctx, "ann")
		b.must(err)
		if got.Failures != 0 || got.LockedTo != 0 || got.LastLogin != start+1 || got.Unlocked != after.Unlocked {
			t.Errorf("%+v", got)
		}
		if _, again, err := b.UnlockUser(ctx, "ann"); err != nil || again.Unlocked <= after.Unlocked {
			t.Errorf("again: %+v, %v", again, err)
		}
		_, _, err = b.UnlockUser(ctx, "nobody")
		b.refused(err, identity.ErrNotFound)
	})
}

// TestHands: who gave a password or key is kept, and changes with the password alone.
func TestHands(t *testing.T) {
	each(t, func(t *testing.T, b *bed) {
		ctx := t.Context()
		u := identity.User{Name: "ann", Role: identity.Risk, Password: "$argon2id$ann", Hands: []string{"adam", "eve"}}
		b.must(b.CreateUser(ctx, &u))
		_, after, err := b.ChangeUser(ctx, "ann", func(u *identity.User) error {
			u.Hands, u.Disabled = []string{"nobody"}, true
			return nil
		})
		b.must(err)
		if !slices.Equal(after.Hands, u.Hands) {
			t.Errorf("without a password: %q", after.Hands)
		}
		_, _, err = b.ChangeUser(ctx, "ann", func(u *identity.User) error {
			u.Hands, u.Password = []string{"ines"}, "$argon2id$next"
			return nil
		})
		b.must(err)
		k := identity.APIKey{ID: "k", Owner: u.ID, Kind: identity.Ed25519, Public: []byte("public"), Permissions: identity.Read, Hands: []string{"adam"}}
		b.must(b.CreateKey(ctx, &k))
		all, err := b.Load(ctx)
		b.must(err)
		if !slices.Equal(all.Users[0].Hands, []string{"ines"}) || !slices.Equal(all.Keys[0].Hands, []string{"adam"}) {
			t.Errorf("%q, %q", all.Users[0].Hands, all.Keys[0].Hands)
		}
	})
}
