package auth

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/puzpuzpuz/xsync/v3"
	"go.uber.org/zap"

	"qcat/api/auth/signature"
	"qcat/api/auth/token"
	"qcat/api/limit"
	"qcat/core"
	"qcat/core/identity"
)

// Opener keeps secrets at rest. table and row say which: what was sealed for one cannot
// be opened as another.
type Opener interface {
	Seal(ctx context.Context, table, row string, secret []byte) (identity.Sealed, error)
	Open(ctx context.Context, table, row string, s identity.Sealed) ([]byte, error)
}

// The tables of sealed secrets; rows are a key's id and a signing key's kid.
const (
	KeyTable     = "api_keys"
	SigningTable = "signing_keys"
)

// Directory is the identities that this process decides by. Look-ups take no lock.
type Directory struct {
	store  identity.Store
	opener Opener
	clock  core.Clock
	log    *zap.Logger

	keys     *xsync.MapOf[keyID, *keyEntry]
	sessions *xsync.MapOf[string, *sessionEntry]
	ring     token.Ring

	version atomic.Int64
	contact atomic.Int64 // when the store answered last
	again   atomic.Int64 // when a secret that could not be opened is tried again; 0: there is none

	loading  sync.Mutex // one load at a time
	mu       sync.Mutex // what follows, and who writes the maps
	users    map[identity.UserID]*identity.User
	signing  map[string][]byte        // secrets that were opened, by kid
	loads    uint64                   // loads begun
	unlocked map[limit.Key]core.Nanos // when users were unlocked, by nameKey
	// familiar are names and the addresses of their sessions, of all that were ever seen here.
	familiar map[limit.Key]struct{}
}

// keyID is the id of an API key as a value that can be looked up without allocating.
type keyID struct {
	n    uint8
	text [32]byte
}

// makeKeyID cannot make ids that are too long; nobody has such.
func makeKeyID[T string | []byte](text T) (id keyID, ok bool) {
	if len(text) == 0 || len(text) > len(id.text) {
		return keyID{}, false
	}
	id.n = uint8(copy(id.text[:], text)) //nolint:gosec // at most 32
	return id, true
}

// keyEntry is an API key at work.
type keyEntry struct {
	key      identity.APIKey
	verifier signature.Verifier
	nonces   signature.Nonces
	grant    atomic.Pointer[grant]
	used     atomic.Int64
	stored   atomic.Int64 // used, as the store knows it
	final    *Error       // under mu: why the key ended for good
	end      core.Nanos   // when
}

// allows reports whether the key may be used from an address.
func (e *keyEntry) allows(from netip.Addr) bool {
	if len(e.key.Addresses) == 0 {
		return true
	}
	from = from.Unmap().WithZone("")
	for i := range e.key.Addresses {
		if e.key.Addresses[i].Contains(from) {
			return true
		}
	}
	return false
}

// sessionEntry is a session that was open when it was last looked at.
type sessionEntry struct {
	grant   *grant
	expires atomic.Int64
	born    uint64 // loads begun when it was added here
	end     core.Nanos
}

// OpenDirectory loads everything. Errors: those of the store. A key whose secret cannot be
// opened is left out and logged.
func OpenDirectory(ctx context.Context, store identity.Store, opener Opener, clock core.Clock, log *zap.Logger) (*Directory, error) {
	if log == nil {
		log = zap.NewNop()
	}
	d := &Directory{
		store: store, opener: opener, clock: clock, log: log,
		keys: xsync.NewMapOf[keyID, *keyEntry](), sessions: xsync.NewMapOf[string, *sessionEntry](),
		users: map[identity.UserID]*identity.User{}, signing: map[string][]byte{},
		unlocked: map[limit.Key]core.Nanos{}, familiar: map[limit.Key]struct{}{},
	}
	return d, d.Refresh(ctx)
}

// Refresh loads everything anew. What was committed before the call is seen after it.
func (d *Directory) Refresh(ctx context.Context) error {
	d.loading.Lock()
	defer d.loading.Unlock()
	d.mu.Lock()
	d.loads++
	load := d.loads
	d.mu.Unlock()
	all, err := d.store.Load(ctx)
	if err != nil {
		return err
	}
	fresh := d.open(ctx, all)
	now := d.clock.Now()
	d.contact.Store(int64(now))
	d.apply(all, fresh, load, now)
	d.again.Store(0)
	if fresh.failed {
		d.again.Store(int64(now + tryAgain))
	}
	d.version.Store(all.Version)
	return nil
}

// Poll looks whether something changed and ends what has expired. Errors: those of the store;
// what has expired is ended all the same.
func (d *Directory) Poll(ctx context.Context) error {
	d.sweep(d.clock.Now())
	v, err := d.store.Version(ctx)
	if err != nil {
		return err
	}
	now := d.clock.Now()
	d.contact.Store(int64(now))
	if again := d.again.Load(); v == d.version.Load() && (again == 0 || int64(now) < again) {
		return nil
	}
	return d.Refresh(ctx)
}

// tryAgain is after how long a secret that could not be opened is read again: it may have
// been given another key-encryption key in between, which is no change of a version.
const tryAgain = core.Nanos(5e9)

// Empty reports whether there is no user at all: nobody can be anybody yet.
func (d *Directory) Empty() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.users) == 0
}

// Counts is how many keys and sessions are good now.
func (d *Directory) Counts() (keys, sessions int) {
	d.keys.Range(func(_ keyID, e *keyEntry) bool {
		if g := e.grant.Load(); g != nil && g.ended.Load() == nil {
			keys++
		}
		return true
	})
	d.sessions.Range(func(_ string, e *sessionEntry) bool {
		if e.grant.ended.Load() == nil {
			sessions++
		}
		return true
	})
	return keys, sessions
}

// maxFamiliar bounds the addresses that are remembered; when there are more all are forgotten.
const maxFamiliar = 1 << 14

// knows reports whether there was a session of a name from an address; see pairKey.
func (d *Directory) knows(pair limit.Key) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.familiar[pair]
	return ok
}

// unlockedAt is when the user of a name was unlocked last, 0 for never.
func (d *Directory) unlockedAt(name limit.Key) core.Nanos {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.unlocked[name]
}

// befriend notes from where a user logged in. Under mu.
func (d *Directory) befriend(name, address string) {
	from, err := netip.ParseAddr(address)
	if err != nil {
		return
	}
	if len(d.familiar) >= maxFamiliar {
		clear(d.familiar)
	}
	d.familiar[pairKey(nameKey(name), limit.Address(from))] = struct{}{}
}

// MaxSilence is for how long the store may say nothing before nobody can log in.
const MaxSilence = 30 * time.Second

// Silent is for how long the store has not answered.
func (d *Directory) Silent() time.Duration {
	return time.Duration(d.clock.Now() - core.Nanos(d.contact.Load()))
}

// FlushUse stores when keys were used last, those used since the last call alone.
func (d *Directory) FlushUse(ctx context.Context) error {
	used := map[string]int64{}
	d.keys.Range(func(_ keyID, e *keyEntry) bool {
		if at := e.used.Load(); at != e.stored.Load() {
			used[e.key.ID] = at
		}
		return true
	})
	if len(used) == 0 {
		return nil
	}
	if err := d.store.UseKeys(ctx, used); err != nil {
		return err
	}
	for id, at := range used {
		if k, ok := makeKeyID(id); ok {
			if e, ok := d.keys.Load(k); ok {
				e.stored.Store(at)
			}
		}
	}
	return nil
}

const (
	pollEvery  = 250 * time.Millisecond
	flushEvery = 30 * time.Second
	askLongest = 5 * time.Second // bound of one question to the store, whose machine may be gone
)

// within asks the store something, for a bounded time.
func within(ctx context.Context, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, askLongest)
	defer cancel()
	return ask(ctx)
}

// Run polls and flushes until the context ends, then flushes once more. What expires ends in
// time though the store does not answer: that is looked at by a goroutine of its own, which
// ends with Run.
func (d *Directory) Run(ctx context.Context) {
	var expiry sync.WaitGroup
	expiry.Go(func() { d.expire(ctx) })
	defer expiry.Wait()
	d.follow(ctx)
}

// expire ends what expires until the context ends.
func (d *Directory) expire(ctx context.Context) {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			d.sweep(d.clock.Now())
		}
	}
}

// follow is Run without what expires.
func (d *Directory) follow(ctx context.Context) {
	poll, flush := time.NewTicker(pollEvery), time.NewTicker(flushEvery)
	defer poll.Stop()
	defer flush.Stop()
	failing := false
	for {
		var err error
		select {
		case <-ctx.Done():
			if err := within(context.WithoutCancel(ctx), d.FlushUse); err != nil {
				d.log.Warn("when API keys were used last is not stored", zap.Error(err))
			}
			return
		case <-poll.C:
			err = within(ctx, d.Poll)
		case <-flush.C:
			err = within(ctx, d.FlushUse)
		}
		if bad := err != nil && !errors.Is(err, context.Canceled); bad != failing {
			if failing = bad; bad {
				d.log.Error("users and keys cannot be read: those known go on, nobody logs in", zap.Error(err))
			} else {
				d.log.Info("users and keys are read again")
			}
		}
	}
}
