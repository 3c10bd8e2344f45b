package engine

// Connect names where reference prices are read and which gateways, by venue
// name, take the orders, in place of those of Config. A server that recovers
// knows its instruments, and with them its feeds and venues, only after Recover.
//
// Errors: ErrRunning.
func (e *Engine) Connect(quotes Quotes, gateways map[string]Gateway) error {
	e.runMu.Lock()
	defer e.runMu.Unlock()
	if e.running {
		return ErrRunning
	}
	e.cfg.Quotes, e.cfg.Gateways = quotes, gateways
	e.outboxes = newOutboxes(gateways)
	e.outboxOf = []int16{-1} // slot 0 is no instrument
	return nil
}
