package binance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"qcat/core"
	"qcat/feed"
)

// Bounds of REST answers, in bytes: what is longer is refused, not truncated.
const (
	maxSnapshotBody     = 8 << 20
	maxExchangeInfoBody = 128 << 20 // spot lists thousands of symbols
)

// defaultRetryAfter is waited when the venue does not say how long.
const defaultRetryAfter = time.Minute

// statusBanned is what the venue answers to who went on after 429.
const statusBanned = 418

// codeInvalidSymbol is the venue's number for "Invalid symbol.".
const codeInvalidSymbol = -1121

// REST asks a market's public HTTP interface. It is safe for concurrent use, and
// after the venue said 429 or 418 to one caller it refuses all of them, without
// sending, until the time the venue named.
type REST struct {
	market Market
	base   string
	client *http.Client
	clock  core.Clock
	until  atomic.Int64 // nothing is sent before this time
	status atomic.Int64 // what the venue said then: 429 or 418
}

// NewREST returns a client of the market at base ("" for the venue's own
// address). A nil client gets a timeout of ten seconds a call, a nil clock is
// the system's.
func NewREST(m Market, base string, client *http.Client, clock core.Clock) *REST {
	if base == "" {
		base = map[Market]string{Spot: SpotREST, USDM: USDMREST}[m]
	}
	if client == nil {
		client = &http.Client{Timeout: 10 * time.Second}
	}
	if clock == nil {
		clock = core.SystemClock()
	}
	return &REST{market: m, base: strings.TrimSuffix(base, "/"), client: client, clock: clock}
}

// Depth returns the raw body of a depth snapshot of at most limit levels a side,
// as Decoder takes it.
//
// Errors: *feed.RateLimitError, *StatusError, and those of the transport.
func (r *REST) Depth(ctx context.Context, symbol string, limit int) ([]byte, error) {
	q := url.Values{"symbol": {symbol}, "limit": {strconv.Itoa(limit)}}
	return r.get(ctx, "/depth", q, maxSnapshotBody)
}

// Instruments returns the venue's rules for the named symbols. See
// ParseExchangeInfo; its errors are returned beside those of Depth.
func (r *REST) Instruments(ctx context.Context, symbols []string) ([]core.Instrument, error) {
	var q url.Values
	if r.market == Spot {
		// Spot can be asked for a selection; USD-M always tells everything.
		list, err := json.Marshal(symbols)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrExchangeInfo, err)
		}
		q = url.Values{"symbols": {string(list)}}
	}
	body, err := r.get(ctx, "/exchangeInfo", q, maxExchangeInfoBody)
	var refused *VenueError
	if q != nil && errors.As(err, &refused) && refused.Code == codeInvalidSymbol {
		// The venue does not say which symbol it does not know: look for ourselves.
		body, err = r.get(ctx, "/exchangeInfo", nil, maxExchangeInfoBody)
	}
	if err != nil {
		return nil, err
	}
	return ParseExchangeInfo(r.market, body, symbols)
}

// get returns the body of a 2xx answer of at most limit bytes.
func (r *REST) get(ctx context.Context, path string, q url.Values, limit int64) ([]byte, error) {
	if err := r.barred(); err != nil {
		return nil, err
	}
	target := r.base + r.market.restPrefix() + path
	if len(q) > 0 {
		target += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		return nil, fmt.Errorf("binance: %w", err)
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("binance: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == statusBanned {
		return nil, r.bar(resp)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("binance: %s: %w", path, err)
	case resp.StatusCode < 200 || resp.StatusCode > 299:
		e := &StatusError{Status: resp.StatusCode}
		// A proxy's error page is no JSON; the status alone has to do then.
		_ = json.Unmarshal(body, &e.Venue)
		return nil, e
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("binance: %s: answer is longer than %d bytes", path, limit)
	}
	return body, nil
}

// bar notes how long the venue wants to be left alone.
func (r *REST) bar(resp *http.Response) error {
	wait := defaultRetryAfter
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 {
		wait = time.Duration(s) * time.Second
	}
	r.status.Store(int64(resp.StatusCode))
	until := int64(r.clock.Now()) + int64(wait)
	for old := r.until.Load(); until > old; old = r.until.Load() {
		if r.until.CompareAndSwap(old, until) {
			break
		}
	}
	return &feed.RateLimitError{RetryAfter: wait, Banned: resp.StatusCode == statusBanned}
}

// barred returns an error while the venue wants to be left alone.
func (r *REST) barred() error {
	left := time.Duration(r.until.Load() - int64(r.clock.Now()))
	if left <= 0 {
		return nil
	}
	return &feed.RateLimitError{RetryAfter: left, Banned: r.status.Load() == statusBanned}
}
