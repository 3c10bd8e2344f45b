package decode

import (
	"testing"
	"time"

	"qcat/bench/peers/contest"
	"qcat/bench/peers/tape"
	"qcat/feed"
)

func load(t *testing.T) *tape.Tape {
	tapes, err := tape.Load()
	if err != nil {
		t.Fatal(err)
	}
	return tapes[0]
}

// TestContest compares all messages of all decoders and measures each for a moment.
func TestContest(t *testing.T) {
	c, err := Contest(load(t))
	if err != nil {
		t.Fatal(err)
	}
	results, err := c.Run(contest.Settings{Each: time.Millisecond, Rounds: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 4 || len(results[0].Figures) != len(makers) {
		t.Errorf("results are %+v", results)
	}
}

// careless decodes as another does and changes one thing.
type careless struct {
	decoder
	spoil func(*feed.Message)
}

func (c careless) decode(frame []byte, m *feed.Message) error {
	err := c.decoder.decode(frame, m)
	c.spoil(m)
	return err
}

// TestWrongMessagesAreNoticed: one unit in one number is enough.
func TestWrongMessagesAreNoticed(t *testing.T) {
	tp := load(t)
	works, err := workloads(tp)
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*feed.Message){
		"price": func(m *feed.Message) { m.Price++ },
		"time":  func(m *feed.Message) { m.ExchangeTime++ },
		"level": func(m *feed.Message) {
			if len(m.Bids) > 0 {
				m.Bids[0].Qty++
			} else {
				m.Qty++
			}
		},
	} {
		for _, w := range works {
			d, err := newFastJSON(tp)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.compare(careless{d, spoil}); err == nil {
				t.Errorf("%s, %s: not missed", w.name, name)
			}
		}
	}
	if _, err := works[0].run(careless{&fast{f: newFiller(tp)}, func(m *feed.Message) { m.LastID++ }}, 100); err == nil {
		t.Error("wrong ids were measured")
	}
}
