package main

import (
	"math"
	"runtime/debug"
	"runtime/metrics"
	"strconv"

	"go.uber.org/zap"
)

// memoryFlags say when the garbage collector runs. What is not set is left to the
// runtime and its variables GOGC and GOMEMLIMIT.
type memoryFlags struct {
	MemoryLimit byteSize `help:"Memory from which on the collector works harder: a soft limit. 0: GOMEMLIMIT, or none." default:"0"`
	GoGC        string   `name:"gogc" help:"Growth of the heap, in percent, between two collections; off: only at the memory limit. Empty: GOGC, or 100." placeholder:"PERCENT"`
}

// leastMemory is what a server needs to begin with; a smaller limit would have it
// collect without a pause.
const leastMemory = 64 << 20

// applyMemory sets what is set and logs what is in force.
func (f *memoryFlags) applyMemory(log *zap.Logger) {
	if f.MemoryLimit > 0 {
		debug.SetMemoryLimit(int64(f.MemoryLimit))
	}
	if percent, err := f.percent(); err == nil && f.GoGC != "" {
		debug.SetGCPercent(percent)
	}
	percent, limit := collection()
	log.Info("garbage collection", zap.String("gogc", percent), zap.String("memory_limit", limit))
}

// checkMemory refuses what would let memory grow without bound, or the collector run
// without a pause.
func (f *memoryFlags) checkMemory() error {
	percent, err := f.percent()
	switch {
	case err != nil:
		return err
	case f.MemoryLimit != 0 && f.MemoryLimit < leastMemory:
		return badSetting("memory-limit", "%s is too small: %s at least, or 0 for none", f.MemoryLimit, byteSize(leastMemory))
	case f.GoGC != "" && percent < 0 && f.MemoryLimit == 0 && debug.SetMemoryLimit(-1) == math.MaxInt64:
		return badSetting("gogc", "off without a memory-limit would never collect")
	}
	return nil
}

// percent is what gogc says, -1 for off.
func (f *memoryFlags) percent() (int, error) {
	if f.GoGC == "" || f.GoGC == "off" {
		return -1, nil
	}
	v, err := strconv.ParseInt(f.GoGC, 10, 32)
	if err != nil || v < 1 {
		return 0, badSetting("gogc", "%q is neither a percentage such as 100 nor off", f.GoGC)
	}
	return int(v), nil
}

// collection is what is in force, as the settings write it.
func collection() (percent, limit string) {
	samples := []metrics.Sample{{Name: "/gc/gogc:percent"}, {Name: "/gc/gomemlimit:bytes"}}
	metrics.Read(samples)
	percent, limit = "off", "none"
	if v := samples[0].Value.Uint64(); v <= math.MaxInt32 {
		percent = strconv.FormatUint(v, 10)
	}
	if v := samples[1].Value.Uint64(); v < math.MaxInt64 {
		limit = byteSize(v).String()
	}
	return percent, limit
}
