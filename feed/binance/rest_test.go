package binance

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"qcat/core"
	"qcat/feed"
)

// answer is what the test's server says next.
type answer struct {
	status int
	header string // Retry-After
	body   string
}

func restServer(t *testing.T, m Market, clock core.Clock, answers ...answer) (*REST, *[]string) {
	t.Helper()
	var asked []string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		a := answers[min(len(asked), len(answers))-1]
		if a.header != "" {
			w.Header().Set("Retry-After", a.header)
		}
		w.WriteHeader(a.status)
		w.Write([]byte(a.body))
	}))
	t.Cleanup(srv.Close)
	return NewREST(m, srv.URL+"/", nil, clock), &asked
}

func TestRESTPaths(t *testing.T) {
	for market, want := range map[Market]string{
		Spot: "/api/v3/depth?limit=1000&symbol=BTCUSDT", USDM: "/fapi/v1/depth?limit=1000&symbol=BTCUSDT",
	} {
		r, asked := restServer(t, market, nil, answer{200, "", "body"})
		body, err := r.Depth(context.Background(), "BTCUSDT", SnapshotLimit)
		if err != nil || string(body) != "body" || (*asked)[0] != want {
			t.Errorf("%q, %v, asked %q, want %q", body, err, *asked, want)
		}
	}
}

func TestRESTRateLimitIsHonouredByAllCallers(t *testing.T) {
	clock := core.NewManualClock(0)
	r, asked := restServer(t, Spot, clock, answer{429, "7", ""}, answer{418, "120", ""}, answer{200, "", "ok"})
	call := func() error {
		_, err := r.Depth(context.Background(), "BTCUSDT", 5)
		return err
	}
	check := func(err error, banned bool, after time.Duration, calls int) {
		t.Helper()
		var limited *feed.RateLimitError
		if !errors.As(err, &limited) || limited.Banned != banned || limited.RetryAfter != after {
			t.Fatalf("error %v, want banned %v for %s", err, banned, after)
		}
		if len(*asked) != calls {
			t.Fatalf("%d calls were sent, want %d", len(*asked), calls)
		}
	}
	check(call(), false, 7*time.Second, 1)
	clock.Advance(3 * time.Second)
	check(call(), false, 4*time.Second, 1)
	clock.Advance(4 * time.Second)
	check(call(), true, 2*time.Minute, 2)
	clock.Advance(time.Minute)
	check(call(), true, time.Minute, 2)
	clock.Advance(time.Minute)
	if err := call(); err != nil || len(*asked) != 3 {
		t.Fatalf("after the ban: %v, %d calls", err, len(*asked))
	}
}

func TestRESTErrors(t *testing.T) {
	r, _ := restServer(t, Spot, nil,
		answer{400, "", `{"code":-1121,"msg":"Invalid symbol."}`}, answer{502, "", "<html>"},
		answer{429, "", ""}) // no Retry-After
	_, err := r.Depth(context.Background(), "X", 5)
	var status *StatusError
	var venue *VenueError
	if !errors.As(err, &status) || status.Status != 400 || !errors.As(err, &venue) || venue.Code != -1121 {
		t.Errorf("refusal: %v", err)
	}
	if _, err = r.Depth(context.Background(), "X", 5); !errors.As(err, &status) || status.Status != 502 {
		t.Errorf("proxy page: %v", err)
	}
	var limited *feed.RateLimitError
	if _, err = r.Depth(context.Background(), "X", 5); !errors.As(err, &limited) || limited.RetryAfter != defaultRetryAfter {
		t.Errorf("no Retry-After: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	fresh, _ := restServer(t, Spot, nil, answer{200, "", ""})
	if _, err = fresh.Depth(ctx, "X", 5); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestRESTInstruments(t *testing.T) {
	r, asked := restServer(t, Spot, nil, answer{200, "", spotInfo})
	if got, err := r.Instruments(context.Background(), []string{"BTCUSDT"}); err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if want := "/api/v3/exchangeInfo?symbols=%5B%22BTCUSDT%22%5D"; (*asked)[0] != want {
		t.Errorf("asked %q, want %q", (*asked)[0], want)
	}
	r, asked = restServer(t, Spot, nil, answer{400, "", `{"code":-1121,"msg":"Invalid symbol."}`}, answer{200, "", spotInfo})
	_, err := r.Instruments(context.Background(), []string{"BTCUSD"})
	if !errors.Is(err, ErrUnknownSymbol) || !strings.Contains(err.Error(), "BTCUSDT") || len(*asked) != 2 {
		t.Errorf("%v after %q", err, *asked)
	}
}
