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
	steps []*step
	err   error // of encoding; nothing is sent then
}

// step is a statement whose answer is awaited.
type step struct {
	name  string
	row   func([][]byte) // of each row; may be nil
	after func()         // once the statement has succeeded; may be nil
}

func newPipeline(ctx context.Context, conn *pgconn.PgConn) *pipeline {
	return &pipeline{ctx: ctx, p: conn.StartPipeline(ctx)}
}

func (p *pipeline) send(sql string, row func([][]byte)) {
	p.steps = append(p.steps, &step{name: sql, row: row})
	p.p.SendQueryParams(sql, nil, nil, nil, nil)
}

var binaryFormat = []int16{1}

func (p *pipeline) sendPrepared(name string, args [][]byte, row func([][]byte)) *step {
	s := &step{name: name, row: row}
	p.steps = append(p.steps, s)
	p.p.SendQueryPrepared(name, args, binaryFormat, binaryFormat)
	return s
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
			break // the statements behind a failed one were skipped
		}
		if err := p.answer(s); err != nil {
			p.err = fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return errors.Join(p.err, p.p.Close())
}

func (p *pipeline) answer(s *step) error {
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
	if err == nil && s.after != nil {
		s.after()
	}
	return err
}
