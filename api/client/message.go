package client

import (
	"encoding/json"
	"fmt"
	"strings"
)

// Message is one data frame. Data is valid only during the call of the handler.
type Message struct {
	Channel string          `json:"ch"`
	Seq     uint64          `json:"seq"`
	Idx     uint32          `json:"idx"`
	ETS     int64           `json:"ets"` // exchange time, ns
	RTS     int64           `json:"rts"` // receive time of the server, ns
	Data    json.RawMessage `json:"data"`
}

// BBO is the data of a bbo channel. Empty strings are unknown prices.
type BBO struct {
	BidPrice string `json:"bp"`
	BidQty   string `json:"bq"`
	AskPrice string `json:"ap"`
	AskQty   string `json:"aq"`
	Stale    bool   `json:"stale"`
}

// Trade is the data of a trade channel.
type Trade struct {
	Price string `json:"p"`
	Qty   string `json:"q"`
	Side  string `json:"side"`
	ID    uint64 `json:"id"`
}

// Depth is the data of a depth channel: levels are [price, quantity].
type Depth struct {
	Snapshot bool        `json:"snapshot"`
	Stale    bool        `json:"stale"`
	Bids     [][2]string `json:"b"`
	Asks     [][2]string `json:"a"`
}

// Candle is the data of a candle channel.
type Candle struct {
	OpenTime int64  `json:"t"`
	Open     string `json:"o"`
	High     string `json:"h"`
	Low      string `json:"l"`
	Close    string `json:"c"`
	Volume   string `json:"v"`
	Trades   uint64 `json:"n"`
	Closed   bool   `json:"closed"`
}

// Order is an order as it is sent. Empty fields are left out.
type Order struct {
	Account       string `json:"account,omitempty"`
	Strategy      string `json:"strategy,omitempty"`
	Instrument    string `json:"instrument,omitempty"`
	Side          string `json:"side,omitempty"`
	Type          string `json:"type,omitempty"`
	TimeInForce   string `json:"time_in_force,omitempty"`
	Price         string `json:"price,omitempty"`
	Qty           string `json:"qty,omitempty"`
	ClientOrderID string `json:"client_order_id,omitempty"`
	ReduceOnly    bool   `json:"reduce_only,omitempty"`
	ExpireTime    int64  `json:"expire_time,omitempty"`
	PositionSide  string `json:"position_side,omitempty"` // "both", "long" or "short"
	// CancelOnDisconnect says what becomes of the order when the connection ends
	// without a goodbye; nil: what the connection says. WebSocket only.
	CancelOnDisconnect *bool `json:"cancel_on_disconnect,omitempty"`
}

// Target names one order: by OrderID, or by Account and ClientOrderID.
type Target struct {
	OrderID       uint64 `json:"order_id,omitempty"`
	Account       string `json:"account,omitempty"`
	ClientOrderID string `json:"client_order_id,omitempty"`
}

// OrderState is an order as the server tells it.
type OrderState struct {
	OrderID       uint64 `json:"order_id"`
	ClientOrderID string `json:"client_order_id"`
	Account       string `json:"account"`
	Strategy      string `json:"strategy"`
	Instrument    string `json:"instrument"`
	Side          string `json:"side"`
	Type          string `json:"type"`
	TimeInForce   string `json:"time_in_force"`
	Price         string `json:"price"`
	Qty           string `json:"qty"`
	CumQty        string `json:"cum_qty"`
	LeavesQty     string `json:"leaves_qty"`
	AvgPrice      string `json:"avg_price"`
	Status        string `json:"status"`
	ReduceOnly    bool   `json:"reduce_only"`
	Pending       string `json:"pending"`
	Unknown       bool   `json:"unknown"`
	Reason        string `json:"reason"`
	PositionSide  string `json:"position_side"`
	// CancelOnDisconnect says that the order ends with the connection it came by.
	CancelOnDisconnect bool `json:"cancel_on_disconnect"`

	Created int64 `json:"created"`
	Updated int64 `json:"updated"`
	// Seq is the journal sequence after which the answer holds; Duplicate says
	// that it is the answer of an earlier order with the same client order id.
	Seq       uint64 `json:"seq"`
	Duplicate bool   `json:"duplicate"`
}

// Scope is the node of the limit tree that refused.
type Scope struct {
	Level      string `json:"level"`
	Account    string `json:"account"`
	Strategy   string `json:"strategy"`
	Instrument string `json:"instrument"`
}

// Refusal is an answer that is not ok: a refused order, a request that was not
// understood. It is returned as an error.
type Refusal struct {
	Status int    `json:"status"` // HTTP only
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Field  string `json:"field"`
	Limit  string `json:"limit"`
	Value  string `json:"value"`
	Unit   string `json:"unit"`
	Scope  *Scope `json:"scope"`
}

// Error returns "code: detail"; the detail of a refusal begins with its code already.
func (r *Refusal) Error() string {
	if strings.HasPrefix(r.Detail, r.Code) {
		return r.Detail
	}
	return fmt.Sprintf("%s: %s", r.Code, r.Detail)
}
