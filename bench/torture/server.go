package main

import (
	"context"
	"errors"
	"time"

	"qcat/api/client"
	"qcat/bench/process"
)

// startPatience is how long a start may take.
const startPatience = time.Minute

// server is one life of the binary.
type server struct {
	*process.Server
	took time.Duration // until it was ready
}

// start starts the binary on the run's data directory and waits until it trades. Its
// stores are the embedded ones: they are what is tortured.
func (r *run) start(ctx context.Context, more ...string) (s server, err error) {
	args := append([]string{"--journal-sync", r.sync, "--snapshot-records", "3000", "--snapshot-interval", "1h", "--journal-segment", "4MiB",
		"--journal-buffer", "1MiB", "--no-cancel-on-shutdown"}, more...)
	began := time.Now()
	if s.Server, err = process.Start(ctx, process.Options{Binary: r.binary, Dir: r.dir, Patience: startPatience, Args: args}); err != nil {
		return s, err
	}
	if err := s.WaitReady(ctx, startPatience); err != nil {
		return s, errors.Join(err, s.Kill())
	}
	s.took = time.Since(began)
	return s, nil
}

// lost reports whether an answer was no answer of the server's.
func lost(err error) bool {
	var refused *client.Refusal
	return err != nil && !errors.As(err, &refused)
}
