-- Views for people: names in place of numbers, decimals in place of raw integers,
-- UTC in place of nanoseconds. Programs read the tables.
--
-- Nothing is rounded or passes through a float: a decimal is the sign, the whole
-- part and the rest of the integer, printed as the scale wants it.

-- +goose Up
CREATE VIEW scales AS
SELECT
    id,
    venue || ':' || symbol AS name,
    settle,
    CASE price_scale WHEN 0 THEN '%s%s' ELSE '%s%s.%0' || price_scale || 'd' END AS price_fmt,
    CAST('1' || substr('000000000000000000', 1, price_scale) AS INTEGER) AS price_unit,
    CASE qty_scale WHEN 0 THEN '%s%s' ELSE '%s%s.%0' || qty_scale || 'd' END AS qty_fmt,
    CAST('1' || substr('000000000000000000', 1, qty_scale) AS INTEGER) AS qty_unit,
    CASE settle_scale WHEN 0 THEN '%s%s' ELSE '%s%s.%0' || settle_scale || 'd' END AS settle_fmt,
    CAST('1' || substr('000000000000000000', 1, settle_scale) AS INTEGER) AS settle_unit
FROM instruments;

CREATE VIEW orders_text AS
SELECT
    x.id,
    a.name AS account,
    g.name AS strategy,
    s.name AS instrument,
    CASE x.side WHEN 1 THEN 'buy' WHEN 2 THEN 'sell' END AS side,
    CASE x.type WHEN 1 THEN 'market' WHEN 2 THEN 'limit' END AS type,
    CASE x.tif WHEN 1 THEN 'gtc' WHEN 2 THEN 'ioc' WHEN 3 THEN 'fok' WHEN 4 THEN 'gtd' WHEN 5 THEN 'post_only' END AS time_in_force,
    CASE x.status WHEN 1 THEN 'new' WHEN 2 THEN 'partially_filled' WHEN 3 THEN 'filled' WHEN 4 THEN 'cancelled' WHEN 5 THEN 'rejected' WHEN 6 THEN 'expired' END AS status,
    x.unknown,
    printf(s.price_fmt, substr('-', 1, x.price < 0), ltrim(x.price / s.price_unit, '-'), abs(x.price % s.price_unit)) AS price,
    printf(s.qty_fmt, substr('-', 1, x.qty < 0), ltrim(x.qty / s.qty_unit, '-'), abs(x.qty % s.qty_unit)) AS qty,
    printf(s.qty_fmt, substr('-', 1, x.cum_qty < 0), ltrim(x.cum_qty / s.qty_unit, '-'), abs(x.cum_qty % s.qty_unit)) AS cum_qty,
    x.reason,
    strftime('%Y-%m-%dT%H:%M:%S', x.create_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.create_ns % 1000000000) AS created,
    strftime('%Y-%m-%dT%H:%M:%S', x.update_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.update_ns % 1000000000) AS updated,
    x.cl_ord_id AS client_order_id,
    x.seq
FROM orders x
    LEFT JOIN accounts a    ON a.id = x.account
    LEFT JOIN strategies g  ON g.id = x.strategy
    LEFT JOIN scales s      ON s.id = x.instrument;

CREATE VIEW executions_text AS
SELECT
    x.id,
    x.order_id,
    a.name AS account,
    g.name AS strategy,
    s.name AS instrument,
    CASE x.side WHEN 1 THEN 'buy' WHEN 2 THEN 'sell' END AS side,
    CASE x.liquidity WHEN 1 THEN 'maker' WHEN 2 THEN 'taker' END AS liquidity,
    printf(s.price_fmt, substr('-', 1, x.last_px < 0), ltrim(x.last_px / s.price_unit, '-'), abs(x.last_px % s.price_unit)) AS last_px,
    printf(s.qty_fmt, substr('-', 1, x.last_qty < 0), ltrim(x.last_qty / s.qty_unit, '-'), abs(x.last_qty % s.qty_unit)) AS last_qty,
    printf(s.settle_fmt, substr('-', 1, x.fee < 0), ltrim(x.fee / s.settle_unit, '-'), abs(x.fee % s.settle_unit)) AS fee,
    s.settle,
    strftime('%Y-%m-%dT%H:%M:%S', x.time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.time_ns % 1000000000) AS time,
    x.cl_ord_id AS client_order_id,
    x.seq
FROM executions x
    LEFT JOIN accounts a    ON a.id = x.account
    LEFT JOIN strategies g  ON g.id = x.strategy
    LEFT JOIN scales s      ON s.id = x.instrument;

CREATE VIEW positions_text AS
SELECT
    a.name AS account,
    g.name AS strategy,
    s.name AS instrument,
    printf(s.qty_fmt, substr('-', 1, x.qty < 0), ltrim(x.qty / s.qty_unit, '-'), abs(x.qty % s.qty_unit)) AS qty,
    printf(s.qty_fmt, substr('-', 1, x.volume < 0), ltrim(x.volume / s.qty_unit, '-'), abs(x.volume % s.qty_unit)) AS volume,
    printf(s.settle_fmt, substr('-', 1, x.fees < 0), ltrim(x.fees / s.settle_unit, '-'), abs(x.fees % s.settle_unit)) AS fees,
    s.settle,
    x.fills,
    printf(s.price_fmt, substr('-', 1, m.price < 0), ltrim(m.price / s.price_unit, '-'), abs(m.price % s.price_unit)) AS mark,
    strftime('%Y-%m-%dT%H:%M:%S', x.time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.time_ns % 1000000000) AS time,
    x.seq
FROM positions x
    LEFT JOIN accounts a    ON a.id = x.account
    LEFT JOIN strategies g  ON g.id = x.strategy
    LEFT JOIN scales s      ON s.id = x.instrument
    LEFT JOIN marks m       ON m.instrument = x.instrument;

CREATE VIEW equity_text AS
SELECT
    a.name AS account,
    x.settle,
    strftime('%Y-%m-%dT%H:%M:%S', x.time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.time_ns % 1000000000) AS time,
    printf(x.e_fmt, substr('-', 1, x.realised < 0), ltrim(x.realised / x.e_unit, '-'), abs(x.realised % x.e_unit)) AS realised,
    printf(x.e_fmt, substr('-', 1, x.unrealised < 0), ltrim(x.unrealised / x.e_unit, '-'), abs(x.unrealised % x.e_unit)) AS unrealised,
    printf(x.e_fmt, substr('-', 1, x.fees < 0), ltrim(x.fees / x.e_unit, '-'), abs(x.fees % x.e_unit)) AS fees,
    x.valued,
    x.seq
FROM (
    SELECT
        *,
        CASE scale WHEN 0 THEN '%s%s' ELSE '%s%s.%0' || scale || 'd' END AS e_fmt,
        CAST('1' || substr('000000000000000000', 1, scale) AS INTEGER) AS e_unit
    FROM equity
) x
    LEFT JOIN accounts a ON a.id = x.account;

CREATE VIEW trades_text AS
SELECT
    s.name AS instrument,
    strftime('%Y-%m-%dT%H:%M:%S', x.exchange_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.exchange_ns % 1000000000) AS exchange_time,
    x.id,
    CASE x.side WHEN 1 THEN 'buy' WHEN 2 THEN 'sell' END AS side,
    printf(s.price_fmt, substr('-', 1, x.price < 0), ltrim(x.price / s.price_unit, '-'), abs(x.price % s.price_unit)) AS price,
    printf(s.qty_fmt, substr('-', 1, x.qty < 0), ltrim(x.qty / s.qty_unit, '-'), abs(x.qty % s.qty_unit)) AS qty,
    strftime('%Y-%m-%dT%H:%M:%S', x.receive_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.receive_ns % 1000000000) AS receive_time,
    x.tick
FROM trades x
    LEFT JOIN scales s ON s.id = x.instrument;

CREATE VIEW quotes_text AS
SELECT
    s.name AS instrument,
    strftime('%Y-%m-%dT%H:%M:%S', x.receive_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.receive_ns % 1000000000) AS receive_time,
    printf(s.qty_fmt, substr('-', 1, x.bid_qty < 0), ltrim(x.bid_qty / s.qty_unit, '-'), abs(x.bid_qty % s.qty_unit)) AS bid_qty,
    printf(s.price_fmt, substr('-', 1, x.bid_price < 0), ltrim(x.bid_price / s.price_unit, '-'), abs(x.bid_price % s.price_unit)) AS bid_price,
    printf(s.price_fmt, substr('-', 1, x.ask_price < 0), ltrim(x.ask_price / s.price_unit, '-'), abs(x.ask_price % s.price_unit)) AS ask_price,
    printf(s.qty_fmt, substr('-', 1, x.ask_qty < 0), ltrim(x.ask_qty / s.qty_unit, '-'), abs(x.ask_qty % s.qty_unit)) AS ask_qty,
    x.stale,
    x.tick
FROM quotes x
    LEFT JOIN scales s ON s.id = x.instrument;

CREATE VIEW candles_text AS
SELECT
    s.name AS instrument,
    CASE x.interval_ns WHEN 1000000000 THEN '1s' WHEN 60000000000 THEN '1m' WHEN 3600000000000 THEN '1h' END AS interval,
    strftime('%Y-%m-%dT%H:%M:%S', x.open_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.open_ns % 1000000000) AS open_time,
    printf(s.price_fmt, substr('-', 1, x.open < 0), ltrim(x.open / s.price_unit, '-'), abs(x.open % s.price_unit)) AS open,
    printf(s.price_fmt, substr('-', 1, x.high < 0), ltrim(x.high / s.price_unit, '-'), abs(x.high % s.price_unit)) AS high,
    printf(s.price_fmt, substr('-', 1, x.low < 0), ltrim(x.low / s.price_unit, '-'), abs(x.low % s.price_unit)) AS low,
    printf(s.price_fmt, substr('-', 1, x.close < 0), ltrim(x.close / s.price_unit, '-'), abs(x.close % s.price_unit)) AS close,
    printf(s.qty_fmt, substr('-', 1, x.volume < 0), ltrim(x.volume / s.qty_unit, '-'), abs(x.volume % s.qty_unit)) AS volume,
    x.trades,
    x.closed,
    x.gap
FROM candles x
    LEFT JOIN scales s ON s.id = x.instrument;

-- +goose Down
DROP VIEW candles_text;
DROP VIEW quotes_text;
DROP VIEW trades_text;
DROP VIEW equity_text;
DROP VIEW positions_text;
DROP VIEW executions_text;
DROP VIEW orders_text;
DROP VIEW scales;
