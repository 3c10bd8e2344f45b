package main

import (
	"errors"
	"fmt"

	"qcat/core/record"
)

// errVersion is of a data directory that another version of the program filled.
var errVersion = errors.New("the journal was written by another version")

// readable refuses a journal whose last record, and with it all others, is not in the
// format of this program: what an older one wrote says too little to come to a state.
func (s *server) readable(last uint64) error {
	if last == 0 {
		return nil
	}
	var r record.Record
	for rec, err := range s.journal.Records(last, last) {
		if err != nil {
			return err
		}
		if err := record.Decode(rec, &r); errors.Is(err, record.ErrVersion) {
			return fmt.Errorf("%w: %s: %w. It cannot be converted. With the version that wrote it, cancel what is open and note balances and positions, and stop; "+
				"then start this version with an empty data directory (--data-dir) and, with Postgres, an empty database. Keep %s: the old version still reads it",
				errVersion, journalDir(s.cfg.DataDir), err, s.cfg.DataDir)
		}
	}
	return nil
}
