package main

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"qcat/core"
	"qcat/feed/replay"
)

// replayCmd runs a capture through decode → book and reports what is in it.
type replayCmd struct {
	Venue string `help:"Venue the capture was recorded from (${enum}); told from the frames when left out." enum:"binance-spot,binance-usdm," default:""`
	JSON  bool   `name:"json" help:"Print the report as one JSON object."`
	File  string `arg:"" help:"Capture: lines of '<receive time, Unix ns> <raw frame>', plain, gzip or zstd." type:"existingfile"`
}

// Run implements the command.
func (c *replayCmd) Run(e *env) error {
	r, err := replay.Open(c.File)
	if err != nil {
		return err
	}
	defer r.Close()
	dir := core.NewDirectory()
	progress, done := progressLine(e.stderr, filepath.Base(c.File))
	report, err := replay.Run(e.ctx, r, bindCapture(c.Venue, dir.AddInstrument), progress)
	done()
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e, report)
	}
	return writeReport(e.stdout, c.File, dir.Instruments()[0], &report)
}

// progressLine returns a callback that redraws one line on a terminal, ten times
// a second at most, and a function that clears it. Elsewhere both do nothing.
func progressLine(w io.Writer, name string) (replay.Progress, func()) {
	if !isTerminal(w) {
		return nil, func() {}
	}
	var last time.Time
	update := func(read, size int64) {
		if size == 0 || time.Since(last) < 100*time.Millisecond {
			return
		}
		last = time.Now()
		const width = 30
		full := int(width * read / size)
		fmt.Fprintf(w, "\r%s [%s%s] %3d%%", name, strings.Repeat("#", full), strings.Repeat(".", width-full), 100*read/size)
	}
	return update, func() { fmt.Fprint(w, "\r\x1b[K") }
}

// writeReport prints the report for a person.
func writeReport(w io.Writer, file string, in *core.Instrument, r *replay.Report) error {
	elapsed := time.Duration(r.ElapsedNs)
	state := "live"
	if r.Stale {
		state = "stale: waiting for a snapshot"
	}
	rate := 0.0
	if elapsed > 0 {
		rate = float64(r.Messages) / elapsed.Seconds()
	}
	_, err := fmt.Fprintf(w, `%s
  instrument    %s
  messages      %d (%d bad) in %s, %.0f a second
  depth         %d messages, %d applied, %d gaps, %d snapshots
  quotes        %d
  trades        %d, %d gaps
  book          %s, hash %s, crossed %d times
  best prices   %d of %d equal the venue's own quote
`, file, in.Name(), r.Messages, r.BadMessages, elapsed.Round(time.Millisecond), rate,
		r.DepthMessages, r.DepthApplied, r.DepthGaps, r.Snapshots,
		r.Quotes, r.Trades, r.TradeGaps, state, r.BookHash, r.Crossed, r.BBOMatched, r.BBOChecked)
	return err
}
