package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"time"
)

// ErrUnnamed is Place's answer to an order without a client order id: nobody could tell
// whether it was taken.
var ErrUnnamed = errors.New("client: an order that is to be settled needs a client order id")

// Between two attempts of Place, at least and at most.
const (
	settleMin = 10 * time.Millisecond
	settleMax = time.Second
)

// Retry reports whether a request that came to err may be sent again: the server was not
// there, is starting or stopping, or had no room. A request that was cut off may have been
// taken: an order that is sent again needs the same client order id.
func Retry(err error) bool {
	var r *Refusal
	switch {
	case err == nil, errors.Is(err, ErrNoSession), errors.Is(err, ErrClosed):
		return false
	case errors.As(err, &r):
		return r.Status == http.StatusServiceUnavailable || r.Status == http.StatusTooManyRequests
	}
	return true
}

// Place enters an order and settles what became of it: while Retry says so, it is sent again
// under the same client order id, by which a server that has taken it answers with the order
// as it is. So an order that was under way when a server stopped is entered once, or
// refused, and its client knows which.
//
// Errors: ErrUnnamed, a *Refusal that is final, the cause of ctx; then nobody knows.
func (h *HTTP) Place(ctx context.Context, o Order) (OrderState, error) {
	if o.ClientOrderID == "" {
		return OrderState{}, ErrUnnamed
	}
	for backoff := settleMin; ; backoff = min(2*backoff, settleMax) {
		st, err := h.Order(o)
		if !Retry(err) {
			return st, err
		}
		select {
		case <-ctx.Done():
			return st, errors.Join(context.Cause(ctx), err)
		case <-time.After(backoff/2 + rand.N(backoff/2+1)):
		}
	}
}
