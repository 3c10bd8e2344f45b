package main

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// logFile is the log's file: it can be renamed while it is written to, and reopened. A
// line is one write, and between two of them the file may change, so that no line is lost
// or torn by that. One that cannot be written is counted and forgotten: a disk that is
// full stops nothing, and stderr has the line. Safe for concurrent use.
type logFile struct {
	path string

	mu   sync.Mutex
	file *os.File
	torn bool // a part of a line has been written, and no more of it will be

	lines, failures, reopened atomic.Uint64

	// trouble is told of failures, at most one in troubleEvery. It must not log here.
	trouble   func(error)
	troubleAt atomic.Int64 // Unix ns of the last time
}

// troubleEvery is how often stderr is told that the file cannot be written.
const troubleEvery = time.Minute

// Who may read the log, and its folder where that is made.
const (
	logFileMode = 0o640
	logDirMode  = 0o750
)

// openLogFile opens the file to append to it. Its folder is made if it is not there.
func openLogFile(path string) (*logFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), logDirMode); err != nil {
		return nil, err
	}
	f, err := appendTo(path)
	if err != nil {
		return nil, err
	}
	return &logFile{path: path, file: f, trouble: func(error) {}}, nil
}

func appendTo(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, logFileMode)
}

// Write writes one line. It never fails: failures are counted.
func (l *logFile) Write(line []byte) (int, error) {
	if err := l.write(line); err != nil {
		l.failed(err)
	} else {
		l.lines.Add(1)
	}
	return len(line), nil
}

func (l *logFile) write(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return os.ErrClosed
	}
	if l.torn {
		if _, err := l.file.Write([]byte{'\n'}); err != nil {
			return err
		}
		l.torn = false
	}
	n, err := l.file.Write(line)
	l.torn = err != nil && n > 0
	return err
}

// failed counts a line that was not written, and tells now and then.
func (l *logFile) failed(err error) {
	l.failures.Add(1)
	now, last := time.Now().UnixNano(), l.troubleAt.Load()
	if now-last >= int64(troubleEvery) && l.troubleAt.CompareAndSwap(last, now) {
		l.trouble(err)
	}
}

// reopen goes on in the file that now has the path's name, which is made if there is
// none. If that fails the old file is kept.
func (l *logFile) reopen() error {
	f, err := appendTo(l.path)
	if err != nil {
		return err
	}
	l.mu.Lock()
	old := l.file
	l.file, l.torn = f, false
	l.mu.Unlock()
	l.reopened.Add(1)
	if old == nil {
		return nil
	}
	return old.Close()
}

// close ends it; what is logged later is counted as failed.
func (l *logFile) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.file
	l.file = nil
	if old == nil {
		return nil
	}
	return errors.Join(old.Sync(), old.Close())
}

// reopenOnSignal reopens the file whenever SIGUSR1 comes, until stop is called. Without a
// file the signal does nothing; unheard, it would end the process, so that it goes on
// being heard of after stop. It listens when it returns.
func reopenOnSignal(l *logFile, log *zap.Logger) (stop func()) {
	signals := make(chan os.Signal, 1) // one that comes while another is seen to is enough for both
	signal.Notify(signals, syscall.SIGUSR1)
	end, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-end:
				return
			case <-signals:
				reopen(l, log)
			}
		}
	}()
	return func() {
		close(end)
		<-done
	}
}

func reopen(l *logFile, log *zap.Logger) {
	if l == nil {
		return
	}
	if err := l.reopen(); err != nil {
		log.Error("the log file cannot be reopened, the old one is written to", zap.String("file", l.path), zap.Error(err))
		return
	}
	log.Info("the log file was reopened", zap.String("file", l.path))
}
