package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"qcat/bench/process"
)

// benchAccounts is the configuration of n accounts with the limits of the demo, but
// for rates, which are out of reach.
func benchAccounts(n int) string {
	var b strings.Builder
	b.WriteString("firm:\n  limits: {max_exposure_gross: \"20000000\", message_rate: 1000000/1s}\naccounts:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - name: bench%d\n    balances: {USDT: \"1000000\"}\n    leverage: 10x\n    limits: {%s}\n", i,
			`price_collar_buy_up: 2%, price_collar_buy_down: 4%, price_collar_sell_up: 4%, price_collar_sell_down: 2%, market_slippage: 1%, `+
				`max_notional: "1000000", max_open_orders: 100000, max_amends: 100, max_exposure_gross: "10000000", max_exposure_net: "5000000", `+
				`message_rate: 1000000/1s, order_rate: 1000000/1s, margin_required: true, max_leverage: 10x, self_trade: cancel_newest, `+
				`max_loss_daily: "100000", max_drawdown: "200000", loss_action: reduce, loss_confirmations: 3, max_scenario_loss: "750000"`)
	}
	return b.String()
}

// runName begins the client order ids of one load, so that no other has used them.
func runName() string { return "l" + strconv.FormatInt(time.Now().UnixNano(), 36) + "-" }

// orderServer starts a server for orders of so many accounts.
func orderServer(ctx context.Context, set settings, accounts int, mode string) (*process.Server, error) {
	return startWith(ctx, set.binary, benchAccounts(accounts), "--sim-rate", "20", "--journal-sync", mode)
}

// httpLoad are clients that POST orders to a server or to a bare handler.
func httpLoad(addr string, pid int, metrics string, conns, accounts int) (*orderLoad, error) {
	l, err := newOrderLoad(addr, conns, false, &httpOrders{orderText: orderText{runName(), accounts}}, 1)
	if err == nil {
		l.pid, l.metrics = pid, metrics
	}
	return l, err
}

// socketDepth is how many orders of one WebSocket may be out in an open loop: the
// server takes 1 024.
const socketDepth = 1000

// closedDepth is the same in a closed loop.
const closedDepth = 8

// socketLoad are clients that send orders over a WebSocket.
func socketLoad(p *process.Server, conns, accounts, depth int) (*orderLoad, error) {
	l, err := newOrderLoad(p.Addr, conns, true, &socketOrders{orderText: orderText{runName(), accounts}}, depth)
	if err == nil {
		l.pid, l.metrics = p.Pid(), p.Addr
	}
	return l, err
}

// climbOrders is the ladder of orders: over HTTP and WebSocket with the journal in the
// page cache, beside a bare handler; and over HTTP with an acknowledgement that waits
// for the disk, beside a bare group commit.
func climbOrders(ctx context.Context, w io.Writer, set settings) error {
	handler, err := startFloor("http")
	if err != nil {
		return err
	}
	defer handler.stop()
	for _, mode := range []string{"os", "always"} {
		if err := climbMode(ctx, w, set, mode, handler); err != nil {
			return fmt.Errorf("journal-sync %s: %w", mode, err)
		}
	}
	return nil
}

// climbMode is the ladder in one mode of the journal, on a server of its own.
func climbMode(ctx context.Context, w io.Writer, set settings, mode string, handler *floorProcess) error {
	p, err := orderServer(ctx, set, 1, mode)
	if err != nil {
		return err
	}
	defer p.Close()
	n := set.ladder.conns
	own, err := httpLoad(p.Addr, p.Pid(), p.Addr, n, 1)
	if err != nil {
		return err
	}
	defer own.close()
	bare, err := httpLoad(handler.addr, handler.cmd.Process.Pid, "", n, 1)
	if err != nil {
		return err
	}
	defer bare.close()
	conns := fmt.Sprintf(", %d connections", n)
	http := &rung{what: "order over HTTP, journal-sync " + mode + conns, floorWhat: "bare fasthttp POST" + conns, server: own, floor: bare, clients: n}
	if mode == "always" {
		disk := groupCommit{dir: p.Dir, pid: os.Getpid()}
		http.floor, http.floorWhat = disk, fmt.Sprintf("bare group commit, %d B and fdatasync", orderSize)
		if err := http.climb(ctx, w, set, set.ladder.orderRates); err != nil {
			return err
		}
		return saturateBoth(ctx, w, set, http.what, own.saturate, fmt.Sprintf("bare group commit of %d writers", n), disk.saturated(n))
	}
	if err := http.climb(ctx, w, set, set.ladder.orderRates); err != nil {
		return err
	}
	if err := saturateBoth(ctx, w, set, http.what, own.saturate, http.floorWhat, bare.saturate); err != nil {
		return err
	}
	socket, err := socketLoad(p, n, 1, socketDepth)
	if err != nil {
		return err
	}
	defer socket.close()
	over := &rung{what: "order over WebSocket, journal-sync " + mode + conns, floorWhat: http.floorWhat, server: socket, floor: bare, clients: n}
	if err := over.climb(ctx, w, set, set.ladder.orderRates); err != nil {
		return err
	}
	socket.depth = closedDepth
	return saturateBoth(ctx, w, set, fmt.Sprintf("%s, %d out on each", over.what, closedDepth), socket.saturate, over.floorWhat, bare.saturate)
}

// saturated is one load that goes as fast as it can.
type saturated func(ctx context.Context, length time.Duration) (*outcome, error)

// saturateBoth measures what server and floor take at most, in the order floor,
// server twice, floor.
func saturateBoth(ctx context.Context, w io.Writer, set settings, what string, server saturated, floorWhat string, floor saturated) error {
	var sums [2]*outcome
	for _, side := range []int{0, 1, 1, 0} {
		o, err := []saturated{floor, server}[side](ctx, set.ladder.step/2)
		if err != nil {
			return fmt.Errorf("%s, saturated: %w", []string{floorWhat, what}[side], err)
		}
		if o.refused > 0 {
			return fmt.Errorf("%s, saturated: %d refused: %s", []string{floorWhat, what}[side], o.refused, o.reason)
		}
		if sums[side] != nil {
			o = sums[side].plus(o)
		}
		sums[side] = o
	}
	under, over := newFigure("saturated", floorWhat+", closed loop", sums[0]), newFigure("saturated", what+", closed loop", sums[1])
	under.Floor = true
	over.beside(&under)
	set.results.add(under, over)
	printRow(w, ladderColumns, &under)
	printRow(w, ladderColumns, &over)
	return nil
}
