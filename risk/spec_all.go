package risk

import "iter"

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
