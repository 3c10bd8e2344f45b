package replay_test

import (
	"errors"
	"testing"

	"qcat/feed/replay"
)

func TestParseSpec(t *testing.T) {
	for in, want := range map[string]replay.Spec{
		"replay:a.gz":           {Path: "a.gz", Speed: replay.RealTime},
		"replay:a.gz@1x":        {Path: "a.gz", Speed: replay.RealTime},
		"replay:/x/a@b.gz@10x":  {Path: "/x/a@b.gz", Speed: 10 * replay.RealTime},
		"replay:a.gz@0.5x":      {Path: "a.gz", Speed: replay.RealTime / 2},
		"replay:C:\\a.zst@max":  {Path: "C:\\a.zst", Speed: replay.MaxSpeed},
		"replay:a.gz@1000000x":  {Path: "a.gz", Speed: 1_000_000 * replay.RealTime},
		"replay:a.gz@1.250x":    {Path: "a.gz", Speed: 1250},
		"replay:dir/replay:b@x": {},
		"replay:":               {},
		"replay:@max":           {},
		"replay:a@":             {},
		"replay:a@10":           {},
		"replay:a@0x":           {},
		"replay:a@-1x":          {},
		"replay:a@1000001x":     {},
		"replay:a@0.0001x":      {},
		"sim":                   {},
	} {
		got, err := replay.ParseSpec(in)
		if (want == replay.Spec{}) {
			if !errors.Is(err, replay.ErrSpec) {
				t.Errorf("%q: %+v, %v; want an error", in, got, err)
			}
			continue
		}
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v; want %+v", in, got, err, want)
		}
		if again, err := replay.ParseSpec(got.String()); err != nil || again != got {
			t.Errorf("%q spells itself %q, which is %+v, %v", in, got.String(), again, err)
		}
	}
}
