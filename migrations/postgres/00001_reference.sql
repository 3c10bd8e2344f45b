-- What everything else refers to, and how far the store has come.
--
-- Times are Unix nanoseconds in bigint columns named *_ns: exact. Prices, quantities
-- and amounts are NUMERIC with as many decimals as their instrument's scale has: the
-- number of decimals that a value carries is part of it. Text sorts by bytes.

-- +goose Up
CREATE TABLE stream_positions (
	stream text COLLATE "C" PRIMARY KEY, -- 'journal', 'ticks'
	log bytea NOT NULL,                  -- of the log whose rows are here, 16 bytes
	seq bigint NOT NULL,                 -- of the last record whose rows are here
	time_ns bigint NOT NULL,             -- of that record
	last_order bigint NOT NULL           -- highest order id ever stored: what is above it is new
);
INSERT INTO stream_positions VALUES
	('journal', decode(repeat('00', 16), 'hex'), 0, 0, 0),
	('ticks', decode(repeat('00', 16), 'hex'), 0, 0, 0);

CREATE TABLE instruments (
	id integer PRIMARY KEY,
	venue text COLLATE "C" NOT NULL,
	symbol text COLLATE "C" NOT NULL,
	base text COLLATE "C" NOT NULL,
	quote text COLLATE "C" NOT NULL,
	settle text COLLATE "C" NOT NULL,
	kind smallint NOT NULL, -- 0 spot, 1 linear, 2 inverse
	price_scale smallint NOT NULL,
	qty_scale smallint NOT NULL,
	settle_scale smallint NOT NULL,
	contract_size bigint NOT NULL,
	tick_size numeric NOT NULL,
	min_price numeric NOT NULL,
	max_price numeric NOT NULL,
	step_size numeric NOT NULL,
	min_qty numeric NOT NULL,
	max_qty numeric NOT NULL,
	market_step_size numeric NOT NULL,
	market_min_qty numeric NOT NULL,
	market_max_qty numeric NOT NULL,
	min_notional numeric NOT NULL,
	max_notional numeric NOT NULL,
	bid_collar_up bigint NOT NULL, -- parts per million
	bid_collar_down bigint NOT NULL,
	ask_collar_up bigint NOT NULL,
	ask_collar_down bigint NOT NULL
);

CREATE TABLE accounts (
	id integer PRIMARY KEY,
	name text COLLATE "C" NOT NULL
);

CREATE TABLE strategies (
	id integer PRIMARY KEY,
	account integer NOT NULL,
	name text COLLATE "C" NOT NULL
);

-- What each day's partition of a large table holds, kept by the transactions that
-- fill it. A reader finds by it the partitions that a range of keys can be in, so that
-- paging costs the same however many days are kept. key is what the table is paged by.
CREATE TABLE partition_ranges (
	parent text COLLATE "C" NOT NULL,
	day integer NOT NULL,       -- since 1970-01-01, UTC
	copied bigint NOT NULL,     -- rows
	first_key bigint NOT NULL,
	last_key bigint NOT NULL,
	PRIMARY KEY (parent, day)
) WITH (fillfactor = 50); -- a row is updated by every batch: in place

-- qcat_make_partition makes the partition of one day and says whether it was missing.
-- It runs with the rights of the tables' owner, so that the role that writes need not
-- own them. Attaching locks out neither readers nor writers, as CREATE … PARTITION OF
-- would; that is also why there is no DEFAULT partition, which attaching would have to
-- lock and scan. Who may read the whole may read the part by its own name: pg_dump does.
-- +goose StatementBegin
CREATE FUNCTION qcat_make_partition(parent text, day bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
	part text;
	reader text;
	width constant numeric := 86400000000000;
	low numeric := day * width;
	high numeric := (day + 1) * width;
BEGIN
	IF parent NOT IN ('orders', 'executions', 'risk_events', 'trades', 'quotes') THEN
		RAISE EXCEPTION 'qcat: % has no partitions', parent;
	END IF;
	part := parent || to_char(date '1970-01-01' + day::integer, '_YYYYMMDD');
	PERFORM pg_advisory_xact_lock(1902338420, 1);
	IF to_regclass(part) IS NOT NULL THEN
		RETURN false;
	END IF;
	EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', part, parent);
	EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', parent, part,
		CASE WHEN low < -9223372036854775808 THEN 'MINVALUE' ELSE low::text END,
		CASE WHEN high > 9223372036854775807 THEN 'MAXVALUE' ELSE high::text END);
	FOR reader IN SELECT DISTINCT a.grantee::regrole::text FROM pg_class c, aclexplode(c.relacl) a
		WHERE c.oid = to_regclass(parent) AND a.privilege_type = 'SELECT' AND a.grantee <> 0 LOOP
		EXECUTE format('GRANT SELECT ON %I TO %s', part, reader);
	END LOOP;
	RETURN true;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$ BEGIN
	EXECUTE format('ALTER FUNCTION qcat_make_partition(text, bigint) SET search_path = %I, pg_catalog, pg_temp', current_schema());
	REVOKE ALL ON FUNCTION qcat_make_partition(text, bigint) FROM PUBLIC;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION qcat_make_partition(text, bigint);
DROP TABLE partition_ranges;
DROP TABLE strategies;
DROP TABLE accounts;
DROP TABLE instruments;
DROP TABLE stream_positions;
