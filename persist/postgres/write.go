package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"

	"qcat/core"
	"qcat/core/history"
	"qcat/persist/store"
)

// writer is one stream's connection and what is known of the database through it.
type writer struct {
	store  *Store
	stream store.Stream
	config *pgconn.Config

	mu   sync.Mutex // one write at a time
	conn *pgconn.PgConn
	made map[partition]struct{} // partitions that are there
	enc  encoder

	session session // conn's
	lost    session // one that may still be at work

	open, closed []history.Order // scratch: the batch's orders, parted
}

func (w *writer) init(s *Store, stream store.Stream, config *pgconn.Config) {
	w.store, w.stream, w.config = s, stream, config
	w.made = map[partition]struct{}{}
	w.enc.scales = &s.scales
}

// Write stores the batch and its position in one transaction.
func (s *Store) Write(ctx context.Context, b *store.Batch) error {
	if b.To < b.From {
		return fmt.Errorf("%w: %s %d to %d", store.ErrPosition, b.Stream, b.From, b.To)
	}
	s.scales.learn(b.Instruments)
	return s.askWithin(ctx, s.cfg.WriteTimeout, "write "+b.Stream.String(), func(ctx context.Context) (int, error) {
		return b.Rows(), s.writers[b.Stream].write(ctx, b)
	})
}

func (w *writer) write(ctx context.Context, b *store.Batch) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.store.closed.Load() {
		return errClosed
	}
	if err := w.connect(ctx); err != nil {
		return fmt.Errorf("postgres: write %s: %w", b.Stream, err)
	}
	err := w.transaction(ctx, b)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrPosition) || errors.Is(err, store.ErrForeign):
		return err // the transaction is over, the connection is good
	}
	w.drop()
	return fmt.Errorf("postgres: write %s %d to %d: %w", b.Stream, b.From, b.To, err)
}

// transaction writes the batch. After an error its caller ends the transaction.
func (w *writer) transaction(ctx context.Context, b *store.Batch) error {
	w.part(b.Orders)
	ranges := rangesOf(b, w.closed)
	if err := w.makePartitions(ctx, ranges, dayOf(b.Time)); err != nil {
		return err
	}
	begun, err := w.begin(ctx, b)
	if begun.refused {
		return w.refusal(ctx, b) // whatever the rows behind it ran into
	}
	if err != nil {
		return err
	}
	if err := w.deleteClosed(ctx, begun); err != nil {
		return err
	}
	if err := w.copyAll(ctx, b); err != nil {
		return err
	}
	return w.commit(ctx, ranges)
}

// part sorts the batch's orders by where they belong now.
func (w *writer) part(rows []history.Order) {
	w.open, w.closed = w.open[:0], w.closed[:0]
	for i := range rows {
		if rows[i].Status.Open() {
			w.open = append(w.open, rows[i])
		} else {
			w.closed = append(w.closed, rows[i])
		}
	}
}

// begun is what the first pipeline found.
type begun struct {
	refused   bool // the position does not stand before the batch
	lastOrder core.OrderID
	wasOpen   map[core.OrderID]struct{} // changed orders that stood in orders_open
}

// begin opens the transaction, moves the position, takes the changed orders out of
// orders_open and puts in everything that comes in small numbers, in one round trip.
func (w *writer) begin(ctx context.Context, b *store.Batch) (*begun, error) {
	found := &begun{wasOpen: map[core.OrderID]struct{}{}}
	p := newPipeline(ctx, w.conn)
	p.send("BEGIN", nil)
	moved := false
	p.sendPrepared("move", w.moveArgs(b), func(row [][]byte) {
		moved = true
		found.lastOrder = core.OrderID(binary.BigEndian.Uint64(row[0]))
	}).after = func() { found.refused = !moved }
	if len(b.Orders) > 0 {
		p.sendPrepared("close", [][]byte{orderIDs(b.Orders)}, func(row [][]byte) {
			found.wasOpen[core.OrderID(binary.BigEndian.Uint64(row[0]))] = struct{}{}
		})
	}
	mergeRows(p, w, instruments, b.Instruments)
	mergeRows(p, w, accounts, b.Accounts)
	mergeRows(p, w, strategies, b.Strategies)
	mergeRows(p, w, positions, b.Positions)
	mergeRows(p, w, marks, b.Marks)
	mergeRows(p, w, candles, b.Candles)
	mergeRows(p, w, quotesLast, latestQuotes(b.Quotes))
	mergeRows(p, w, totals, b.Totals)
	mergeRows(p, w, transfers, b.Transfers)
	mergeRows(p, w, equity, b.Equity)
	mergeRows(p, w, audit, b.Audit)
	mergeRows(p, w, gaps, b.Gaps)
	return found, p.run()
}

// moveSQL moves the position if it stands just before the batch. The RETURNING clause
// reads the row as it was.
const moveSQL = `UPDATE stream_positions SET log = $2, seq = $4, time_ns = $5, last_order = greatest(last_order, $6)
	WHERE stream = $1 AND seq = $3 AND (log = $2 OR seq = 0)
	RETURNING (SELECT o.last_order FROM stream_positions o WHERE o.stream = $1)`

func (w *writer) moveArgs(b *store.Batch) [][]byte {
	number := func(v uint64) []byte { return binary.BigEndian.AppendUint64(nil, v) }
	var last core.OrderID
	for i := range b.Orders {
		last = max(last, b.Orders[i].ID)
	}
	return [][]byte{[]byte(b.Stream.String()), b.Log[:], number(b.From - 1), number(b.To), number(uint64(b.Time)), number(uint64(last))}
}

// refusal ends the transaction and says why the position was not moved.
func (w *writer) refusal(ctx context.Context, b *store.Batch) error {
	if err := w.conn.Exec(ctx, "ROLLBACK").Close(); err != nil {
		return err
	}
	r := w.conn.ExecParams(ctx, "SELECT seq, log FROM stream_positions WHERE stream = $1", [][]byte{[]byte(b.Stream.String())},
		[]uint32{text.oid}, nil, []int16{1}).Read()
	switch {
	case r.Err != nil:
		return r.Err
	case len(r.Rows) != 1:
		return fmt.Errorf("stream_positions has %d rows of %s", len(r.Rows), b.Stream)
	}
	at := binary.BigEndian.Uint64(r.Rows[0][0])
	if log := r.Rows[0][1]; at > 0 && string(log) != string(b.Log[:]) {
		return fmt.Errorf("%w: %s of log %x, batch of %x", store.ErrForeign, b.Stream, log, b.Log)
	}
	return fmt.Errorf("%w: %s at %d, batch %d to %d", store.ErrPosition, b.Stream, at, b.From, b.To)
}

// deleteClosed takes out the closed rows of orders that changed once more. It is rare: a
// fill that a venue reported after it had said that the order was done.
func (w *writer) deleteClosed(ctx context.Context, found *begun) error {
	var ids, created []byte
	n := 0
	for _, list := range [][]history.Order{w.open, w.closed} {
		for i := range list {
			o := &list[i]
			if _, was := found.wasOpen[o.ID]; was || o.ID > found.lastOrder {
				continue
			}
			e := encoder{b: ids}
			e.u64(uint64(o.ID))
			ids = e.b
			e.b = created
			e.nanos(o.CreateTime)
			created = e.b
			n++
		}
	}
	if n == 0 {
		return nil
	}
	// The creation times, which never change, let the planner see which partitions to open.
	r := w.conn.ExecParams(ctx, "DELETE FROM orders WHERE id = ANY($1) AND create_ns = ANY($2)",
		[][]byte{arrayOf(bigint, n, ids), arrayOf(bigint, n, created)}, []uint32{bigint.array, bigint.array}, []int16{1, 1}, nil).Read()
	return r.Err
}

// copyAll streams the rows that come in large numbers.
func (w *writer) copyAll(ctx context.Context, b *store.Batch) error {
	for _, rows := range []func() error{
		func() error { return copyRows(ctx, w, ordersOpen, w.open) },
		func() error { return copyRows(ctx, w, orders, w.closed) },
		func() error { return copyRows(ctx, w, executions, b.Executions) },
		func() error { return copyRows(ctx, w, riskEvents, b.RiskEvents) },
		func() error { return copyRows(ctx, w, trades, b.Trades) },
		func() error { return copyRows(ctx, w, quotes, b.Quotes) },
	} {
		if err := rows(); err != nil {
			return err
		}
	}
	return nil
}

func copyRows[R any](ctx context.Context, w *writer, t *table[R], rows []R) error {
	if len(rows) == 0 {
		return nil
	}
	w.enc.err = nil
	r := &copyReader[R]{t: t, e: &w.enc, rows: rows}
	tag, err := w.conn.CopyFrom(ctx, r, t.copyIn)
	r.stop()
	switch {
	case w.enc.err != nil:
		return fmt.Errorf("%s: %w", t.name, w.enc.err)
	case err != nil:
		return fmt.Errorf("copy %s: %w", t.name, err)
	case tag.RowsAffected() != int64(len(rows)):
		return fmt.Errorf("copy %s: %d of %d rows", t.name, tag.RowsAffected(), len(rows))
	}
	return nil
}

// commit notes what the partitions got and ends the transaction.
func (w *writer) commit(ctx context.Context, ranges []keyRange) error {
	p := newPipeline(ctx, w.conn)
	mergeRows(p, w, keyRanges, ranges)
	p.send("COMMIT", nil)
	return p.run()
}

// latestQuotes returns the last quote of each instrument.
func latestQuotes(rows []history.Quote) (list []history.Quote) {
	at := map[core.InstrumentID]int{}
	for i := range rows {
		j, ok := at[rows[i].Instrument]
		switch {
		case !ok:
			at[rows[i].Instrument] = len(list)
			list = append(list, rows[i])
		case rows[i].ReceiveTime > list[j].ReceiveTime:
			list[j] = rows[i]
		}
	}
	return list
}

func orderIDs(rows []history.Order) []byte {
	var e encoder
	for i := range rows {
		e.u64(uint64(rows[i].ID))
	}
	return arrayOf(bigint, len(rows), e.b)
}
