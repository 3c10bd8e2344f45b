package identity

import (
	"context"
	"errors"
	"fmt"

	"qcat/persist/seal"
)

// Masters returns the master keys, as OpenKeys and Rotate want them: the present one
// first, after it those before that something may still be sealed under. It is asked each
// time that a key-encryption key is opened, so that a server can be given another one while
// it runs.
type Masters func(context.Context) ([]*seal.Master, error)

// MastersFrom reads the present master key and the former ones from where they are. The
// file in the data directory is made only while nothing is sealed in s: what is sealed
// already needs the key that it was sealed under.
//
// Errors of what it returns: seal.ErrNoMaster and the others of seal.Source; those of the
// database.
func (s *Store) MastersFrom(present seal.Source, former ...seal.Source) Masters {
	return func(ctx context.Context) ([]*seal.Master, error) {
		m, err := present.Load(ctx)
		if errors.Is(err, seal.ErrNoMaster) {
			m, err = s.makeMaster(ctx, &present, err)
		}
		if err != nil {
			return nil, err
		}
		all := []*seal.Master{m}
		for i := range former {
			m, err := former[i].Load(ctx)
			if err != nil {
				return nil, fmt.Errorf("former master key: %w", err)
			}
			all = append(all, m)
		}
		return all, nil
	}
}

// makeMaster makes the file of a source that is missing, for which missing is the error.
func (s *Store) makeMaster(ctx context.Context, from *seal.Source, missing error) (*seal.Master, error) {
	has, err := s.HasKeys(ctx)
	if err != nil {
		return nil, err
	}
	if has {
		return nil, fmt.Errorf("the database has secrets, and %w", missing)
	}
	return from.LoadOrMake(ctx)
}
