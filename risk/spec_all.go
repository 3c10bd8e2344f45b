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
