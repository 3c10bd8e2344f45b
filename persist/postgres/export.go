package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"qcat/persist/store"
)

// Exported is what the snapshot that Export lent was of.
type Exported struct {
	Digest    store.Digest
	Positions [store.NumStreams]store.Position
}

// Export sums up all rows in one snapshot, and lends that snapshot meanwhile to dump,
// which runs in a goroutine of its own: other sessions, those of pg_dump for one, see by
// its name exactly the rows that the sums are of. There is no deadline but ctx's. An
// error on either side ends the context of the other.
func (s *Store) Export(ctx context.Context, dump func(ctx context.Context, snapshot string) error) (e Exported, err error) {
	err = s.askWithin(ctx, 0, "export", func(ctx context.Context) (int, error) {
		return 0, s.whole(ctx, func(tx pgx.Tx) error {
			var name string
			// The transaction is idle while a dump takes longer than the sums.
			if _, err := tx.Exec(ctx, "SET LOCAL idle_in_transaction_session_timeout = 0"); err != nil {
				return fmt.Errorf("postgres: %w", err)
			}
			if err := tx.QueryRow(ctx, "SELECT pg_export_snapshot()").Scan(&name); err != nil {
				return fmt.Errorf("postgres: export a snapshot: %w", err)
			}
			both, cancel := context.WithCancelCause(ctx)
			defer cancel(nil)
			dumped := make(chan struct{})
			go func() {
				defer close(dumped)
				if err := dump(both, name); err != nil {
					cancel(err)
				}
			}()
			if err := s.export(both, tx, &e); err != nil {
				cancel(err)
			}
			<-dumped
			return context.Cause(both) // the first error, which the other one follows from
		})
	})
	return e, err
}

// export sums up what tx sees.
func (s *Store) export(ctx context.Context, tx pgx.Tx, e *Exported) error {
	var b store.DigestBuilder
	if err := s.digest(ctx, tx, &b); err != nil {
		return err
	}
	e.Digest = b.Digest()
	for stream := range store.NumStreams {
		p, err := position(ctx, tx, stream)
		if err != nil {
			return err
		}
		e.Positions[stream] = p
	}
	return nil
}
