package client

import (
	"context"
	"fmt"
	"time"

	"github.com/bytedance/sonic"
)

// Selection is what a cancel of all or a countdown is about: the firm, or what the
// names narrow it to.
type Selection struct {
	Account    string `json:"account,omitempty"`
	Strategy   string `json:"strategy,omitempty"`
	Instrument string `json:"instrument,omitempty"`
}

// StateChange sets the trading state of a scope.
type StateChange struct {
	Scope string `json:"scope"` // "firm", "account", "strategy" or "instrument"
	Selection
	State      string `json:"state"` // "active", "reducing" or "halted"
	Reason     string `json:"reason,omitempty"`
	CancelOpen bool   `json:"cancel_open,omitempty"`
}

// stopped is the answer to what stops a scope.
type stopped struct {
	Cancelled int   `json:"cancelled"`
	Deadline  int64 `json:"deadline"`
}

// CancelAll cancels every open order of a scope and returns how many.
func (c *Conn) CancelAll(ctx context.Context, s Selection) (int, error) {
	a, err := c.stop(ctx, struct {
		request
		Selection
	}{request{Op: "cancel_all"}, s})
	return a.Cancelled, err
}

// SetState halts, reduces or resumes a scope and returns how many orders it cancelled.
func (c *Conn) SetState(ctx context.Context, s StateChange) (int, error) {
	a, err := c.stop(ctx, struct {
		request
		StateChange
	}{request{Op: "state"}, s})
	return a.Cancelled, err
}

// Countdown has the open orders of a scope cancelled unless it is called again within
// timeout, and returns when that is, in ns; 0 disarms it.
func (c *Conn) Countdown(ctx context.Context, s Selection, timeout time.Duration) (int64, error) {
	a, err := c.stop(ctx, countdown{"countdown", s, timeout.Milliseconds()})
	return a.Deadline, err
}

type countdown struct {
	Op string `json:"op,omitempty"`
	Selection
	Timeout int64 `json:"timeout_ms"`
}

// CancelOnDisconnect says whether orders that are entered from now on, and do not say
// otherwise, are cancelled when the connection ends without a goodbye. It does not
// hold for the connection that a reconnect makes.
func (c *Conn) CancelOnDisconnect(ctx context.Context, enable bool) error {
	_, err := c.Do(ctx, struct {
		request
		Enable bool `json:"enable"`
	}{request{Op: "cancel_on_disconnect"}, enable})
	return err
}

// Logout says goodbye: the server ends the connection, and orders stay.
func (c *Conn) Logout(ctx context.Context) error {
	_, err := c.Do(ctx, request{Op: "logout"})
	return err
}

func (c *Conn) stop(ctx context.Context, req any) (a stopped, err error) {
	body, err := c.Do(ctx, req)
	if err != nil {
		return a, err
	}
	if err := sonic.Unmarshal(body, &a); err != nil {
		return a, fmt.Errorf("client: answer: %w", err)
	}
	return a, nil
}
