// Package margin is the arithmetic of margin: what a derivative position ties up,
// what it must keep, at which price it no longer does, and what it pays for funding.
//
// S is the face of an inverse position (contracts · contract size), q a linear
// quantity, p a price, m the maintenance rate and cum the deduction of its tier:
//
//	                     linear               inverse
//	notional             q·p                  S/p
//	initial margin       notional/leverage    the same
//	maintenance margin   notional·m − cum     the same
//	funding of a long    notional·rate        the same
//	liquidation, long    (q·E − B − cum)/(q·(1 − m))   S·(1 + m)/(S/E + B + cum)
//	liquidation, short   (q·E + B + cum)/(q·(1 + m))   S·(1 − m)/(S/E − B − cum)
//
// with cum of tier n = floorₙ·(mₙ − mₙ₋₁) + cumₙ₋₁, which makes the maintenance margin
// go on without a step where a tier begins. The tier of a liquidation price is the one
// at that price. B is what answers for the position: of an isolated one its own
// margin, of a cross one the wallet less the maintenance margin of the others, with
// their unrealised profit and loss.
//
// Amounts are at SettleScale of the instrument, rates and leverage in parts per
// million. What is demanded is rounded up. Every function is pure; only Liquidation,
// which is for display, allocates. The package imports core only.
package margin
