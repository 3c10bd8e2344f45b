package main

import (
	"qcat/api/calls"
	"qcat/api/metrics"
)

// keepCalls has each request of the API logged, if that is wanted.
func (s *server) keepCalls(l *logs) {
	if s.cfg.LogAPICalls > 0 {
		s.calls = calls.New(calls.Config{Log: l.all, Lines: s.cfg.LogAPICalls, Clock: s.clock})
	}
	s.registerLogs(l)
}

// registerLogs puts what became of log lines on /metrics.
func (s *server) registerLogs(l *logs) {
	ofFile := func(read func(*logFile) uint64) func() uint64 {
		return func() uint64 {
			if l.file == nil {
				return 0
			}
			return read(l.file)
		}
	}
	for _, c := range []struct {
		name, help string
		read       func() uint64
	}{
		{"qcat_logfile_lines_total", "Lines written to the log file.", ofFile(func(f *logFile) uint64 { return f.lines.Load() })},
		{"qcat_logfile_errors_total", "Lines that could not be written to the log file.", ofFile(func(f *logFile) uint64 { return f.failures.Load() })},
		{"qcat_logfile_reopens_total", "Times that the log file was reopened.", ofFile(func(f *logFile) uint64 { return f.reopened.Load() })},
		{"qcat_logfile_sampled_total", "Lines left out by log-sampling, of stderr and the log file.", l.sampled.Load},
		{"qcat_api_calls_unlogged_total", "Requests that have no line of their own nor are in one with others: the ring of calls was full.", s.calls.Lost},
	} {
		s.metrics.Counter(c.name, c.help, metrics.Labels{}, c.read)
	}
}
