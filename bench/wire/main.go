package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

func main() { os.Exit(command()) }

// command returns the exit code.
func command() int {
	binary := flag.String("binary", "bin/qcat", "the server")
	length := flag.Duration("length", 5*time.Second, "length of each row")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, *binary, *length); err != nil {
		fmt.Fprintln(os.Stderr, "wire:", err)
		return 1
	}
	return 0
}

// scenario is one row.
type scenario struct {
	what string
	rate int
	run  func(ctx context.Context) (latencies, int, error)
}

// frameSize is about that of a bbo frame as a client receives it.
const frameSize = 150

// orderConns is the number of keep-alive connections of the order rows.
const orderConns = 8

func run(ctx context.Context, w io.Writer, binary string, length time.Duration) error {
	orders, err := startServer(binary, "--demo", "--sim-rate", "50")
	if err != nil {
		return err
	}
	defer orders.stop()
	ordersURL := "http://" + orders.addr + "/api/v1/orders"

	fmt.Fprintln(w, "| what | rate/s | delivered | p50 | p90 | p99 | p99.9 | p99.99 | worst |")
	fmt.Fprintln(w, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")
	var rows []scenario
	for _, rate := range []int{1_000, 10_000} {
		rows = append(rows, scenario{fmt.Sprintf("bare TCP echo, %d B", frameSize), rate, func(ctx context.Context) (latencies, int, error) {
			return echoFloor(ctx, newSchedule(rate, length), frameSize)
		}})
		for _, clients := range []int{1, 10} {
			rows = append(rows, scenario{"tick to client, " + plural(clients, "client"), rate, func(ctx context.Context) (latencies, int, error) {
				return tickToClient(ctx, binary, rate, clients, length)
			}})
		}
	}
	for _, rate := range []int{500, 900} {
		rows = append(rows, scenario{fmt.Sprintf("bare fasthttp POST, %d connections", orderConns), rate, func(ctx context.Context) (latencies, int, error) {
			url, stop, err := httpFloor(make([]byte, 400))
			if err != nil {
				return latencies{}, 0, err
			}
			defer stop()
			return postAll(ctx, newSchedule(rate, length), url, orderConns, orderBody)
		}}, scenario{fmt.Sprintf("order to acknowledgement, %d connections", orderConns), rate, func(ctx context.Context) (latencies, int, error) {
			return postAll(ctx, newSchedule(rate, length), ordersURL, orderConns, orderBody)
		}})
	}
	for _, row := range rows {
		lat, n, err := row.run(ctx)
		if err != nil {
			return fmt.Errorf("%s at %d/s: %w", row.what, row.rate, err)
		}
		fmt.Fprintf(w, "| %s | %d | %d |", row.what, row.rate, n)
		for _, d := range lat.row() {
			fmt.Fprintf(w, " %s |", short(d))
		}
		fmt.Fprintln(w)
	}
	return nil
}

// orderBody is order i: small, far enough from the market to rest nowhere (IOC),
// near enough to pass the collar.
func orderBody(i int, dst []byte) []byte {
	dst = append(dst, `{"account":"demo","instrument":"sim:BTCUSDT","side":"buy","type":"limit","time_in_force":"ioc","price":"59000.00","qty":"0.010","client_order_id":"w`...)
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

// short prints a duration with three digits.
func short(d time.Duration) string {
	switch {
	case d < 10*time.Microsecond:
		return fmt.Sprintf("%.2f µs", float64(d)/1e3)
	case d < time.Millisecond:
		return fmt.Sprintf("%.1f µs", float64(d)/1e3)
	}
	return strings.Replace(fmt.Sprintf("%.2f ms", float64(d)/1e6), ".00 ", " ", 1)
}
