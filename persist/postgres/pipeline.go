package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// pipeline sends several statements in one round trip.
type pipeline struct {
	ctx   context.Context
	p     *pgconn.Pipeline
	steps []step
	err   error // of encoding; nothing is sent then
}

// step is a statement whose answer is awaited.
type step struct {
	name string
	row  func([][]byte) // may be nil
}

func newPipeline(ctx context.Context, conn *pgconn.PgConn) *pipeline {
	return &pipeline{ctx: ctx, p: conn.StartPipeline(ctx)}
}

func (p *pipeline) send(sql string, row func([][]byte)) {
	p.steps = append(p.steps, step{sql, row})
	p.p.SendQueryParams(sql, nil, nil, nil, nil)
}

var binaryFormat = []int16{1}

func (p *pipeline) sendPrepared(name string, args [][]byte, row func([][]byte)) {
	p.steps = append(p.steps, step{name, row})
	p.p.SendQueryPrepared(name, args, binaryFormat, binaryFormat)
}

// mergeRows sends the rows of a table that is written by unnest.
func mergeRows[R any](p *pipeline, w *writer, t *table[R], rows []R) {
	if len(rows) == 0 || p.err != nil {
		return
	}
	w.enc.err = nil
	args, err := t.arrays(&w.enc, rows)
	if err != nil {
		p.err = fmt.Errorf("%s: %w", t.name, err)
		return
	}
	p.sendPrepared(t.name, args, nil)
}

// run sends what is still buffered and reads all answers. Its caller drops the connection
// after an error.
func (p *pipeline) run() error {
	if p.err == nil {
		p.err = p.p.Sync()
	}
	for _, s := range p.steps {
		if p.err != nil {
			break
		}
		if err := p.answer(s); err != nil {
			p.err = fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return errors.Join(p.err, p.p.Close())
}

func (p *pipeline) answer(s step) error {
	results, err := p.p.GetResults()
	if err != nil {
		return err
	}
	r, ok := results.(*pgconn.ResultReader)
	if !ok {
		return fmt.Errorf("unexpected answer %T", results)
	}
	for r.NextRow() {
		if s.row != nil {
			s.row(r.Values())
		}
	}
	_, err = r.Close()
	return err
}

// connect makes the stream's connection unless there is one, with its statements prepared.
func (w *writer) connect(ctx context.Context) error {
	if w.conn != nil && !w.conn.IsClosed() {
		return nil
	}
	w.drop()
	conn, err := pgconn.ConnectConfig(ctx, w.config)
	if err != nil {
		return err
	}
	w.conn = conn
	for _, s := range w.statements() {
		if _, err := conn.Prepare(ctx, s.name, s.sql, s.oids); err != nil {
			w.drop()
			return fmt.Errorf("prepare %s: %w", s.name, err)
		}
	}
	return nil
}

type statement struct {
	name, sql string
	oids      []uint32
}

func (w *writer) statements() []statement {
	return []statement{
		{"move", moveSQL, []uint32{text.oid, bytea.oid, bigint.oid, bigint.oid, bigint.oid, bigint.oid}},
		{"close", "DELETE FROM orders_open WHERE id = ANY($1) RETURNING id", []uint32{bigint.array}},
		merging(instruments), merging(accounts), merging(strategies), merging(positions), merging(marks), merging(candles),
		merging(quotesLast), merging(equity), merging(audit), merging(gaps), merging(keyRanges),
	}
}

func merging[R any](t *table[R]) statement { return statement{t.name, t.merge, t.oids()} }
