package risk

// TradingState of a node. An order meets every node of its path: the strictest
// state decides.
type TradingState uint8

const (
	// StateActive admits what the limits admit.
	StateActive TradingState = iota
	// StateReducing admits only orders that truly reduce the position.
	StateReducing
	// StateHalted admits no new order and no amendment, not even a reducing one.
	// Cancels pass in every state.
	StateHalted
)

var stateNames = [...]string{"active", "reducing", "halted"}

// String returns the name used in JSON.
func (s TradingState) String() string {
	if int(s) < len(stateNames) {
		return stateNames[s]
	}
	return "unknown"
}

// ParseTradingState returns the state of that name and whether there is one.
func ParseTradingState(name string) (TradingState, bool) {
	for i, n := range stateNames {
		if n == name {
			return TradingState(i), true
		}
	}
	return 0, false
}
