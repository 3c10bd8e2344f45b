package client

import (
	"encoding/json"
	"net/url"
	"time"
)

// WhatIf is what became of one order that was only asked about.
type WhatIf struct {
	Accepted  bool            `json:"accepted"`
	Duplicate bool            `json:"duplicate"`
	Order     *OrderState     `json:"order"`    // nil: a name that nobody knows
	Refusals  []Refusal       `json:"refusals"` // every control that it would fail
	After     json.RawMessage `json:"after"`    // what would have been used; see docs/api.md
}

// WhatIf asks about orders without sending them, each as if the others were not, and
// returns the journal sequence that all were asked against.
func (h *HTTP) WhatIf(orders []Order) (results []WhatIf, seq uint64, err error) {
	var a struct {
		Seq     uint64   `json:"seq"`
		Results []WhatIf `json:"results"`
	}
	err = h.Call("POST", "orders/check", map[string]any{"orders": orders}, &a)
	return a.Results, a.Seq, err
}

// Countdown has the open orders of a scope cancelled unless it is called again within
// timeout, and returns when that is, in ns; 0 disarms it.
func (h *HTTP) Countdown(s Selection, timeout time.Duration) (int64, error) {
	var a stopped
	err := h.Call("POST", "orders/countdown", countdown{Selection: s, Timeout: timeout.Milliseconds()}, &a)
	return a.Deadline, err
}

// SetState halts, reduces or resumes a scope and returns how many orders it cancelled.
func (h *HTTP) SetState(s StateChange) (int, error) {
	var a stopped
	err := h.Call("POST", "risk/state", s, &a)
	return a.Cancelled, err
}

// Transfer moves an amount, a decimal, into an account, or out of it when it is
// negative.
func (h *HTTP) Transfer(account, currency, amount, by, reason string) error {
	return h.Call("POST", "accounts/"+url.PathEscape(account)+"/transfers", struct {
		Currency string `json:"currency"`
		Amount   string `json:"amount"`
		By       string `json:"by,omitempty"`
		Reason   string `json:"reason,omitempty"`
	}{currency, amount, by, reason}, nil)
}

// Margin is a change of an account's margin settings; empty fields stay.
type Margin struct {
	Instrument   string `json:"instrument,omitempty"`
	Leverage     string `json:"leverage,omitempty"`
	Mode         string `json:"mode,omitempty"`          // "cross" or "isolated"
	PositionMode string `json:"position_mode,omitempty"` // "one_way" or "hedge"
	Amount       string `json:"amount,omitempty"`        // to add to an isolated position
	PositionSide string `json:"position_side,omitempty"` // whose that is
	By           string `json:"by,omitempty"`
}

// SetMargin changes an account's margin settings.
func (h *HTTP) SetMargin(account string, m Margin) error {
	return h.Call("PUT", "accounts/"+url.PathEscape(account)+"/margin", m, nil)
}

// Funding books a payment between the long and the short holders of an instrument:
// rate of the value at price, paid by longs.
func (h *HTTP) Funding(instrument, rate, price string) error {
	return h.Call("POST", "funding", map[string]string{"instrument": instrument, "rate": rate, "price": price}, nil)
}
