package backup

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"qcat/core"
	"qcat/persist/store"
)

// manifestVersion is of the form of the manifest and of what it stands for.
const manifestVersion = 1

// Manifest says what a backup is. It is the backup's last file.
type Manifest struct {
	Version int       `json:"version"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"` // when the backup began
	Program string    `json:"program"` // version of the program that made it
	TookNs  int64     `json:"took_ns"`

	Store     string                 `json:"store"`  // Database.Kind
	Server    string                 `json:"server"` // what the database calls itself
	Schema    int64                  `json:"schema"` // version of the migrations
	Tables    []TableSum             `json:"tables"` // store.Digest of the state that was dumped
	Positions map[string]PositionRow `json:"positions"`

	Dump File  `json:"dump"`
	Data *Data `json:"data,omitempty"` // nil in a backup of the database alone
}

// File is one file of a backup.
type File struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	TookNs int64  `json:"took_ns"`
}

// Data is the archive of journal and snapshots.
type Data struct {
	File
	Log       string `json:"log"`   // the journal's id
	First     uint64 `json:"first"` // sequences in the journal; Last is First-1 when there is none
	Last      uint64 `json:"last"`
	Segments  int    `json:"segments"`
	Snapshots int    `json:"snapshots"`
}

// TableSum is a store.TableDigest.
type TableSum struct {
	Table string `json:"table"`
	Rows  uint64 `json:"rows"`
	Sum   string `json:"sum"` // the two sums in hexadecimal
}

// PositionRow is a store.Position.
type PositionRow struct {
	Log    string     `json:"log"`
	Seq    uint64     `json:"seq"`
	TimeNs core.Nanos `json:"time_ns"`
}

// setState writes down what was dumped.
func (m *Manifest) setState(s State) {
	m.Server, m.Schema = s.Server, s.Schema
	m.Tables = make([]TableSum, 0, len(s.Digest.Tables))
	for _, t := range s.Digest.Tables {
		m.Tables = append(m.Tables, TableSum{t.Table, t.Rows, fmt.Sprintf("%016x%016x", t.Sum[0], t.Sum[1])})
	}
	m.Positions = map[string]PositionRow{}
	for stream, p := range s.Positions {
		m.Positions[store.Stream(stream).String()] = PositionRow{hex.EncodeToString(p.Log[:]), p.Seq, p.Time}
	}
}

// digest is the reverse of setState for the sums.
func (m *Manifest) digest() (store.Digest, error) {
	var d store.Digest
	for _, t := range m.Tables {
		sum := store.TableDigest{Table: t.Table, Rows: t.Rows}
		if n, err := fmt.Sscanf(t.Sum, "%016x%016x", &sum.Sum[0], &sum.Sum[1]); n != 2 || err != nil || len(t.Sum) != 32 {
			return d, fmt.Errorf("%w: manifest of %s: the sum of %s is %q", ErrDamaged, m.Name, t.Table, t.Sum)
		}
		d.Tables = append(d.Tables, sum)
	}
	return d, nil
}

// Rows is how many rows the database had.
func (m *Manifest) Rows() (n uint64) {
	for _, t := range m.Tables {
		n += t.Rows
	}
	return n
}

// Seq is the last journal record in the backup: of the journal itself, or of the
// rows when it is of the database alone.
func (m *Manifest) Seq() uint64 {
	if m.Data != nil {
		return m.Data.Last
	}
	return m.Positions[store.Journal.String()].Seq
}

// Bytes is what the backup takes up.
func (m *Manifest) Bytes() int64 {
	n := m.Dump.Bytes
	if m.Data != nil {
		n += m.Data.Bytes
	}
	return n
}

// covers says why the archive does not hold the records of the database's rows, or not
// those that come next.
func (m *Manifest) covers() error {
	p := m.Positions[store.Journal.String()]
	if m.Data == nil {
		return nil
	}
	if p.Seq+1 < m.Data.First {
		return fmt.Errorf("the database stands at record %d and the journal begins at %d: no server could go on from the two; is it the database that the server uses?",
			p.Seq, m.Data.First)
	}
	if p.Seq == 0 {
		return nil
	}
	if p.Log != m.Data.Log {
		return fmt.Errorf("the database was filled from journal %s, and the data directory holds journal %s", p.Log, m.Data.Log)
	}
	if p.Seq > m.Data.Last {
		return fmt.Errorf("the journal ends at record %d and the database has rows of record %d", m.Data.Last, p.Seq)
	}
	return nil
}

// ReadManifest reads the manifest of a backup.
//
// Errors: ErrIncomplete when there is none, ErrDamaged when it cannot be read.
func ReadManifest(dir, name string) (*Manifest, error) {
	path := filepath.Join(dir, name+manifestSuffix)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s has no manifest", ErrIncomplete, name)
	}
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	m := new(Manifest)
	if err := json.Unmarshal(raw, m); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	if m.Version != manifestVersion {
		return nil, fmt.Errorf("%w: %s has version %d, this program knows %d", ErrDamaged, path, m.Version, manifestVersion)
	}
	// The files go by the name they have now: a backup may be copied and renamed.
	m.Name, m.Dump.Name = name, name+dumpSuffix
	if m.Data != nil {
		m.Data.Name = name + dataSuffix
	}
	return m, nil
}

// write writes the manifest, which makes the backup complete.
func (m *Manifest) write(dir string) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return writeWhole(filepath.Join(dir, m.Name+manifestSuffix), append(raw, '\n'))
}
