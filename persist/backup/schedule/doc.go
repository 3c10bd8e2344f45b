// Package schedule makes backups at the times that a cron text names, while a server
// runs.
//
//	folder of backups ──► Look: is there a verified one since the last time due?
//	                         │ no
//	                         ▼
//	                       Make (another process) ──► clean up ──► Stats, for metrics
//	                         │ failed: tried again after 1 min, 2 min, … 1 h
//
// Whoever makes a backup counts: one made by hand or by cron since the time that was due
// leaves nothing to do, and its age is the age that Stats tell. A time at which no server
// ran is made up for soon after the next start.
//
// # Use
//
//	times, err := schedule.Parse("0 2 * * *")
//	k := schedule.NewKeeper(schedule.Config{Times: times, Dir: dir, Make: make})
//	k.Run(ctx)
//
// # Invariants
//
//   - One at a time: Run is one goroutine, and the folder's lock keeps others out. One that
//     another process is making is waited for; that is not a failure.
//   - Only a backup that was verified counts as made.
//   - The newest verified backup is told also where nothing is scheduled.
//
// # Ownership
//
// Run is one goroutine. Stats may be called from any.
//
// # Imports
//
// persist/backup; github.com/adhocore/gronx, which reads the cron text.
package schedule
