package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"

	"qcat/api/client"
	"qcat/persist/redis/redistest"
)

// redisSays sends one command and returns the first line of the answer.
func redisSays(t *testing.T, addr, command string) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := fmt.Fprintf(c, "%s\r\n", command); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

// TestRedisComesAndGoes empties Redis and stops it: answers stay right, health says
// degraded, and Redis is filled again by itself.
func TestRedisComesAndGoes(t *testing.T) {
	t.Parallel()
	cache := redistest.Start(t)
	p := serve(t, append([]string{"--demo", "--redis-url", cache.URL()}, small...)...)
	p.live(btc)
	p.until(p.accepted(client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.010"}).OrderID, "filled")
	filled := func() bool { return strings.TrimPrefix(redisSays(t, cache.Addr(), "DBSIZE"), ":") != "0" }
	eventually(t, "Redis is filled", filled)
	p.untilComponent("redis", "ok")
	if got := redisSays(t, cache.Addr(), "FLUSHALL"); got != "+OK" {
		t.Fatalf("FLUSHALL: %s", got)
	}
	eventually(t, "Redis is filled again", filled)
	cache.Stop()
	p.untilComponent("redis", "degraded")
	if status, h := p.health(); status != 200 || h.Status != "degraded" {
		t.Errorf("health: %d, %+v", status, h)
	}
	p.until(p.accepted(client.Order{Account: "demo", Instrument: btc, Side: "buy", Type: "market", Qty: "0.010"}).OrderID, "filled")
	if held := p.rows("/api/v1/positions", "qty"); len(held) != 1 || held[0]["qty"] != "0.020" {
		t.Errorf("held: %v", held)
	}
	cache.Restart()
	p.untilComponent("redis", "ok")
	eventually(t, "Redis is filled after its restart", filled)
}
