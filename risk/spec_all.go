package risk

import (
	"fmt"
	"iter"
)

// All yields the name and text of every limit that is given, in the order of the
// Limit numbers.
func (s *Spec) All() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, f := range s.fields() {
			if *f.text != "" && !yield(f.limit.String(), *f.text) {
				return
			}
		}
	}
}

// Put gives the limit of that name a text; an empty one takes it away. Whether the
// text can be read is asked by Resolve.
//
// Errors wrap ErrSpec: there is no limit of that name.
func (s *Spec) Put(name, text string) error {
	for _, f := range s.fields() {
		if f.limit.String() == name {
			*f.text = text
			return nil
		}
	}
	return fmt.Errorf("%w: there is no limit %q", ErrSpec, name)
}

// Text is what is given for limit l, "" if nothing is. The period of a rate stands with
// its count.
func (s *Spec) Text(l Limit) string {
	for _, f := range s.fields() {
		if f.limit == l {
			return *f.text
		}
	}
	return ""
}

// ParseLimit returns the limit of that name and whether there is one.
func ParseLimit(name string) (Limit, bool) {
	for l := range numLimits {
		if limitDefs[l].name == name {
			return l, true
		}
	}
	return 0, false
}
