package main

import (
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ladderSettings are those of the scenarios that look for a limit.
type ladderSettings struct {
	step        time.Duration // of a rate and side
	criterion   criterion
	rates       numbers // ticks a second
	orderRates  numbers
	instruments int
	clients     int
	conns       int // of orders

	subscribers numbers // of fanout
	deliveries  int     // a second, of its rows that are not saturated
	churn       int     // subscriptions, their ends and reconnects a second

	scale    numbers // instruments
	accounts numbers
	ticks    int // a second, of scale
	orders   int
}

// register makes flags of them.
func (l *ladderSettings) register(flags *flag.FlagSet) {
	l.criterion.share = leastShare
	l.rates = numbers{1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 2_000_000}
	l.orderRates = numbers{500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000}
	l.subscribers = numbers{100, 400, 1_000, 10_000}
	l.scale, l.accounts = numbers{10, 100, 1_000, 10_000}, numbers{10, 100, 1_000, 10_000, 100_000}
	flags.DurationVar(&l.step, "step", 2*time.Second, "ladder, fanout, scale: length of a row")
	flags.DurationVar(&l.criterion.p99, "p99", 100*time.Millisecond, "ladder: a rate whose p99 is above it is too much")
	flags.Var(&l.rates, "rates", "ladder: ticks a second, rising")
	flags.Var(&l.orderRates, "order-rates", "ladder: orders a second, rising")
	flags.IntVar(&l.instruments, "instruments", 10, "ladder: instruments that the venue sends ticks of in turn; a client can follow 256")
	flags.IntVar(&l.clients, "clients", 1, "ladder: clients, each of which follows all instruments")
	flags.IntVar(&l.conns, "connections", 32, "ladder, scale: connections that orders come from")
	flags.Var(&l.subscribers, "subscribers", "fanout: clients of the one channel")
	flags.IntVar(&l.deliveries, "deliveries", 50_000, "fanout: deliveries a second of the rows that are not saturated")
	flags.IntVar(&l.churn, "churn", 200, "fanout: subscriptions, their ends and reconnects a second beside the clients")
	flags.Var(&l.scale, "scale-instruments", "scale: instruments")
	flags.Var(&l.accounts, "scale-accounts", "scale: accounts")
	flags.IntVar(&l.ticks, "scale-ticks", 10_000, "scale: ticks a second")
	flags.IntVar(&l.orders, "scale-orders", 2_000, "scale: orders a second")
}

// check refuses what cannot be measured.
func (l *ladderSettings) check() error {
	for _, n := range []int{l.instruments, l.clients, l.conns, l.deliveries, l.churn, l.ticks, l.orders} {
		if n < 1 {
			return errors.New("counts and rates must be positive")
		}
	}
	if l.step < 10*time.Millisecond || l.criterion.p99 <= 0 {
		return errors.New("a row takes 10 ms at least, and the bound of its p99 is positive")
	}
	if l.instruments > maxFollowed {
		return fmt.Errorf("a client can follow %d instruments", maxFollowed)
	}
	for _, n := range l.scale {
		if n > readers*maxFollowed {
			return fmt.Errorf("%d clients can follow %d instruments", readers, readers*maxFollowed)
		}
	}
	return nil
}

// numbers is a flag with several, parted by commas; empty is none.
type numbers []int

// String implements flag.Value.
func (ns *numbers) String() string {
	parts := make([]string, len(*ns))
	for i, n := range *ns {
		parts[i] = strconv.Itoa(n)
	}
	return strings.Join(parts, ",")
}

// Set implements flag.Value.
func (ns *numbers) Set(text string) error {
	*ns = nil
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is not a positive number", part)
		}
		*ns = append(*ns, n)
	}
	return nil
}
