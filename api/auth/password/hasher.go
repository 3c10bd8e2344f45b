package password

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Errors of Hasher.
var (
	// ErrBusy is told to whoever would have to wait behind too many others.
	ErrBusy = errors.New("too many passwords are being checked")
	// ErrPolicy is wrapped by what is wrong with a new password.
	ErrPolicy = errors.New("the password cannot be taken")
)

// Bounds of a password.
const (
	MinLength = 12   // characters
	MaxLength = 1024 // bytes
)

// Hasher makes and checks hashes, a bounded number at once. Any goroutine.
type Hasher struct {
	queue chan struct{} // a place of those at work and those that wait
	work  chan struct{} // a place of those at work
	decoy hash
}

// NewHasher returns a Hasher of which atOnce work, 19 MiB each, while waiting others wait.
func NewHasher(atOnce, waiting int) *Hasher {
	decoy := fresh()
	copy(decoy.sum, "no password has this sum, it is text")
	return &Hasher{queue: make(chan struct{}, atOnce+waiting), work: make(chan struct{}, atOnce), decoy: decoy}
}

// enter takes a place at work. Errors: ErrBusy, the context's.
func (h *Hasher) enter(ctx context.Context) (leave func(), err error) {
	select {
	case h.queue <- struct{}{}:
	default:
		return nil, ErrBusy
	}
	select {
	case h.work <- struct{}{}:
		return func() { <-h.work; <-h.queue }, nil
	case <-ctx.Done():
		<-h.queue
		return nil, ctx.Err()
	}
}

// Hash returns the PHC form of a new password, which Check has taken. Errors: ErrBusy,
// the context's.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	leave, err := h.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	made := fresh()
	made.sum = made.of(password)
	return made.String(), nil
}

// Verify reports whether a password is the one that stored was made of. An empty
// stored is nobody's: it costs the same and is never right. Errors: ErrBusy, ErrHash, the context's.
func (h *Hasher) Verify(ctx context.Context, stored, password string) (bool, error) {
	return h.VerifyWhile(ctx, stored, password, func() error { return nil })
}

// VerifyWhile is Verify, and runs meanwhile beside it: not at all when the password is not
// checked, for which the error is ErrBusy or the context's. Its error is returned too.
func (h *Hasher) VerifyWhile(ctx context.Context, stored, password string, meanwhile func() error) (bool, error) {
	if len(password) > MaxLength {
		password = "" // as much work, and no password is empty
	}
	want, err := h.decoy, error(nil)
	if stored != "" {
		if want, err = parse(stored); err != nil {
			want = h.decoy
		}
	}
	leave, busy := h.enter(ctx)
	if busy != nil {
		return false, busy
	}
	did := make(chan error, 1)
	go func() { did <- meanwhile() }()
	same := subtle.ConstantTimeCompare(want.of(password), want.sum) == 1
	leave()
	if failed := <-did; failed != nil {
		err = errors.Join(err, failed)
	}
	return same && stored != "" && password != "" && err == nil, err
}

// Check says what is wrong with a new password of a user. Errors: ErrPolicy.
func Check(user, password string) error {
	switch {
	case len(password) > MaxLength:
		return fmt.Errorf("%w: it is longer than 1024 bytes", ErrPolicy)
	case !utf8.ValidString(password):
		return fmt.Errorf("%w: it is not UTF-8", ErrPolicy)
	case utf8.RuneCountInString(password) < MinLength:
		return fmt.Errorf("%w: it is shorter than 12 characters", ErrPolicy)
	case strings.EqualFold(strings.TrimSpace(password), user):
		return fmt.Errorf("%w: it is the user's name", ErrPolicy)
	case strings.Count(password, password[:1]) == len(password):
		return fmt.Errorf("%w: it is one character again and again", ErrPolicy)
	}
	return nil
}
