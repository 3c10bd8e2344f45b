// Package storetest holds stores to what persist/store says of them.
//
// Run is the contract: every store passes the same suite. Memory is the naive
// store that answers are compared with; Faulty is a store whose writes fail, or
// succeed without anybody being told.
//
//	func TestContract(t *testing.T) {
//		storetest.Run(t, func(t *testing.T, dir *core.Directory) store.Store {
//			s, err := sqlite.Open(t.Context(), sqlite.Config{Path: filepath.Join(t.TempDir(), "db"), Directory: dir})
//			…
//			return s
//		})
//	}
//
// It is imported by tests only.
package storetest
