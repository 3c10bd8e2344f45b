package identity

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"qcat/core"
	"qcat/core/identity"
	"qcat/persist/seal"
)

// sealedColumns are all that hold secrets: table, the column of the row's key, and the
// column that is sealed.
var sealedColumns = [...]struct{ table, id, column string }{
	{TableAPIKeys, "id", "secret"},
	{TableSigningKeys, "id", "secret"},
}

// scanRows is how many rows of a table are read at a time.
const scanRows = 64

// Steps of a rotation, as Progress names them.
const (
	StepMaster = "keys sealed under the present master key"
	StepNew    = "new key made"
	StepRewrap = "secrets rewrapped"
	StepVerify = "secrets opened"
	StepDelete = "old keys deleted"
)

// Progress is how far a rotation is: so many of a step were done.
type Progress struct {
	Step string
	Done int
}

// Rotation is what one did.
type Rotation struct {
	Version   uint32 // of the key that everything is sealed under now
	Resumed   bool   // another rotation had been cut off, and was ended: its key is this one
	Resealed  int    // key-encryption keys that were under a former master key
	Rewrapped int    // secrets
	Verified  int    // secrets that were opened under the new key: all there are
	Deleted   int    // key-encryption keys
	Took      core.Nanos
}

// rotation is one under way.
type rotation struct {
	*Keys
	tell   func(Progress)
	target *seal.KEK
	out    Rotation
}

// Rotate brings every secret under a new key-encryption key and deletes the one before,
// while servers run. Where another rotation was cut off, it ends that one instead. When
// masters names former master keys after the present one, the key-encryption keys that are
// still under these are sealed under the present one first; each is whole under one or the
// other at any time. progress may be nil; it is called between transactions.
//
// A secret that does not open ends the rotation before anything is deleted; the error
// names all of these. A key that cannot be saved can be revoked: then it is no secret.
//
// Errors: ErrRotating; seal.ErrMaster, ErrOpen and ErrFormat; those of masters and the
// database. After any of them it can be run again.
func (k *Keys) Rotate(ctx context.Context, progress func(Progress)) (Rotation, error) {
	if progress == nil {
		progress = func(Progress) {}
	}
	began := k.now()
	unlock, err := k.store.lock(ctx)
	if err != nil {
		return Rotation{}, err
	}
	defer unlock()
	r := &rotation{Keys: k, tell: progress}
	for _, step := range []func(context.Context) error{r.reseal, r.choose, r.rewrap, r.verify, r.finish} {
		if err := step(ctx); err != nil {
			return r.out, fmt.Errorf("rotate keys: %w", err)
		}
	}
	r.out.Took = k.now() - began
	return r.out, nil
}

// reseal brings every key-encryption key under the present master key.
func (r *rotation) reseal(ctx context.Context) error {
	masters, err := r.ask(ctx)
	if err != nil {
		return err
	}
	var rows []kekRow
	if err := r.store.view(ctx, "keys", func(t *tx) (err error) {
		rows, err = t.keks()
		return err
	}); err != nil {
		return err
	}
	for _, row := range rows {
		kek, by, err := openKEK(masters, row)
		if err != nil {
			return err
		}
		if by == masters[0] {
			continue
		}
		if err := r.store.note(ctx, "reseal", func(t *tx) error {
			_, err := t.exec("UPDATE key_versions SET sealed = $1 WHERE version = $2 AND sealed = $3", masters[0].SealKEK(kek), int64(row.version), row.sealed)
			return err
		}); err != nil {
			return err
		}
		r.out.Resealed++
		r.tell(Progress{StepMaster, r.out.Resealed})
	}
	return r.learn(ctx, rows)
}

// choose makes the new key, or takes the one of a rotation that was cut off: while there
// are several versions, secrets may be under any of them.
func (r *rotation) choose(ctx context.Context) error {
	masters, err := r.ask(ctx)
	if err != nil {
		return err
	}
	var newest uint32
	var versions int64
	if err := r.store.change(ctx, "new key", func(t *tx) error {
		if err := t.get([]any{&newest, &versions}, "SELECT coalesce(max(version), 0), count(*) FROM key_versions"); err != nil {
			return err
		}
		if versions > 1 {
			return errUnchanged
		}
		newest++
		return t.addKEK(masters[0], newest)
	}); err != nil {
		return err
	}
	r.out.Version, r.out.Resumed = newest, versions > 1
	if r.target, err = r.key(ctx, r.out.Version); err != nil {
		return err
	}
	r.tell(Progress{StepNew, 1})
	return nil
}

// sealedRow is a secret of a table.
type sealedRow struct {
	id     string
	sealed identity.Sealed
}

// older begins the bytes after the format of what is under a version before v: they
// compare as numbers do.
func older(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

// rewrap brings every secret under the new key.
func (r *rotation) rewrap(ctx context.Context) error {
	var errs []error
	for _, c := range sealedColumns {
		err := r.scan(ctx, c.table, "SELECT "+c.id+", "+c.column+" FROM "+c.table+" WHERE "+c.column+" IS NOT NULL AND substr("+c.column+
			", 2, 4) < $2 AND "+c.id+" > $1 ORDER BY "+c.id+" LIMIT $3", func(row sealedRow) error {
			return r.rewrapRow(ctx, c.table, "UPDATE "+c.table+" SET "+c.column+" = $1 WHERE "+c.id+" = $2 AND "+c.column+" = $3", row)
		})
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// rewrapRow replaces a secret if it is as it was read. One that was changed meanwhile is
// under the new key, or deleted: that is all that others do to it.
func (r *rotation) rewrapRow(ctx context.Context, table, update string, row sealedRow) error {
	version, err := seal.Version(row.sealed)
	if err != nil {
		return fmt.Errorf("%s %q: %w", table, row.id, err)
	}
	old, err := r.key(ctx, version)
	if err != nil {
		return fmt.Errorf("%s %q: %w", table, row.id, err)
	}
	sealed, err := r.target.Rewrap(old, table, row.id, row.sealed)
	if err != nil {
		return err
	}
	var n int64
	if err := r.store.note(ctx, "rewrap", func(t *tx) (err error) {
		n, err = t.exec(update, sealed, row.id, row.sealed)
		return err
	}); err != nil {
		return err
	}
	r.out.Rewrapped += int(n)
	r.tell(Progress{StepRewrap, r.out.Rewrapped})
	return nil
}

// verify opens every secret there is.
func (r *rotation) verify(ctx context.Context) error {
	var errs []error
	for _, c := range sealedColumns {
		err := r.scan(ctx, c.table, "SELECT "+c.id+", "+c.column+" FROM "+c.table+" WHERE "+c.column+" IS NOT NULL AND substr("+c.column+
			", 2, 4) >= $2 AND "+c.id+" > $1 ORDER BY "+c.id+" LIMIT $3", func(row sealedRow) error {
			secret, err := r.target.Open(c.table, row.id, row.sealed)
			clear(secret)
			r.out.Verified++
			return err
		})
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	r.tell(Progress{StepVerify, r.out.Verified})
	return nil
}

// scan calls f with the rows of a query, which takes the key of the row before, the
// version and a number of rows, and goes on after those that f cannot do: the error is of
// all of them. An error of the database or of ctx ends it.
func (r *rotation) scan(ctx context.Context, table, query string, f func(sealedRow) error) error {
	var errs []error
	for last := ""; ; {
		var rows []sealedRow
		if err := r.store.view(ctx, table, func(t *tx) (err error) {
			rows, err = list(t, func(row *sealedRow) ([]any, func() error) {
				return []any{&row.id, (*[]byte)(&row.sealed)}, nil
			}, query, last, older(r.out.Version), scanRows)
			return err
		}); err != nil {
			return errors.Join(append(errs, err)...)
		}
		for _, row := range rows {
			last = row.id
			if err := f(row); err != nil {
				errs = append(errs, err)
				if !ofTheSecret(err) {
					return errors.Join(errs...)
				}
			}
		}
		if len(rows) < scanRows {
			return errors.Join(errs...)
		}
	}
}

// ofTheSecret says that an error is one secret's alone.
func ofTheSecret(err error) bool {
	return errors.Is(err, seal.ErrOpen) || errors.Is(err, seal.ErrFormat) || errors.Is(err, seal.ErrVersion)
}

// finish deletes the old keys, once nothing is under them: nobody adds a secret while the
// row of identity_version is held, and what is added later is under the new key.
func (r *rotation) finish(ctx context.Context) error {
	if err := r.store.change(ctx, "delete old keys", func(t *tx) error {
		for _, c := range sealedColumns {
			left, err := t.count("SELECT count(*) FROM "+c.table+" WHERE "+c.column+" IS NOT NULL AND substr("+c.column+", 2, 4) < $1", older(r.out.Version))
			if err != nil {
				return err
			}
			if left > 0 {
				return fmt.Errorf("%d rows of %s are under an old key: run it again", left, c.table)
			}
		}
		n, err := t.exec("DELETE FROM key_versions WHERE version < $1", int64(r.out.Version))
		r.out.Deleted = int(n)
		return err
	}); err != nil {
		return err
	}
	r.tell(Progress{StepDelete, r.out.Deleted})
	return nil
}
