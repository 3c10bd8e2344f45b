-- Views for people: names in place of numbers, times in place of nanoseconds. Programs
-- read the tables. timestamptz has microseconds; the *_ns columns are exact.

-- +goose Up
-- +goose StatementBegin
CREATE FUNCTION qcat_time(ns bigint) RETURNS timestamptz
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN timestamptz '1970-01-01 00:00:00+00' +
	(ns / 1000000000) * interval '1 second' + (ns % 1000000000 / 1000) * interval '1 microsecond';
-- +goose StatementEnd

-- orders_all has every order once, open or closed.
CREATE VIEW orders_all AS
	SELECT * FROM orders_open UNION ALL SELECT * FROM orders;

CREATE VIEW orders_text AS
SELECT x.id, a.name AS account, g.name AS strategy, i.venue || ':' || i.symbol AS instrument,
	(ARRAY['buy', 'sell'])[x.side] AS side,
	(ARRAY['market', 'limit'])[x.type] AS type,
	(ARRAY['gtc', 'ioc', 'fok', 'gtd', 'post_only'])[x.tif] AS time_in_force,
	(ARRAY['new', 'partially_filled', 'filled', 'cancelled', 'rejected', 'expired'])[x.status] AS status,
	x.unknown, x.price, x.qty, x.cum_qty,
	CASE WHEN x.cum_qty > 0 THEN x.cum_cost / x.cum_qty END AS avg_px,
	x.reason, qcat_time(x.create_ns) AS created, qcat_time(x.update_ns) AS updated,
	x.cl_ord_id AS client_order_id, x.seq
FROM orders_all x
	LEFT JOIN accounts a ON a.id = x.account
	LEFT JOIN strategies g ON g.id = x.strategy
	LEFT JOIN instruments i ON i.id = x.instrument;

CREATE VIEW executions_text AS
SELECT x.id, x.order_id, a.name AS account, g.name AS strategy, i.venue || ':' || i.symbol AS instrument,
	(ARRAY['buy', 'sell'])[x.side] AS side, (ARRAY['maker', 'taker'])[x.liquidity] AS liquidity,
	x.last_px, x.last_qty, x.fee, i.settle, qcat_time(x.time_ns) AS time, x.cl_ord_id AS client_order_id, x.seq
FROM executions x
	LEFT JOIN accounts a ON a.id = x.account
	LEFT JOIN strategies g ON g.id = x.strategy
	LEFT JOIN instruments i ON i.id = x.instrument;

CREATE VIEW positions_text AS
SELECT a.name AS account, g.name AS strategy, i.venue || ':' || i.symbol AS instrument, x.qty,
	CASE WHEN i.kind <> 2 AND x.entry_den > 0 THEN x.entry_num / x.entry_den
		WHEN x.entry_num > 0 THEN abs(x.qty) * i.contract_size / x.entry_num END AS avg_entry,
	x.cash, x.fees, i.settle, x.volume, x.fills, m.price AS mark, qcat_time(x.time_ns) AS time, x.seq
FROM positions x
	LEFT JOIN accounts a ON a.id = x.account
	LEFT JOIN strategies g ON g.id = x.strategy
	LEFT JOIN instruments i ON i.id = x.instrument
	LEFT JOIN marks m ON m.instrument = x.instrument;

CREATE VIEW equity_text AS
SELECT a.name AS account, x.settle, qcat_time(x.time_ns) AS time, x.realised, x.unrealised, x.fees,
	x.realised + x.unrealised - x.fees AS total, x.valued, x.seq
FROM equity x LEFT JOIN accounts a ON a.id = x.account;

CREATE VIEW risk_events_text AS
SELECT x.seq, qcat_time(x.time_ns) AS time,
	(ARRAY['order_refused', 'amend_refused', 'cancel_refused', 'state_changed', 'limits_changed', 'report_stray',
		'report_invalid', 'restarted'])[x.kind] AS kind,
	x.code, x.limit_value, x.value, x.order_id, a.name AS account, g.name AS strategy,
	i.venue || ':' || i.symbol AS instrument, (ARRAY['buy', 'sell'])[x.side] AS side, x.price, x.qty,
	x.cl_ord_id AS client_order_id, x.note
FROM risk_events x
	LEFT JOIN accounts a ON a.id = x.account
	LEFT JOIN strategies g ON g.id = x.strategy
	LEFT JOIN instruments i ON i.id = x.instrument;

CREATE VIEW trades_text AS
SELECT i.venue || ':' || i.symbol AS instrument, qcat_time(x.exchange_ns) AS exchange_time, x.id,
	(ARRAY['buy', 'sell'])[x.side] AS side, x.price, x.qty, qcat_time(x.receive_ns) AS receive_time, x.tick
FROM trades x LEFT JOIN instruments i ON i.id = x.instrument;

CREATE VIEW quotes_text AS
SELECT i.venue || ':' || i.symbol AS instrument, qcat_time(x.receive_ns) AS receive_time,
	x.bid_qty, x.bid_price, x.ask_price, x.ask_qty, x.stale, x.tick
FROM quotes x LEFT JOIN instruments i ON i.id = x.instrument;

CREATE VIEW candles_text AS
SELECT i.venue || ':' || i.symbol AS instrument, x.interval_ns / 1000000000 * interval '1 second' AS interval,
	qcat_time(x.open_ns) AS open_time, x.open, x.high, x.low, x.close, x.volume, x.trades, x.closed, x.gap
FROM candles x LEFT JOIN instruments i ON i.id = x.instrument;

-- +goose Down
DROP VIEW candles_text, quotes_text, trades_text, risk_events_text, equity_text, positions_text, executions_text,
	orders_text, orders_all;
DROP FUNCTION qcat_time(bigint);
