package main

import (
	"errors"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"time"

	"go.uber.org/zap"

	"qcat/api/origin"
)

// debugFlags are for those who look into a running server. All of it is off by default.
type debugFlags struct {
	DebugListen  string        `help:"Address of the profiles, /debug/pprof: loopback only. Empty: there are none." placeholder:"HOST:PORT"`
	BlockProfile time.Duration `help:"Profile what goroutines wait for: one sample for so much time waited. 0s: not." default:"0s"`
	MutexProfile int           `help:"Profile contended locks: one sample in so many. 0: not." default:"0"`
}

// checkDebug refuses what others could reach, and profiles that nobody could read.
func (f *debugFlags) checkDebug() error {
	switch {
	case f.BlockProfile < 0 || f.MutexProfile < 0:
		return badSetting("block-profile, mutex-profile", "none can be negative")
	case f.DebugListen == "" && (f.BlockProfile > 0 || f.MutexProfile > 0):
		return badSetting("block-profile, mutex-profile", "they are read from debug-listen, which is not set")
	case f.DebugListen == "":
		return nil
	}
	return loopback("debug-listen", f.DebugListen, "profiles tell what the server does and has in memory, "+
		"and taking one slows it down; listen on 127.0.0.1 and let an SSH tunnel bring others in")
}

// serveProfiles serves the profiles until stop is called, from the first moment of a
// start on: what a recovery does is worth a look, too. Without an address it does
// nothing.
func (f *debugFlags) serveProfiles(log *zap.Logger) (stop func(), err error) {
	if f.DebugListen == "" {
		return func() {}, nil
	}
	ln, err := net.Listen("tcp", f.DebugListen)
	if err != nil {
		return nil, badSetting("debug-listen", "%v", err)
	}
	runtime.SetBlockProfileRate(int(f.BlockProfile))
	runtime.SetMutexProfileFraction(f.MutexProfile)
	s := &http.Server{Handler: profiles(), ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
			log.Error("the profiles have ended", zap.Error(err))
		}
	}()
	log.Info("serving profiles", zap.String("address", ln.Addr().String()), zap.Duration("block_profile", f.BlockProfile), zap.Int("mutex_profile", f.MutexProfile))
	return func() {
		_ = s.Close() // a profile that is being taken ends
		<-done
	}, nil
}

// profiles answers under /debug/pprof what net/http/pprof does, but for the command
// line, which may hold a password. A page in a browser gets nothing.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch site := r.Header.Get("Sec-Fetch-Site"); {
		case site != "" && site != "none" && site != "same-origin", r.Header.Get("Origin") != "", !origin.Addressed(nil, r.Host):
			http.Error(w, "profiles are not for pages of other sites", http.StatusForbidden)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}
