package check

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// root is the repository, seen from here.
const root = "../.."

// file is the content of a file of the repository.
func file(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// there reports whether the repository has a file or folder.
func there(path string) bool {
	_, err := os.Stat(filepath.Join(root, path))
	return err == nil
}

// installed is the path of a program, "" where it is not: no machine has to have it.
func installed(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// program is the same of one that has to be there where servers have to be.
func program(t *testing.T, names ...string) string {
	t.Helper()
	if path := installed(names...); path != "" {
		return path
	}
	if os.Getenv("QCAT_REQUIRE_SERVICES") != "" {
		t.Fatalf("%v is not installed", names)
	}
	return ""
}

// write makes a file in a folder of the test's own.
func write(t *testing.T, path, content string, mode os.FileMode) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	return path
}
