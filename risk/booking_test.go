package risk

import "qcat/core"

// filled is a plain fill: no fee, at a price.
func filled(h *Hold, qty core.Qty, price core.Price) *Booking {
	return &Booking{Qty: qty, Moves: core.Qty(h.order.Side.Sign()) * qty, Price: price}
}
