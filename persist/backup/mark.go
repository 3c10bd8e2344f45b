package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// verifiedSuffix is of the file that says that a backup has been verified. It is no part
// of the backup: one without it can be restored as well.
const verifiedSuffix = ".verified"

// mark is what that file says.
type mark struct {
	Verified time.Time `json:"verified"`
	Manifest string    `json:"manifest_sha256"` // of the manifest that was verified
}

// putMark notes that a backup was verified. A folder that cannot be written to is left
// without the note: what was asked for is the verification.
func putMark(dir, name string, now time.Time) error {
	sum, err := manifestSum(dir, name)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(mark{now.UTC().Truncate(time.Second), sum})
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, name+verifiedSuffix+".*"+partialSuffix)
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	_, err = tmp.Write(append(raw, '\n'))
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(dir, name+verifiedSuffix))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("backup: %w", err), os.Remove(tmp.Name()))
	}
	return syncDir(dir)
}

// markOf is when a backup was verified, and the zero time when it was not, or is another
// than the one that was.
func markOf(dir, name string) (at time.Time) {
	raw, err := os.ReadFile(filepath.Join(dir, name+verifiedSuffix))
	if err != nil {
		return at
	}
	var m mark
	if sum, err := manifestSum(dir, name); err != nil || json.Unmarshal(raw, &m) != nil || m.Manifest != sum {
		return at
	}
	return m.Verified
}

// manifestSum is the checksum of a manifest, in which are those of all files.
func manifestSum(dir, name string) (string, error) {
	raw, err := os.ReadFile(filepath.Join(dir, name+manifestSuffix))
	if err != nil {
		return "", fmt.Errorf("backup: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:]), nil
}
