package identity

// Before makes s ask f before each statement and each commit; an error of f is the
// statement's.
func (s *Store) Before(f func(what string) error) { s.before = f }
