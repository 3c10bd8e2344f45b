-- What the order journal says.
--
-- Large tables are cut into one partition a day and have no unique key: rows come in
-- batches whose position is committed with them, so that each is there once without
-- an index that every row would pay for. Their BRIN indexes are summarised as their
-- ranges fill up; minmax_multi keeps a range narrow although one old row stands in it.
--
-- orders and executions have one b-tree, on account and id: "the latest of one account"
-- is what clients ask all day, and an account may have few rows among very many. It about
-- halves the rate of COPY (measured with 300 000 executions of 100 accounts), which stays
-- far above the rate of orders. Trades and quotes, of which there are more, have none.

-- +goose Up
-- Orders that are closed, by the day in which they were created. An order is in
-- orders_open or here, never in both; a late fill replaces its row.
CREATE TABLE orders (
	id bigint NOT NULL,
	account integer NOT NULL,
	strategy integer NOT NULL,
	instrument integer NOT NULL,
	side smallint NOT NULL,   -- 1 buy, 2 sell
	type smallint NOT NULL,   -- 1 market, 2 limit
	tif smallint NOT NULL,    -- 1 gtc, 2 ioc, 3 fok, 4 gtd, 5 post_only
	status smallint NOT NULL, -- 1 new, 2 partially_filled, 3 filled, 4 cancelled, 5 rejected, 6 expired
	reduce_only boolean NOT NULL,
	venue_acked boolean NOT NULL,
	pending_cancel boolean NOT NULL,
	pending_replace boolean NOT NULL,
	unknown boolean NOT NULL, -- sent, and nobody knows what became of it
	reason integer NOT NULL,
	amends bigint NOT NULL,
	expire_ns bigint NOT NULL,
	create_ns bigint NOT NULL,
	update_ns bigint NOT NULL,
	due_ns bigint NOT NULL,   -- when it is next asked to be cancelled, 0 for never
	seq bigint NOT NULL,      -- of the journal record that left it so
	price numeric NOT NULL,
	qty numeric NOT NULL,
	cum_qty numeric NOT NULL,
	cum_cost numeric NOT NULL, -- sum of last_px * last_qty
	new_price numeric NOT NULL,
	new_qty numeric NOT NULL,
	cl_ord_id text COLLATE "C" NOT NULL
) PARTITION BY RANGE (create_ns);
CREATE INDEX orders_account ON orders (account, id);
CREATE INDEX orders_brin ON orders USING brin (id int8_minmax_multi_ops, create_ns int8_minmax_multi_ops,
	cl_ord_id text_bloom_ops (n_distinct_per_range = 2000), instrument int4_bloom_ops (n_distinct_per_range = 200)) WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE orders_open (LIKE orders, PRIMARY KEY (id));
CREATE INDEX orders_open_account ON orders_open (account, id);

CREATE TABLE executions (
	id bigint NOT NULL,
	order_id bigint NOT NULL,
	account integer NOT NULL,
	strategy integer NOT NULL,
	instrument integer NOT NULL,
	side smallint NOT NULL,
	liquidity smallint NOT NULL, -- 1 maker, 2 taker
	venue_ns bigint NOT NULL,
	time_ns bigint NOT NULL,
	seq bigint NOT NULL,
	last_px numeric NOT NULL,
	last_qty numeric NOT NULL,
	fee numeric NOT NULL, -- negative is a rebate
	cl_ord_id text COLLATE "C" NOT NULL
) PARTITION BY RANGE (time_ns);
CREATE INDEX executions_account ON executions (account, id);
CREATE INDEX executions_brin ON executions USING brin (id int8_minmax_multi_ops, order_id int8_minmax_multi_ops,
	time_ns int8_minmax_multi_ops, instrument int4_bloom_ops (n_distinct_per_range = 200))
	WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE risk_events (
	seq bigint NOT NULL,
	time_ns bigint NOT NULL,
	kind smallint NOT NULL,
	scope_level smallint NOT NULL,
	scope_account integer NOT NULL,
	scope_strategy integer NOT NULL,
	scope_instrument integer NOT NULL,
	state smallint NOT NULL,
	code integer NOT NULL,
	unit smallint NOT NULL,
	limit_value bigint NOT NULL, -- in unit
	value bigint NOT NULL,       -- in unit
	order_id bigint NOT NULL,
	account integer NOT NULL,
	strategy integer NOT NULL,
	instrument integer NOT NULL,
	side smallint NOT NULL,
	price numeric NOT NULL,
	qty numeric NOT NULL,
	cl_ord_id text COLLATE "C" NOT NULL,
	note text COLLATE "C" NOT NULL
) PARTITION BY RANGE (time_ns);
CREATE INDEX risk_events_brin ON risk_events USING brin (seq int8_minmax_multi_ops, time_ns int8_minmax_multi_ops,
	account int4_bloom_ops) WITH (pages_per_range = 32, autosummarize = on);

-- Who changed what. Rows are added and never changed.
CREATE TABLE audit (
	seq bigint PRIMARY KEY,
	time_ns bigint NOT NULL,
	action text COLLATE "C" NOT NULL,
	scope_level smallint NOT NULL,
	scope_account integer NOT NULL,
	scope_strategy integer NOT NULL,
	scope_instrument integer NOT NULL,
	detail text COLLATE "C" NOT NULL
);

CREATE TABLE positions (
	account integer NOT NULL,
	strategy integer NOT NULL,
	instrument integer NOT NULL,
	qty numeric NOT NULL,       -- negative is short
	entry_num numeric NOT NULL, -- average entry = entry_num / entry_den; inverse: value at entry
	entry_den numeric NOT NULL,
	cash numeric NOT NULL,      -- what the fills brought in, before fees
	fees numeric NOT NULL,
	volume numeric NOT NULL,
	fills bigint NOT NULL,
	time_ns bigint NOT NULL,
	seq bigint NOT NULL,
	PRIMARY KEY (strategy, instrument)
) WITH (fillfactor = 50);

CREATE TABLE marks (
	instrument integer PRIMARY KEY,
	price numeric NOT NULL,
	time_ns bigint NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE equity (
	account integer NOT NULL,
	time_ns bigint NOT NULL, -- the end of the minute
	settle text COLLATE "C" NOT NULL,
	scale smallint NOT NULL,
	realised numeric NOT NULL,
	unrealised numeric NOT NULL,
	fees numeric NOT NULL,
	valued boolean NOT NULL,
	seq bigint NOT NULL,
	PRIMARY KEY (account, time_ns, settle, scale)
);

-- +goose Down
DROP TABLE equity;
DROP TABLE marks;
DROP TABLE positions;
DROP TABLE audit;
DROP TABLE risk_events;
DROP TABLE executions;
DROP TABLE orders_open;
DROP TABLE orders;
DELETE FROM partition_ranges WHERE parent IN ('orders', 'executions', 'risk_events');
UPDATE stream_positions SET log = decode(repeat('00', 16), 'hex'), seq = 0, time_ns = 0, last_order = 0 WHERE stream = 'journal';
