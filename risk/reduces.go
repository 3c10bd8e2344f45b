package risk

// reduces tells against which positions an order only reduces.
type reduces uint8

const (
	reducesAccount  reduces = 1 << iota // exempts from the firm's and the account's limits
	reducesStrategy                     // exempts from the strategy's limits
)
