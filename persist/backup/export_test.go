package backup

import (
	"context"
	"fmt"
	"io"
	"io/fs"
)

// Lock is lock.
var Lock = lock

// MajorTools is the error of looking for pg_dump.
func MajorTools(ctx context.Context, getenv func(string) string, server int) error {
	saved := toolFolders
	toolFolders = nil
	defer func() { toolFolders = saved }()
	_, err := tools{getenv}.find(ctx, "pg_dump", server)
	return err
}

// SetArchive lets a file vanish while it is copied, as long as vanishes says so.
func SetArchive(cfg *CreateConfig, vanishes func() bool) {
	cfg.archive = func(ctx context.Context, w io.Writer, dataDir string, anchors []byte) (Data, error) {
		d, err := archive(ctx, w, dataDir, anchors)
		if err == nil && vanishes() {
			err = fmt.Errorf("journal-0000000001.seg: %w", fs.ErrNotExist)
		}
		return d, err
	}
}
