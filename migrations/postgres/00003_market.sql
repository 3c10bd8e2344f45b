-- What the tick log says. Trades and quotes are by far the most rows: BRIN only. The
-- bloom filter of instruments lets a quiet instrument's rows be found without reading
-- what its busy neighbours did meanwhile.

-- +goose Up
CREATE TABLE trades (
	tick bigint NOT NULL, -- sequence in the tick log
	exchange_ns bigint NOT NULL,
	receive_ns bigint NOT NULL,
	id bigint NOT NULL,   -- the venue's
	instrument integer NOT NULL,
	side smallint NOT NULL,
	price numeric NOT NULL,
	qty numeric NOT NULL
) PARTITION BY RANGE (receive_ns);
CREATE INDEX trades_brin ON trades USING brin (exchange_ns int8_minmax_multi_ops, instrument int4_bloom_ops)
	WITH (pages_per_range = 64, autosummarize = on);

CREATE TABLE quotes (
	tick bigint NOT NULL,
	receive_ns bigint NOT NULL,
	exchange_ns bigint NOT NULL,
	instrument integer NOT NULL,
	stale boolean NOT NULL, -- the book behind it waited for a snapshot
	bid_price numeric NOT NULL,
	bid_qty numeric NOT NULL,
	ask_price numeric NOT NULL,
	ask_qty numeric NOT NULL
) PARTITION BY RANGE (receive_ns);
CREATE INDEX quotes_brin ON quotes USING brin (receive_ns int8_minmax_multi_ops, instrument int4_bloom_ops)
	WITH (pages_per_range = 64, autosummarize = on);

-- The latest quote of each instrument, which is in quotes too.
CREATE TABLE quotes_last (LIKE quotes, PRIMARY KEY (instrument)) WITH (fillfactor = 50);

CREATE TABLE candles (
	instrument integer NOT NULL,
	interval_ns bigint NOT NULL,
	open_ns bigint NOT NULL,
	open numeric NOT NULL,
	high numeric NOT NULL,
	low numeric NOT NULL,
	close numeric NOT NULL,
	volume numeric NOT NULL,
	trades bigint NOT NULL,
	closed boolean NOT NULL,
	gap boolean NOT NULL, -- ticks of the interval are missing
	PRIMARY KEY (instrument, interval_ns, open_ns)
) WITH (fillfactor = 90); -- the open candle is updated in place

CREATE TABLE tick_gaps (
	tick bigint PRIMARY KEY,
	lost bigint NOT NULL, -- events, 0 when not known
	from_ns bigint NOT NULL,
	to_ns bigint NOT NULL,
	reason text COLLATE "C" NOT NULL
);

-- +goose Down
DROP TABLE tick_gaps;
DROP TABLE candles;
DROP TABLE quotes_last;
DROP TABLE quotes;
DROP TABLE trades;
DELETE FROM partition_ranges WHERE parent IN ('trades', 'quotes');
UPDATE stream_positions SET log = decode(repeat('00', 16), 'hex'), seq = 0, time_ns = 0 WHERE stream = 'ticks';
