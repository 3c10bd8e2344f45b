// Package paper is a venue that trades on paper: it takes the engine's commands
// as a venue's gateway does and fills them against the visible market.
//
//	engine ─VenueCommand─► SPSC ring ─► Venue ─► Matcher ─ExecReport─► Deliver
//	lanes  ─core.Event───► market.Tap ────┘
//
// # The model
//
// Everything here holds for one instrument; V is the quantity the market displays
// at a price.
//
// Taking. An order that takes walks the opposite side from the best price on, up
// to its limit, and pays each level's own price. Of a level it finds V less what
// paper orders have taken of it already. That taken quantity T is remembered as
// long as the level is displayed: after every change of the level T = min(T, V),
// and a level that disappears takes its T along. So a lot is taken once at most:
// what is added to a level is there to be taken, what leaves it is assumed to be
// lots that nobody here took, as long as there are such.
//
//	market     V   T   to be taken
//	shows 10  10   0   10
//	we take 6 10   6    4
//	adds 5    15   6    9
//	shows 7    7   6    1
//	shows 4    4   4    0
//	shows 9    9   4    5
//	gone       0   0    0
//
// Resting. An order that rests stands behind the V displayed at its price on its
// own side when it came: its queue. A trade at the price whose aggressor is on
// the other side eats the queue first; what is left of the trade fills our
// orders there in order of arrival. A level that shows less than the queue
// shortens the queue to it: cancels are assumed to come from behind us first. A
// trade beyond our price goes to our orders at better prices first, whatever
// their queues, which are gone then. All fills of one trade together are never
// more than its quantity.
//
// Some venues tell of a shrunken level before the trades that shrank it. A trade
// whose exchange time is not after that of the shrinking is taken to be part of
// it and does not eat the queue a second time.
//
// Meeting. When the market itself quotes at or beyond the price of a resting
// order, the order takes what is displayed there and not yet taken, at its own
// price and as maker.
//
// Times. A command reaches the matching OrderLatency (new, amend) or
// CancelLatency (cancel) after it was taken; the commands of one order never
// overtake one another. Reports leave at once. Good-till-date orders expire when
// the clock, or a market event's receive time, reaches their time.
//
// # Outcomes
//
//	market, IOC: depth ends early   fills, then Cancelled, NoLiquidity
//	FOK: depth too thin             New, then Cancelled, NoLiquidity, no fill
//	post only: would take           Rejected, WouldTake (judged by V, taken or not)
//	book stale, crossed or unknown  new orders and amends that leave their queue:
//	                                refused with BookStale; resting orders stay
//	amend to less at the same price keeps its place in the queue
//	any other amend                 loses it, and takes if marketable
//	amend to no more than is filled ReplaceRejected, Invalid
//	cancel, amend of what is gone   refused with UnknownOrder
//	terms off the grid or too large Rejected, Invalid
//	too many open orders            Rejected, Unavailable
//
// # Restarts
//
// The venue forgets its orders when it stops; the engine does not, and asks about
// those that were open. An order that was confirmed before and rests is adopted:
// it enters anew with what is left of it, as if amended, behind what is displayed
// at its price. What happened while the venue was away did not happen to it. An
// adopted order that is marketable by now takes at market prices, even a post-only
// one: it would have rested when it was entered. All others are gone.
//
//	question about                       answer
//	an order it has                      New, or what became of an amend
//	a confirmed, resting order           the same, once the book is usable
//	one past its expiry                  Expired
//	a confirmed market, IOC, FOK order   Cancelled, UnknownOrder
//	an order never confirmed             Rejected, UnknownOrder
//	one that came back, and has ended    Cancelled, UnknownOrder
//
// An amend that was on its way when the venue stopped is answered as rejected. While
// an order waits for its book it can be cancelled and expires; it is not amended.
//
// A new order during a stale book is refused even if it might rest: without a
// book nobody knows whether it would take, nor what its queue is. Reduce-only
// and minimal notionals are the engine's to enforce, and so is which leg of a hedged
// position an order is for: a venue matches orders, not positions. Fees are on the
// notional of each fill, or with Fees.Base on the quantity that a spot buy received,
// rounded against the client.
//
// # What it does not model
//
// Market impact: the market does not see paper orders, so it does not move away
// from them, does not trade with them instead of others, and displays again
// tomorrow what they took today. Hidden and iceberg orders, queue jumps by
// amended orders, self-trades (paper orders never meet one another), outages,
// and the way back of a report.
//
// # Invariants
//
//   - No fill is worse than the order's limit; the fills of an order never exceed
//     its quantity; a fill-or-kill order fills wholly or not at all; a post-only
//     order never takes, unless it was adopted.
//   - What is taken from a price never exceeds what was ever displayed there; what
//     trades fill never exceeds what was traded.
//   - The reports are a function of the sequence of events, commands and clock
//     readings. VenueExecID ascends over all reports, and over those of earlier
//     runs about the same order: it starts at the clock's reading, and a question
//     raises it to what the engine has seen.
//   - Integers only (I9). In the steady state nothing allocates.
//   - A slow engine holds up this goroutine alone (I5): the market goes on, the tap
//     is overrun, the books turn stale and are asked for anew.
//
// # Ownership
//
// Submit belongs to the engine's goroutine, Ready to any, Run to the venue's own;
// it owns the Matcher, the tap and the calls of Deliver. State is in memory only.
//
// # Use
//
//	venue, err := paper.New(paper.Config{
//		Directory: directory, Sources: sources, Instruments: ids,
//		Clock: core.SystemClock(), Deliver: deliver,
//		Settings: paper.Settings{Fees: paper.Fees{MakerPPM: 200, TakerPPM: 500}},
//	})
//	go venue.Run(ctx) // and hand venue to the engine as a gateway
//
// # Imports
//
// core, core/book, core/market and ringbuf.
package paper
