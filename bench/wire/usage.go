package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

// usage is what a process has used up to a moment.
type usage struct {
	at        time.Time
	cpu       time.Duration // user and system
	own       time.Duration // the same of the generator
	rss, peak int64         // bytes

	// Of a server with /metrics; of others 0.
	gcs        float64       // pauses so far
	worstPause time.Duration // of the latest collections that the runtime remembers
	bytes      float64       // allocated so far
	objects    float64
}

// spent is what a process used between two moments.
type spent struct {
	CPU        float64       `json:"cpu_percent"` // of a core
	Generator  float64       `json:"generator_cpu_percent"`
	RSS        int64         `json:"rss_bytes"`
	Peak       int64         `json:"peak_rss_bytes"`
	GCs        float64       `json:"gc_pauses"`
	WorstPause time.Duration `json:"gc_worst_pause_ns"`
	Bytes      float64       `json:"alloc_bytes_per_second"`
	Objects    float64       `json:"alloc_objects_per_second"`

	cpu  time.Duration
	time time.Duration
}

// used looks at a process and, where addr is not empty, at the /metrics there.
func used(pid int, addr string) (u usage, err error) {
	if addr != "" {
		if err := u.scrape("http://" + addr + "/metrics"); err != nil {
			return u, err
		}
	}
	for who, into := range map[string]*time.Duration{strconv.Itoa(pid): &u.cpu, "self": &u.own} {
		stat, err := os.ReadFile("/proc/" + who + "/stat")
		if err != nil {
			return u, err
		}
		if *into, err = cpuTime(stat); err != nil {
			return u, err
		}
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, err
	}
	if u.rss, err = statusBytes(status, "VmRSS:"); err != nil {
		return u, err
	}
	u.peak, err = statusBytes(status, "VmHWM:")
	u.at = time.Now()
	return u, err
}

// since is what was used between before and u.
func (u usage) since(before usage) spent {
	s := spent{RSS: u.rss, Peak: u.peak, GCs: u.gcs - before.gcs, cpu: u.cpu - before.cpu, time: u.at.Sub(before.at)}
	if seconds := s.time.Seconds(); seconds > 0 {
		s.CPU, s.Generator = 100*s.cpu.Seconds()/seconds, 100*(u.own-before.own).Seconds()/seconds
		s.Bytes, s.Objects = (u.bytes-before.bytes)/seconds, (u.objects-before.objects)/seconds
	}
	if s.GCs > 0 {
		s.WorstPause = u.worstPause
	}
	return s
}

// plus puts two stretches of time together.
func (s spent) plus(o spent) spent {
	a, b := s.time.Seconds(), o.time.Seconds()
	mean := func(x, y float64) float64 {
		if a+b == 0 {
			return 0
		}
		return (x*a + y*b) / (a + b)
	}
	return spent{CPU: mean(s.CPU, o.CPU), Generator: mean(s.Generator, o.Generator), RSS: max(s.RSS, o.RSS), Peak: max(s.Peak, o.Peak), GCs: s.GCs + o.GCs, WorstPause: max(s.WorstPause, o.WorstPause),
		Bytes: mean(s.Bytes, o.Bytes), Objects: mean(s.Objects, o.Objects), cpu: s.cpu + o.cpu, time: s.time + o.time}
}

// userHz is the unit of /proc/*/stat on every Linux that Go runs on.
const userHz = 100

// cpuTime reads user and system time out of /proc/<pid>/stat. The name of the
// program, the second field, may hold spaces and parentheses.
func cpuTime(stat []byte) (time.Duration, error) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, errors.New("/proc/*/stat without the name of the program")
	}
	fields := bytes.Fields(stat[end+1:]) // from the third, the state, on
	const utime, stime = 14 - 3, 15 - 3
	if len(fields) <= stime {
		return 0, fmt.Errorf("/proc/*/stat has %d fields behind the name", len(fields))
	}
	ticks := int64(0)
	for _, f := range [][]byte{fields[utime], fields[stime]} {
		n, err := strconv.ParseInt(string(f), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/*/stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / userHz), nil
}

// statusBytes reads a size out of /proc/<pid>/status.
func statusBytes(status []byte, key string) (int64, error) {
	for line := range bytes.Lines(status) {
		if value, ok := bytes.CutPrefix(line, []byte(key)); ok {
			kib, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(value), []byte("kB")))), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/*/status has no %s", key)
}

// scrape takes the Go runtime's figures from a Prometheus page.
func (u *usage) scrape(url string) error {
	res, err := asking.Get(url)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // read to its end
	page, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, res.Status)
	}
	pause := 0.0
	for name, into := range map[string]*float64{
		"go_gc_duration_seconds_count":         &u.gcs,
		`go_gc_duration_seconds{quantile="1"}`: &pause,
		"go_memstats_alloc_bytes_total":        &u.bytes,
		"go_memstats_mallocs_total":            &u.objects,
	} {
		if *into, err = metric(page, name); err != nil {
			return err
		}
	}
	u.worstPause = time.Duration(pause * 1e9)
	return nil
}

// metric finds one sample, named with its labels, on a Prometheus page.
func metric(page []byte, name string) (float64, error) {
	for line := range bytes.Lines(page) {
		rest, ok := bytes.CutPrefix(line, []byte(name))
		if !ok || len(rest) == 0 || rest[0] != ' ' {
			continue
		}
		value, _, _ := bytes.Cut(bytes.TrimSpace(rest), []byte(" ")) // a time may follow
		return strconv.ParseFloat(string(value), 64)
	}
	return 0, fmt.Errorf("no metric %s", name)
}
