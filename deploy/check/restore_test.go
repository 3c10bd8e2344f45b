package check

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestBackupsOfRootBelongToQCAT: in the container of Postgres `docker exec` is root, and what
// root restored QCAT could not read. It does the work as whom the data directory belongs to.
func TestBackupsOfRootBelongToQCAT(t *testing.T) {
	if os.Getuid() != 0 || installed("setpriv") == "" {
		return // nobody else to become
	}
	dir := t.TempDir()
	for d := dir; d != os.TempDir(); d = filepath.Dir(d) { // others pass through
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	script := write(t, filepath.Join(dir, "backup/backup.sh"), file(t, "deploy/backup/backup.sh"), 0o755)
	write(t, filepath.Join(dir, "qcat"), "#!/bin/sh\necho \"$(id -u):$(id -g) $(id -G) $*\"\n", 0o755)
	data := filepath.Join(dir, "data")
	if err := os.Mkdir(data, 0o750); err != nil {
		t.Fatal(err)
	}
	for _, owner := range []int{10001, 0} {
		if err := os.Chown(data, owner, owner); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(script, "restore", "a b.sql.gz", "--clean")
		cmd.Env = append(os.Environ(), "QCAT_DATA_DIR="+data)
		out, err := cmd.CombinedOutput()
		want := fmt.Sprintf("%d:%d ", owner, owner)
		if err != nil || !strings.HasPrefix(string(out), want) || !strings.HasSuffix(string(out), "backup restore a b.sql.gz --clean\n") {
			t.Errorf("the folder is %d's: %v, %s", owner, err, out)
		}
	}
}
