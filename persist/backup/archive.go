package backup

import (
	"archive/tar"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"qcat/persist/audit"
	"qcat/persist/journal"
	"qcat/persist/snapshot"
	"qcat/persist/vfs"
)

// Places in a data directory, and in the archive.
const (
	journalDir  = "journal"
	snapshotDir = "snapshots"
	journalName = "journal" // the order journal's, within its folder
)

// archive writes the snapshots and then the journal of a data directory to w as a
// tar, and anchors, unless there are none, before them. Snapshots come first, so that none is of a record that the journal does not
// have. Of each segment only the whole batches are copied, which never change.
//
// Errors: one that isGone reports when retention deleted a file meanwhile.
func archive(ctx context.Context, w io.Writer, dataDir string, anchors []byte) (Data, error) {
	var data Data
	tw := tar.NewWriter(w)
	if anchors != nil {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: audit.HeadFile, Mode: 0o600, Size: int64(len(anchors)), Format: tar.FormatPAX}
		if err := tw.WriteHeader(h); err != nil {
			return data, err
		}
		if _, err := tw.Write(anchors); err != nil {
			return data, err
		}
	}
	snapshots, err := snapshot.List(vfs.OS{}, filepath.Join(dataDir, snapshotDir))
	if err != nil {
		return data, err
	}
	kept := snapshots[:0]
	for _, s := range snapshots {
		if _, _, err := snapshot.Load(vfs.OS{}, s.Path); errors.Is(err, snapshot.ErrDamaged) || errors.Is(err, snapshot.ErrVersion) {
			continue // no start could use it
		} else if err != nil {
			return data, err
		}
		if err := copyIn(ctx, tw, s.Path, path.Join(snapshotDir, filepath.Base(s.Path)), s.Bytes); err != nil {
			return data, err
		}
		kept = append(kept, s)
	}
	report, err := journal.Verify(vfs.OS{}, filepath.Join(dataDir, journalDir), journalName)
	if err != nil {
		return data, err
	}
	for _, s := range report.Segments {
		if err := copyIn(ctx, tw, filepath.Join(dataDir, journalDir, s.File), path.Join(journalDir, s.File), s.Bytes); err != nil {
			return data, err
		}
	}
	data = Data{Log: hex.EncodeToString(report.ID[:]), First: report.First, Last: report.Last,
		Segments: len(report.Segments), Snapshots: len(kept)}
	if !reachable(report.ID, report.First, report.Last, kept) {
		return data, fmt.Errorf("%w: the journal begins at record %d and no sound snapshot reaches it", errGone, report.First)
	}
	return data, tw.Close()
}

// readAnchors reads the anchors of the audit log, nil if a data directory has none. It is
// done before the database is dumped: the dump then has every entry that is anchored.
func readAnchors(dataDir string) ([]byte, error) {
	if dataDir == "" {
		return nil, nil
	}
	b, err := os.ReadFile(filepath.Join(dataDir, audit.HeadFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("anchors of the audit log: %w", err)
	}
	return b, nil
}

// reachable reports whether a start has what it needs: the journal from its first
// record on, or a snapshot that the journal goes on from.
func reachable(log journal.ID, first, last uint64, snapshots []snapshot.Entry) bool {
	for i := range snapshots {
		s := &snapshots[i]
		if s.Err == nil && s.Log == log && s.Seq+1 >= first && s.Seq <= last {
			return true
		}
	}
	return first == 1
}

// errGone is wrapped when what was listed does not fit together any more.
var errGone = errors.New("journal and snapshots do not fit together")

// isGone reports whether it is worth trying again.
func isGone(err error) bool { return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errGone) }

// copyIn adds the first n bytes of a file to the archive.
func copyIn(ctx context.Context, tw *tar.Writer, file, name string, n int64) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return err
	}
	h := &tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: 0o600, Size: n, ModTime: st.ModTime(), Format: tar.FormatPAX}
	h.ModTime = h.ModTime.Truncate(time.Second)
	if err := tw.WriteHeader(h); err != nil {
		return err
	}
	if _, err := io.CopyN(tw, reader{ctx, f}, n); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// reader stops reading when its context ends.
type reader struct {
	ctx context.Context //nolint:containedctx // io.Reader has no place for it
	r   io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(b)
}
