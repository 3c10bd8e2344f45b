package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	dir := flag.String("dir", "../grafana/dashboards", "folder that the dashboards are written to")
	flag.Parse()
	for _, b := range boards() {
		text, err := b.encode()
		if err == nil {
			err = os.WriteFile(filepath.Join(*dir, b.file()), text, 0o644) //nolint:gosec // Grafana's user reads it
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "dashboards:", err)
			os.Exit(1)
		}
	}
}

// boards are all dashboards, the one to look at first at the head.
func boards() []board {
	return []board{overview(), latency(), market(), risk(), infrastructure()}
}

// file is the name of a dashboard's file: its uid without "qcat-".
func (b board) file() string { return b.uid[len("qcat-"):] + ".json" }

// encode returns a dashboard as Grafana loads it.
func (b board) encode() ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(b.grafana()); err != nil {
		return nil, fmt.Errorf("%s: %w", b.uid, err)
	}
	return out.Bytes(), nil
}
