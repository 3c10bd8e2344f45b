package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"qcat/api/client"
	"qcat/core"
)

// watchCmd shows channels live: a table on a terminal, a line a frame elsewhere.
type watchCmd struct {
	serverFlag `embed:""`
	Channels   []string `arg:"" name:"channel" help:"bbo:INSTRUMENT, trade:…, depth:…, candle.1m:…, orders, executions, positions or risk."`
}

// redrawEvery is how often the table is redrawn.
const redrawEvery = 100 * time.Millisecond

// Run implements the command.
func (c *watchCmd) Run(e *env) error {
	table := isTerminal(e.stdout)
	s := newScreen(c.Channels)
	addr, opts, err := c.options(e)
	if err != nil {
		return err
	}
	opts.Reconnect = true
	opts.OnState = func(err error) {
		if err != nil && !table {
			fmt.Fprintln(e.stderr, "qcat: disconnected, trying again:", err)
		}
		s.connection(err)
	}
	conn, err := client.Dial(e.ctx, addr, opts)
	if err != nil {
		return c.refused(err)
	}
	defer conn.Close()
	for i, ch := range c.Channels {
		handle := func(m *client.Message) { writeLine(e.stdout, m) }
		if table {
			handle = func(m *client.Message) { s.update(i, m) }
		}
		if err := conn.Subscribe(e.ctx, client.Sub{Channel: ch, Handle: handle}); err != nil {
			return c.refused(fmt.Errorf("%s: %w", ch, err))
		}
	}
	if !table {
		select {
		case <-e.ctx.Done():
			return nil
		case <-conn.Done():
			return conn.Err()
		}
	}
	return s.show(e, conn)
}

// writeLine prints one frame as one line of fields separated by tabs: receive
// time, channel, sequence, data.
func writeLine(w io.Writer, m *client.Message) {
	at := time.Unix(0, m.RTS).UTC().Format("15:04:05.000000")
	fmt.Fprintf(visible{w}, "%s\t%s\t%d\t%s\n", at, m.Channel, m.Seq, m.Data)
}

// screen is the state of the table: a row a channel. Updated on the
// connection's goroutine, drawn on the command's.
type screen struct {
	width int // of the longest channel's name

	mu   sync.Mutex
	rows []row
	down error
}

type row struct {
	channel string
	frames  uint64
	lastSeq uint64
	seen    time.Time
	text    string
	book    *client.Book
	risk    *riskTable
	rate    uint64 // frames of the last full second
	counted uint64
}

func newScreen(channels []string) *screen {
	s := &screen{rows: make([]row, len(channels)), width: len("CHANNEL")}
	for i, ch := range channels {
		s.width = max(s.width, len(ch))
		s.rows[i].channel = ch
		if strings.HasPrefix(ch, "depth:") {
			s.rows[i].book = client.NewBook()
		}
		if ch == "risk" {
			s.rows[i].risk = newRiskTable()
		}
	}
	return s
}

func (s *screen) connection(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = err
}

func (s *screen) update(i int, m *client.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := &s.rows[i]
	r.frames++
	r.lastSeq, r.seen = m.Seq, time.Now()
	if r.book != nil {
		r.book.Apply(m)
		return
	}
	if r.risk != nil && r.risk.update(m.Data) {
		return
	}
	r.text = dataText(m)
}

// show draws the table until the context or the connection ends.
func (s *screen) show(e *env, conn *client.Conn) error {
	tick := time.NewTicker(redrawEvery)
	defer tick.Stop()
	fmt.Fprint(e.stdout, "\x1b[?25l\x1b[2J")
	defer fmt.Fprint(e.stdout, "\x1b[?25h\n")
	for n := 0; ; n++ {
		s.draw(e.stdout, n > 0 && n%int(time.Second/redrawEvery) == 0)
		select {
		case <-e.ctx.Done():
			return nil
		case <-conn.Done():
			return conn.Err()
		case <-tick.C:
		}
	}
}

// draw redraws the table in place; second says that a second has passed.
func (s *screen) draw(w io.Writer, second bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	width := 120
	if f, ok := w.(interface{ Fd() uintptr }); ok {
		if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols > 20 {
			width = cols
		}
	}
	var b strings.Builder
	b.WriteString("\x1b[H")
	line := func(text string) {
		if text = printable(text); len(text) > width {
			text = text[:width]
		}
		b.WriteString(text + "\x1b[K\n")
	}
	head := func(channel, frames, rate, seq any) string {
		return fmt.Sprintf("%-*v %8v %6v %9v  ", s.width, channel, frames, rate, seq)
	}
	line(head("CHANNEL", "FRAMES", "PER S", "SEQ") + "LATEST")
	for i := range s.rows {
		r := &s.rows[i]
		if second {
			r.rate, r.counted = r.frames-r.counted, r.frames
		}
		columns := head(r.channel, r.frames, r.rate, r.lastSeq)
		if r.book != nil {
			r.text = bookText(r.book, width-len(columns))
		}
		line(columns + r.text)
		if r.risk != nil {
			for _, name := range r.risk.order {
				line("  " + name + ": " + r.risk.lines[name])
			}
		}
	}
	if s.down != nil {
		line("disconnected, trying again: " + s.down.Error())
	}
	b.WriteString("\x1b[J")
	fmt.Fprint(w, b.String())
}

// unshown are the members of orders, fills and positions that a row has no room
// for: lines and the API have them.
var unshown = []string{"order_id", "client_order_id", "account", "strategy", "time_in_force", "reduce_only",
	"created", "updated", "time", "venue_time", "volume", "fills"}

// dataText shows a quote as bid | ask, and of any other frame the members of its
// data in the order in which they came, as far as there is room for them.
func dataText(m *client.Message) string {
	if strings.HasPrefix(m.Channel, "bbo:") {
		var q client.BBO
		if err := json.Unmarshal(m.Data, &q); err == nil {
			return quoteText(&q)
		}
	}
	dec := json.NewDecoder(bytes.NewReader(m.Data))
	if _, err := dec.Token(); err != nil {
		return string(m.Data)
	}
	var parts []string
	for dec.More() {
		name, err := dec.Token()
		var value json.RawMessage
		if err != nil || dec.Decode(&value) != nil {
			return string(m.Data)
		}
		text := string(value)
		if unquoted, err := strconv.Unquote(text); err == nil {
			text = unquoted
		}
		if text != "" && text != "null" && !slices.Contains(unshown, fmt.Sprint(name)) {
			parts = append(parts, fmt.Sprint(name, " ", text))
		}
	}
	return strings.Join(parts, "  ")
}

func quoteText(q *client.BBO) string {
	text := q.BidQty + "@" + q.BidPrice + " | " + q.AskQty + "@" + q.AskPrice
	if q.Stale {
		text += " (stale)"
	}
	return text
}

// shownLevels is how much of a book a row shows when there is room.
const shownLevels = 3

// bookText shows the best levels, as many as fit width.
func bookText(b *client.Book, width int) (text string) {
	if !b.Live() {
		return "waiting for a snapshot"
	}
	show := func(levels []core.Level, n int) []string {
		var out []string
		for _, l := range levels[:min(n, len(levels))] {
			out = append(out, core.FormatDecimal(int64(l.Qty), b.QtyScale)+"@"+core.FormatDecimal(int64(l.Price), b.PriceScale))
		}
		return out
	}
	for n := shownLevels; n > 0; n-- {
		bids := show(b.Bids(), n)
		slices.Reverse(bids)
		text = strings.Join(bids, " ") + " | " + strings.Join(show(b.Asks(), n), " ")
		if len(text) <= width {
			break
		}
	}
	return text
}
