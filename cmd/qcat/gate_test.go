package main

import (
	"testing"

	"qcat/core/engine"
)

// TestAClosedGateTakesNoOrders, whichever way they come, and all else.
func TestAClosedGateTakesNoOrders(t *testing.T) {
	for name, hand := range map[string]func(*gate, *engine.Command) bool{
		"Submit": (*gate).Submit, "Put": (*gate).Put, "Execute": (*gate).Execute,
	} {
		g := &gate{Engine: engine.New(engine.Config{})}
		for kind, stops := range map[engine.CommandKind]bool{
			engine.CmdNew: true, engine.CmdAmend: true, engine.CmdCheck: false, engine.CmdCancel: false,
			engine.CmdCancelAll: false, engine.CmdState: false, engine.CmdCountdown: false,
		} {
			c := engine.Command{Kind: kind}
			g.closed.Store(false)
			if !hand(g, &c) {
				t.Errorf("%s: an open gate refuses kind %d", name, kind)
			}
			g.closed.Store(true)
			if hand(g, &c) == stops {
				t.Errorf("%s: a closed gate takes kind %d: %v, want %v", name, kind, stops, !stops)
			}
		}
	}
}
