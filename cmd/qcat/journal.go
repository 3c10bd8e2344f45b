package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"qcat/core/engine"
	"qcat/core/record"
	"qcat/persist/journal"
	"qcat/persist/snapshot"
	"qcat/persist/vfs"
)

// journalCmd looks into the order journal of a data directory. It only reads, and
// may run beside a server.
type journalCmd struct {
	Dump   journalDumpCmd   `cmd:"" help:"Print records, one JSON object a line."`
	Verify journalVerifyCmd `cmd:"" help:"Check every record and every snapshot."`
	Hash   journalHashCmd   `cmd:"" help:"Fold the records and print the state hash."`
}

// dataFlag names the directory that a command looks into.
type dataFlag struct {
	DataDir string `help:"The server's data directory." default:"./data"`
}

// journal opens the order journal for reading.
func (f *dataFlag) journal() (*journal.ReadOnly, error) {
	log, err := journal.OpenReadOnly(journalDir(f.DataDir), journalName, vfs.OS{})
	if errors.Is(err, journal.ErrNone) {
		return nil, badSetting("data-dir", "%s holds no journal", f.DataDir)
	}
	return log, err
}

type journalDumpCmd struct {
	dataFlag `embed:""`
	From     uint64 `help:"First sequence." default:"0"`
	To       uint64 `help:"Last sequence; 0: to the end." default:"0"`
	Type     string `help:"Only records of this type, such as new or report." default:""`
}

// Run implements the command.
func (c *journalDumpCmd) Run(e *env) error {
	if names := recordNames(); c.Type != "" && !slices.Contains(names, c.Type) {
		return badSetting("type", "%q is none of %s", c.Type, strings.Join(names, ", "))
	}
	log, err := c.journal()
	if err != nil {
		return err
	}
	to := c.To
	if to == 0 {
		to = math.MaxUint64
	}
	var r record.Record
	var line []byte
	for rec, err := range log.Records(max(c.From, log.First()), min(to, log.Last())) {
		if err != nil {
			return err
		}
		if err := record.Decode(rec, &r); err != nil {
			return fmt.Errorf("record: %w", err)
		}
		if c.Type != "" && r.Type.String() != c.Type {
			continue
		}
		line = append(appendRecordJSON(line[:0], &r), '\n')
		if _, err := e.stdout.Write(line); err != nil {
			return err
		}
		if e.ctx.Err() != nil {
			return e.ctx.Err()
		}
	}
	return nil
}

// recordNames are the types of records.
func recordNames() (names []string) {
	unknown := record.Type(0).String()
	for t := record.Type(1); t.String() != unknown; t++ {
		names = append(names, t.String())
	}
	return names
}

type journalVerifyCmd struct {
	dataFlag `embed:""`
	JSON     bool `name:"json" help:"Print the report as one JSON object."`
}

// verified is what was found.
type verified struct {
	Log          string   `json:"log"`
	First        uint64   `json:"first"`
	Last         uint64   `json:"last"`
	Records      uint64   `json:"records"`
	Segments     int      `json:"segments"`
	Bytes        int64    `json:"bytes"`
	Closed       bool     `json:"closed"` // in order
	Torn         int64    `json:"torn_bytes"`
	Snapshots    int      `json:"snapshots"`
	BadSnapshots []string `json:"bad_snapshots"`
}

// Run implements the command.
func (c *journalVerifyCmd) Run(e *env) error {
	v, err := verifyData(c.DataDir)
	if err != nil {
		return err
	}
	if c.JSON {
		err = printJSON(e, v)
	} else {
		end := "the end is that of an orderly stop"
		if !v.Closed {
			end = fmt.Sprintf("the end is open: a server writes, or was killed; %d bytes of it are torn", v.Torn)
		}
		_, err = fmt.Fprintf(e.stdout, "journal    records %d to %d, whole, in %d files of %s; %s\nsnapshots  %d whole, %d damaged\n",
			v.First, v.Last, v.Segments, byteSize(v.Bytes).rounded(), end, v.Snapshots, len(v.BadSnapshots))
	}
	if err == nil && len(v.BadSnapshots) > 0 {
		err = fmt.Errorf("damaged snapshots: %s", strings.Join(v.BadSnapshots, "; "))
	}
	return err
}

// verifyData reads every byte of a data directory's journal and snapshots.
func verifyData(dataDir string) (*verified, error) {
	report, err := journal.Verify(vfs.OS{}, journalDir(dataDir), journalName)
	if errors.Is(err, journal.ErrNone) {
		return nil, badSetting("data-dir", "%s holds no journal", dataDir)
	}
	if err != nil {
		return nil, err
	}
	v := &verified{
		Log: hex.EncodeToString(report.ID[:]), First: report.First, Last: report.Last, Records: report.Records,
		Segments: len(report.Segments), Bytes: report.Bytes, Closed: report.Closed, BadSnapshots: []string{},
	}
	for _, cut := range report.Torn {
		v.Torn += cut.Bytes
	}
	all, err := snapshot.List(vfs.OS{}, snapshotDir(dataDir))
	if err != nil {
		return nil, err
	}
	for i := range all {
		if _, _, err := snapshot.Load(vfs.OS{}, all[i].Path); err != nil {
			v.BadSnapshots = append(v.BadSnapshots, err.Error())
			continue
		}
		v.Snapshots++
	}
	return v, nil
}

type journalHashCmd struct {
	dataFlag    `embed:""`
	NoSnapshots bool `help:"Fold the journal from its first record on, which must be 1."`
	JSON        bool `name:"json" help:"Print the result as one JSON object."`
}

// Run implements the command.
func (c *journalHashCmd) Run(e *env) error {
	log, err := c.journal()
	if err != nil {
		return err
	}
	began := time.Now()
	var payload []byte
	from := uint64(1)
	if !c.NoSnapshots {
		meta, found, _, err := snapshot.Newest(vfs.OS{}, snapshotDir(c.DataDir), log.ID(), log.Last())
		switch {
		case err == nil:
			payload, from = found, meta.Seq+1
		case !errors.Is(err, snapshot.ErrNone):
			return err
		}
	}
	if from < log.First() {
		return fmt.Errorf("the journal begins at record %d, and record %d is needed", log.First(), from)
	}
	_, hash, seq, err := engine.Shadow(stateConfig(), payload, log.Records(from, log.Last()))
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e, map[string]any{"seq": seq, "hash": hex.EncodeToString(hash[:]), "folded": seq - (from - 1), "elapsed_ns": time.Since(began).Nanoseconds()})
	}
	fmt.Fprintf(e.stdout, "%x  at record %d (%d records folded in %v)\n", hash, seq, seq-(from-1), time.Since(began).Round(time.Millisecond))
	return nil
}

// stateConfig is what the state of an engine depends on beside its journal: every
// fold of one journal needs the same.
func stateConfig() engine.Config { return engine.Config{} }
