package pgtest

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// asChild makes this test binary a process that starts a server and waits to be killed.
const asChild = "QCAT_PGTEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		s, err := newServer(nil)
		if err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Stdout.WriteString(s.dir + " " + s.URL("postgres") + "\n")
		time.Sleep(time.Minute)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func answers(t *testing.T, url string) bool {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false
	}
	defer conn.Close(context.Background())
	return conn.Ping(ctx) == nil
}

// TestServer takes a server through everything that tests do to it.
func TestServer(t *testing.T) {
	s := Start(t, "work_mem='3MB'")
	url := s.Database(t)
	if !answers(t, url) {
		t.Fatal("a new server does not answer")
	}
	s.Pause(t)
	if answers(t, url) {
		t.Error("a paused server answers")
	}
	s.Resume(t)
	if !answers(t, url) {
		t.Error("a server does not answer after a pause")
	}
	s.Kill(t)
	if answers(t, url) {
		t.Error("a killed server answers")
	}
	s.Restart(t)
	s.Stop(t)
	s.Restart(t)
	if !answers(t, url) {
		t.Error("a server that was started again does not answer")
	}
}

// TestDatabasesAreFresh: each URL is an empty database, gone when its test has ended.
func TestDatabasesAreFresh(t *testing.T) {
	var used string
	t.Run("uses one", func(t *testing.T) {
		used = URL(t)
		if used == URL(t) || !answers(t, used) {
			t.Error("two tests would share a database")
		}
	})
	if answers(t, used) {
		t.Error("the database outlives its test")
	}
}

// TestNothingIsLeft kills a test binary that has a server: the server and its files go too.
func TestNothingIsLeft(t *testing.T) {
	if binaries() == "" {
		need(t)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asChild+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	dir, url, _ := strings.Cut(strings.TrimSpace(line), " ")
	if _, err := os.Stat(dir); err != nil || !answers(t, url) {
		t.Fatalf("the child's server is not there: %v", err)
	}
	if err := cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", dir)
		}
	}
	if answers(t, url) {
		t.Error("the server is still there")
	}
}
