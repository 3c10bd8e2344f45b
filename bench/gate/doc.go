// Command gate holds a change against the revision before it: the kernels of the
// hot path (kernels.go) are built of both with `go test -c`, in the same run, and
// measured in turns on the same machine.
//
//	go run ./bench/gate -base origin/main
//
// A kernel fails
//
//   - when it allocates more: every measurement of the head, in allocations an operation,
//     or in bytes by the smallest allocation there is (8), is above every one of the base;
//   - when it is slower in each of three rounds. A round is up to twelve blocks of
//     four measurements in the order ABBA, base as A and head as B (so that a drift of
//     the machine helps neither), each measurement a process of its own, its figure the
//     minimum of several runs. The head is slower if Wilcoxon's signed-rank test of the
//     pairs, exact and one-sided, says p < 0.01, and the estimated slow-down (Hodges and
//     Lehmann's) is above 5 % and above three times the A/A spread of the round: the
//     standard error of that estimate, told from the round's differences of one and the
//     same binary.
//
// What passes a round is not asked again. A slow-down that is wanted is accepted by a
// trailer in a commit of base..head, and printed with its reason:
//
//	Slower: <regular expression of the benchmark's name> <reason>
//
// More allocations are not accepted that way. A kernel that only one side has, or that
// the base cannot build, is listed and not failed; one whose two test binaries are the
// same bytes is not measured (-all measures it). Tail latency, throughput of several
// goroutines, network and database are reported by `make bench` and never gated.
//
// The base is checked out as a git worktree in a temporary directory, which is removed
// at the end, after an interrupt too. The head is the working tree as it is. -budget
// bounds the time to measure; what is not decided in it fails as such.
//
// That hot functions allocate nothing is held by tests (alloc_test.go of each package);
// hot.go lists them all, and a test shows that each is run by the test named beside it.
//
// Exit codes: 0 all passed, 1 something failed, 2 nothing could be compared because of
// an error, 3 not decided in the time given.
package main
