package risk

// String returns the stable textual code ("risk.price_collar"), "" for OK.
func (c Code) String() string { return "" }

// ParseCode returns the code of that text and whether there is one.
func ParseCode(s string) (Code, bool) { return 0, false }
