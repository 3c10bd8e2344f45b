package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"qcat/bench/process"
)

// row is one line of the table of latencies.
type row struct {
	what string
	rate int
	run  func(ctx context.Context) (*measured, error)
}

const (
	frameSize  = 150 // bytes, about those of a bbo frame as a client receives it
	orderSize  = 300 // bytes, about those of an order's records in the journal
	answerSize = 400 // bytes, about those of an order's answer
	orderConns = 8   // keep-alive connections of the order rows
)

// syncModes are the modes of --journal-sync.
var syncModes = []string{"always", "batch", "os"}

// latencyRows is the scenario latency.
func latencyRows(ctx context.Context, w io.Writer, set settings) error {
	rows := tickRows(set)
	orders, stop, err := orderRows(ctx, set)
	if err != nil {
		return err
	}
	defer stop()
	header(w, "what", "rate/s", "delivered")
	for _, r := range append(rows, orders...) {
		m, err := r.run(ctx)
		if err != nil {
			return fmt.Errorf("%s at %d/s: %w", r.what, r.rate, err)
		}
		m.phases[0].line(w, r.what, r.rate, m.count())
	}
	return nil
}

func tickRows(set settings) (rows []row) {
	for _, rate := range []int{1_000, 10_000} {
		rows = append(rows, row{fmt.Sprintf("bare TCP echo, %d B", frameSize), rate, func(ctx context.Context) (*measured, error) {
			return echoFloor(ctx, newSchedule(rate, set.length), frameSize)
		}})
		for _, clients := range []int{1, 10} {
			rows = append(rows, row{"tick to client, " + plural(clients, "client"), rate, func(ctx context.Context) (*measured, error) {
				return tickToClient(ctx, set.binary, rate, clients, set.length)
			}})
		}
	}
	return rows
}

// orderRows starts a server in each mode of the journal; the modes take turns at
// each rate.
func orderRows(ctx context.Context, set settings) (rows []row, stop func(), err error) {
	var servers []*process.Server
	stop = func() {
		for _, p := range servers {
			p.Close()
		}
	}
	for _, mode := range syncModes {
		p, err := process.Start(ctx, process.Options{Binary: set.binary, Args: []string{"--sim-rate", "50", "--journal-sync", mode}})
		if err != nil {
			stop()
			return nil, nil, err
		}
		servers = append(servers, p)
	}
	for _, rate := range []int{500, 900} {
		rows = append(rows, row{fmt.Sprintf("bare fasthttp POST, %d connections", orderConns), rate, func(ctx context.Context) (*measured, error) {
			url, stop, err := httpFloor(make([]byte, answerSize))
			if err != nil {
				return nil, err
			}
			defer stop()
			return postAll(ctx, newSchedule(rate, set.length), url, orderConns, orderBody)
		}}, row{fmt.Sprintf("bare group commit, %d B and fdatasync", orderSize), rate, func(ctx context.Context) (*measured, error) {
			return syncFloor(ctx, newSchedule(rate, set.length), os.TempDir(), orderSize)
		}})
		for i, mode := range syncModes {
			rows = append(rows, row{fmt.Sprintf("order to acknowledgement, journal-sync %s, %d connections", mode, orderConns), rate, func(ctx context.Context) (*measured, error) {
				return postAll(ctx, newSchedule(rate, set.length), ordersURL(servers[i]), orderConns, orderBody)
			}})
		}
	}
	return rows, stop, nil
}

func ordersURL(p *process.Server) string { return "http://" + p.Addr + "/api/v1/orders" }

// orderBody is order i: small, far enough from the market to rest nowhere (IOC),
// near enough to pass the collar.
func orderBody(i int, dst []byte) []byte {
	dst = append(dst, `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"limit","time_in_force":"ioc","price":"59000.00","qty":"0.010",`...)
	return appendClientID(i, dst)
}

// tradingBody is order i of a flow in which one in eight trades, on either side in
// turn, so that executions and positions come of it.
func tradingBody(i int, dst []byte) []byte {
	if i%8 != 0 {
		return orderBody(i, dst)
	}
	side := "buy"
	if i%16 == 0 {
		side = "sell"
	}
	dst = append(dst, `{"account":"demo","instrument":"sim:BTCUSDT","side":"`...)
	dst = append(dst, side...)
	dst = append(dst, `","type":"market","qty":"0.010",`...)
	return appendClientID(i, dst)
}

// appendClientID ends an order with an id that no other run has used.
func appendClientID(i int, dst []byte) []byte {
	dst = append(dst, `"client_order_id":"w`...)
	dst = strconv.AppendInt(dst, int64(i), 10)
	dst = append(dst, '-')
	dst = strconv.AppendInt(dst, time.Now().UnixNano(), 36)
	return append(dst, `"}`...)
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}
