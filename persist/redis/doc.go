// Package redis shows the latest quotes and positions to other processes, in
// Redis. docs/redis-keys.md lists the keys.
//
//	cache, err := redis.New(redis.Config{URL: redis.URLFromEnv(os.Getenv), Directory: dir,
//		Quotes: table, Positions: positions})
//	go cache.Run(ctx)
//	…
//	health := cache.Status()
//
// It is a mirror, not a store: nothing is ever read back into QCAT, and nothing
// else notices whether Redis runs (I5).
//
// # How it stays right
//
// Every interval the goroutine of Run looks at what the tables hold now, and sends
// what has changed since it last looked, in one pipeline: a value that changes
// faster than that is conflated. The pipeline begins by asking for the epoch, a
// random name that the cache put there when it last wrote everything. Gone or
// another one (FLUSHALL, a failover, Redis started anew) means that what was
// written is no longer there: everything is written again. After any error the
// connection is given up, and everything is written again over the next one.
//
// # Invariants
//
//   - Redis that is stopped, slow or half-open costs this goroutine its timeouts
//     and nobody else anything.
//   - Memory is bounded by one copy of each quote and position.
//   - The password is in no error, status or log line.
//
// # Ownership
//
// Run is one goroutine, with the client's own beside it while it is connected.
// Status may be called by any.
//
// # Imports
//
// core, core/history and, this package alone, rueidis.
package redis
