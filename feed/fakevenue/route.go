package fakevenue

import (
	"context"
	"strings"
)

// Route is the part of the venue's streams that an address serves. USD-M parts
// them: a subscription at the wrong address is accepted and never served.
type Route string

const (
	// RouteAll is the bare address, which serves everything, as spot's does.
	RouteAll Route = ""
	// RoutePublic serves depth, bookTicker and trade.
	RoutePublic Route = "/public"
	// RouteMarket serves markPrice and aggTrade.
	RouteMarket Route = "/market"
)

// routeOf returns the route of a request's path.
func routeOf(path string) Route {
	for _, r := range []Route{RoutePublic, RouteMarket} {
		if strings.HasPrefix(path, string(r)+"/") {
			return r
		}
	}
	return RouteAll
}

// serves reports whether a stream is served on the route.
func (r Route) serves(stream string) bool {
	regular := strings.Contains(stream, "@markPrice") || strings.Contains(stream, "@aggTrade")
	return r == RouteAll || regular == (r == RouteMarket)
}

// WSAt returns the base URL of the streams of a route, for binance.Options.WS and
// MarketWS.
func (s *Server) WSAt(r Route) string { return "ws://" + s.addr + string(r) }

// DropRoute cuts the WebSocket connections of a route without a goodbye.
func (s *Server) DropRoute(r Route) {
	s.drop(func(c *client) bool { return c.route == r })
}

// drop cuts the connections that which picks.
func (s *Server) drop(which func(*client) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.clients {
		if which(c) {
			c.ws.Close()
		}
	}
}

// WaitRoute returns once n connections of a route are open that have subscribed
// to something.
func (s *Server) WaitRoute(ctx context.Context, r Route, n int) error {
	return s.waitClients(ctx, n, func(c *client) bool { return c.route == r && c.count() > 0 })
}

// WaitSubscribed returns once n connections are open that have subscribed to
// something.
func (s *Server) WaitSubscribed(ctx context.Context, n int) error {
	return s.waitClients(ctx, n, func(c *client) bool { return c.count() > 0 })
}

func (s *Server) waitClients(ctx context.Context, n int, which func(*client) bool) error {
	return s.wait(ctx, func() bool {
		found := 0
		for c := range s.clients {
			if which(c) {
				found++
			}
		}
		return found >= n
	})
}
