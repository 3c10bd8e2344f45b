package main

import (
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

// logFlags say what is logged, how and where.
type logFlags struct {
	LogLevel    string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info"`
	LogFormat   string `help:"json, console, or auto: console on a terminal, json elsewhere." enum:"auto,json,console" default:"auto"`
	LogFile     string `help:"File that is written to beside stderr; SIGUSR1 reopens it. Empty: none." placeholder:"FILE"`
	LogSampling string `help:"FIRST/EVERY: of lines that say the same in one second the first so many are kept, and then one in so many; off: all." default:"100/100"`
	LogAPICalls int    `name:"log-api-calls" help:"Lines \"API call\" a second, one a request; those beyond it share one line a route and status, which says how many. 0: none." default:"1000"`
}

// logs are where the server logs.
type logs struct {
	*zap.Logger
	all     *zap.Logger   // without sampling
	file    *logFile      // nil: none
	sampled atomic.Uint64 // lines left out by sampling
}

// open makes the loggers. Lines go to w, and to the file if there is one. What others
// sent stands there escaped: it makes no line and no sequence for a terminal.
//
// Errors: settings that cannot be used, a file that cannot be opened.
func (f *logFlags) open(w io.Writer) (*logs, error) {
	level, err := zapcore.ParseLevel(f.LogLevel)
	if err != nil {
		return nil, badSetting("log-level", "%v", err)
	}
	first, every, err := parseSampling(f.LogSampling)
	if err != nil {
		return nil, err
	}
	if f.LogAPICalls < 0 {
		return nil, badSetting("log-api-calls", "cannot be negative")
	}
	l := &logs{}
	stderr := zapcore.NewCore(encoder(f.LogFormat, isTerminal(w)), zapcore.Lock(zapcore.AddSync(visible{w})), level)
	core := stderr
	if f.LogFile != "" {
		if l.file, err = openLogFile(f.LogFile); err != nil {
			return nil, badSetting("log-file", "%v", err)
		}
		alone := zap.New(stderr)
		l.file.trouble = func(err error) {
			alone.Error("the log file cannot be written", zap.String("file", f.LogFile), zap.Error(err))
		}
		core = zapcore.NewTee(stderr, zapcore.NewCore(encoder(f.LogFormat, false), zapcore.AddSync(visible{l.file}), level))
	}
	l.all = zap.New(core)
	if every > 0 {
		core = zapcore.NewSamplerWithOptions(core, time.Second, first, every, zapcore.SamplerHook(func(_ zapcore.Entry, d zapcore.SamplingDecision) {
			if d&zapcore.LogDropped != 0 {
				l.sampled.Add(1)
			}
		}))
	}
	l.Logger = zap.New(core)
	return l, nil
}

// close has everything reach its file.
func (l *logs) close() error {
	_ = l.Sync() // a terminal cannot be synced
	if l.file == nil {
		return nil
	}
	return l.file.close()
}

// encoder writes the level in capitals, in either format: "ERROR" is what is looked for.
func encoder(format string, terminal bool) zapcore.Encoder {
	cfg := zap.NewProductionEncoderConfig()
	cfg.EncodeTime = zapcore.ISO8601TimeEncoder
	cfg.EncodeLevel = zapcore.CapitalLevelEncoder
	cfg.EncodeDuration = zapcore.StringDurationEncoder
	if format == "console" || format == "auto" && terminal {
		return zapcore.NewConsoleEncoder(cfg)
	}
	return zapcore.NewJSONEncoder(cfg)
}

// parseSampling reads FIRST/EVERY; every 0: nothing is left out.
func parseSampling(text string) (first, every int, err error) {
	if text == "off" {
		return 0, 0, nil
	}
	a, b, ok := strings.Cut(text, "/")
	first, err1 := strconv.Atoi(a)
	every, err2 := strconv.Atoi(b)
	if !ok || err1 != nil || err2 != nil || first < 1 || every < 1 {
		return 0, 0, badSetting("log-sampling", "%q is neither FIRST/EVERY, two numbers above 0, nor off", text)
	}
	return first, every, nil
}

// isTerminal reports whether w is a terminal a person looks at.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
