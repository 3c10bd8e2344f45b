-- Legs of hedge mode, sessions, fees in the base currency, funding, and what was moved
-- into accounts. Amounts in accounts have 8 decimals whatever the currency.

-- +goose Up
ALTER TABLE orders ADD COLUMN leg INTEGER NOT NULL DEFAULT 0; -- 0 net, 1 long, 2 short
ALTER TABLE orders ADD COLUMN cancel_on_drop INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN session INTEGER NOT NULL DEFAULT 0; -- of the connection that entered it, 0 none

ALTER TABLE executions ADD COLUMN leg INTEGER NOT NULL DEFAULT 0;
ALTER TABLE executions ADD COLUMN fee_in INTEGER NOT NULL DEFAULT 0; -- 0 settlement currency, 1 base currency

ALTER TABLE equity ADD COLUMN transfers INTEGER NOT NULL DEFAULT 0;
ALTER TABLE equity ADD COLUMN funding INTEGER NOT NULL DEFAULT 0; -- paid; negative was received

ALTER TABLE risk_events ADD COLUMN action INTEGER NOT NULL DEFAULT 0;    -- what a breach did
ALTER TABLE risk_events ADD COLUMN cancelled INTEGER NOT NULL DEFAULT 0; -- venues asked to cancel by it

CREATE TABLE positions_of_legs (
    account      INTEGER NOT NULL,
    strategy     INTEGER NOT NULL,
    instrument   INTEGER NOT NULL,
    leg          INTEGER NOT NULL, -- 0 net, 1 long, 2 short
    qty          INTEGER NOT NULL, -- negative is short
    entry_num_hi INTEGER NOT NULL, -- average entry = entry_num / entry_den
    entry_num_lo INTEGER NOT NULL,
    entry_den    INTEGER NOT NULL, -- unsigned
    cash_hi      INTEGER NOT NULL,
    cash_lo      INTEGER NOT NULL,
    fees         INTEGER NOT NULL,
    funding      INTEGER NOT NULL, -- paid; negative was received
    base_fees    INTEGER NOT NULL, -- taken in the base currency, at the settlement currency's scale
    dust         INTEGER NOT NULL, -- held beyond whole quantity units, at the same scale
    volume       INTEGER NOT NULL,
    fills        INTEGER NOT NULL,
    time_ns      INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    PRIMARY KEY (strategy, instrument, leg)
) STRICT, WITHOUT ROWID;
INSERT INTO positions_of_legs
    SELECT account, strategy, instrument, 0, qty, entry_num_hi, entry_num_lo, entry_den, cash_hi, cash_lo, fees, 0, 0, 0,
        volume, fills, time_ns, seq FROM positions;
DROP VIEW positions_text;
DROP TABLE positions;
ALTER TABLE positions_of_legs RENAME TO positions;

CREATE TABLE transfers (
    seq      INTEGER PRIMARY KEY,
    time_ns  INTEGER NOT NULL,
    account  INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    amount   INTEGER NOT NULL, -- negative: taken out
    balance  INTEGER NOT NULL, -- of the account in the currency afterwards
    by_whom  TEXT    NOT NULL,
    note     TEXT    NOT NULL
) STRICT;

CREATE INDEX transfers_account ON transfers (account);

-- What was transferred to an account in one currency, less what was taken out.
CREATE TABLE transfer_totals (
    account  INTEGER NOT NULL,
    currency TEXT    NOT NULL,
    amount   INTEGER NOT NULL,
    time_ns  INTEGER NOT NULL, -- of the last one
    PRIMARY KEY (account, currency)
) STRICT, WITHOUT ROWID;

DROP VIEW orders_text;
CREATE VIEW orders_text AS
SELECT
    x.id,
    a.name AS account,
    g.name AS strategy,
    s.name AS instrument,
    CASE x.side WHEN 1 THEN 'buy' WHEN 2 THEN 'sell' END AS side,
    CASE x.leg WHEN 1 THEN 'long' WHEN 2 THEN 'short' ELSE 'both' END AS leg,
    CASE x.type WHEN 1 THEN 'market' WHEN 2 THEN 'limit' END AS type,
    CASE x.tif WHEN 1 THEN 'gtc' WHEN 2 THEN 'ioc' WHEN 3 THEN 'fok' WHEN 4 THEN 'gtd' WHEN 5 THEN 'post_only' END AS time_in_force,
    CASE x.status WHEN 1 THEN 'new' WHEN 2 THEN 'partially_filled' WHEN 3 THEN 'filled' WHEN 4 THEN 'cancelled' WHEN 5 THEN 'rejected' WHEN 6 THEN 'expired' END AS status,
    x.unknown,
    printf(s.price_fmt, substr('-', 1, x.price < 0), ltrim(x.price / s.price_unit, '-'), abs(x.price % s.price_unit)) AS price,
    printf(s.qty_fmt, substr('-', 1, x.qty < 0), ltrim(x.qty / s.qty_unit, '-'), abs(x.qty % s.qty_unit)) AS qty,
    printf(s.qty_fmt, substr('-', 1, x.cum_qty < 0), ltrim(x.cum_qty / s.qty_unit, '-'), abs(x.cum_qty % s.qty_unit)) AS cum_qty,
    x.reason,
    x.cancel_on_drop,
    x.session,
    strftime('%Y-%m-%dT%H:%M:%S', x.create_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.create_ns % 1000000000) AS created,
    strftime('%Y-%m-%dT%H:%M:%S', x.update_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.update_ns % 1000000000) AS updated,
    x.cl_ord_id AS client_order_id,
    x.seq
FROM orders x
    LEFT JOIN accounts a    ON a.id = x.account
    LEFT JOIN strategies g  ON g.id = x.strategy
    LEFT JOIN scales s      ON s.id = x.instrument;

DROP VIEW executions_text;
CREATE VIEW executions_text AS
SELECT
    x.id,
    x.order_id,
    a.name AS account,
    g.name AS strategy,
    s.name AS instrument,
    CASE x.side WHEN 1 THEN 'buy' WHEN 2 THEN 'sell' END AS side,
    CASE x.leg WHEN 1 THEN 'long' WHEN 2 THEN 'short' ELSE 'both' END AS leg,
    CASE x.liquidity WHEN 1 THEN 'maker' WHEN 2 THEN 'taker' END AS liquidity,
    printf(s.price_fmt, substr('-', 1, x.last_px < 0), ltrim(x.last_px / s.price_unit, '-'), abs(x.last_px % s.price_unit)) AS last_px,
    printf(s.qty_fmt, substr('-', 1, x.last_qty < 0), ltrim(x.last_qty / s.qty_unit, '-'), abs(x.last_qty % s.qty_unit)) AS last_qty,
    printf(s.settle_fmt, substr('-', 1, x.fee < 0), ltrim(x.fee / s.settle_unit, '-'), abs(x.fee % s.settle_unit)) AS fee,
    CASE x.fee_in WHEN 1 THEN i.base ELSE i.settle END AS fee_currency,
    s.settle,
    strftime('%Y-%m-%dT%H:%M:%S', x.time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.time_ns % 1000000000) AS time,
    x.cl_ord_id AS client_order_id,
    x.seq
FROM executions x
    LEFT JOIN accounts a    ON a.id = x.account
    LEFT JOIN strategies g  ON g.id = x.strategy
    LEFT JOIN instruments i ON i.id = x.instrument
    LEFT JOIN scales s      ON s.id = x.instrument;

CREATE VIEW positions_text AS
SELECT
    a.name AS account,
    g.name AS strategy,
    s.name AS instrument,
    CASE x.leg WHEN 1 THEN 'long' WHEN 2 THEN 'short' ELSE 'both' END AS leg,
    printf(s.qty_fmt, substr('-', 1, x.qty < 0), ltrim(x.qty / s.qty_unit, '-'), abs(x.qty % s.qty_unit)) AS qty,
    printf(s.qty_fmt, substr('-', 1, x.volume < 0), ltrim(x.volume / s.qty_unit, '-'), abs(x.volume % s.qty_unit)) AS volume,
    printf(s.settle_fmt, substr('-', 1, x.fees < 0), ltrim(x.fees / s.settle_unit, '-'), abs(x.fees % s.settle_unit)) AS fees,
    printf(s.settle_fmt, substr('-', 1, x.funding < 0), ltrim(x.funding / s.settle_unit, '-'), abs(x.funding % s.settle_unit)) AS funding,
    s.settle,
    printf(s.settle_fmt, substr('-', 1, x.base_fees < 0), ltrim(x.base_fees / s.settle_unit, '-'), abs(x.base_fees % s.settle_unit)) AS base_fees,
    x.fills,
    printf(s.price_fmt, substr('-', 1, m.price < 0), ltrim(m.price / s.price_unit, '-'), abs(m.price % s.price_unit)) AS mark,
    strftime('%Y-%m-%dT%H:%M:%S', x.time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.time_ns % 1000000000) AS time,
    x.seq
FROM positions x
    LEFT JOIN accounts a    ON a.id = x.account
    LEFT JOIN strategies g  ON g.id = x.strategy
    LEFT JOIN scales s      ON s.id = x.instrument
    LEFT JOIN marks m       ON m.instrument = x.instrument;

DROP VIEW equity_text;
CREATE VIEW equity_text AS
SELECT
    a.name AS account,
    x.settle,
    strftime('%Y-%m-%dT%H:%M:%S', x.time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.time_ns % 1000000000) AS time,
    printf(x.e_fmt, substr('-', 1, x.transfers < 0), ltrim(x.transfers / x.e_unit, '-'), abs(x.transfers % x.e_unit)) AS transfers,
    printf(x.e_fmt, substr('-', 1, x.realised < 0), ltrim(x.realised / x.e_unit, '-'), abs(x.realised % x.e_unit)) AS realised,
    printf(x.e_fmt, substr('-', 1, x.unrealised < 0), ltrim(x.unrealised / x.e_unit, '-'), abs(x.unrealised % x.e_unit)) AS unrealised,
    printf(x.e_fmt, substr('-', 1, x.fees < 0), ltrim(x.fees / x.e_unit, '-'), abs(x.fees % x.e_unit)) AS fees,
    printf(x.e_fmt, substr('-', 1, x.funding < 0), ltrim(x.funding / x.e_unit, '-'), abs(x.funding % x.e_unit)) AS funding,
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

CREATE VIEW transfers_text AS
SELECT
    x.seq,
    a.name AS account,
    x.currency,
    printf('%s%s.%08d', substr('-', 1, x.amount < 0), ltrim(x.amount / 100000000, '-'), abs(x.amount % 100000000)) AS amount,
    printf('%s%s.%08d', substr('-', 1, x.balance < 0), ltrim(x.balance / 100000000, '-'), abs(x.balance % 100000000)) AS balance,
    x.by_whom,
    x.note,
    strftime('%Y-%m-%dT%H:%M:%S', x.time_ns / 1000000000, 'unixepoch') || printf('.%09dZ', x.time_ns % 1000000000) AS time
FROM transfers x
    LEFT JOIN accounts a ON a.id = x.account;

-- +goose Down
DROP VIEW transfers_text;
DROP VIEW equity_text;
DROP VIEW positions_text;
DROP VIEW executions_text;
DROP VIEW orders_text;
DROP TABLE transfer_totals;
DROP TABLE transfers;

CREATE TABLE positions_of_strategies (
    account      INTEGER NOT NULL,
    strategy     INTEGER NOT NULL,
    instrument   INTEGER NOT NULL,
    qty          INTEGER NOT NULL, -- negative is short
    entry_num_hi INTEGER NOT NULL, -- average entry = entry_num / entry_den
    entry_num_lo INTEGER NOT NULL,
    entry_den    INTEGER NOT NULL, -- unsigned
    cash_hi      INTEGER NOT NULL,
    cash_lo      INTEGER NOT NULL,
    fees         INTEGER NOT NULL,
    volume       INTEGER NOT NULL,
    fills        INTEGER NOT NULL,
    time_ns      INTEGER NOT NULL,
    seq          INTEGER NOT NULL,
    PRIMARY KEY (strategy, instrument)
) STRICT, WITHOUT ROWID;
INSERT INTO positions_of_strategies
    SELECT account, strategy, instrument, qty, entry_num_hi, entry_num_lo, entry_den, cash_hi, cash_lo, fees,
        volume, fills, time_ns, seq FROM positions WHERE leg = 0;
DROP TABLE positions;
ALTER TABLE positions_of_strategies RENAME TO positions;

ALTER TABLE risk_events DROP COLUMN cancelled;
ALTER TABLE risk_events DROP COLUMN action;
ALTER TABLE equity DROP COLUMN funding;
ALTER TABLE equity DROP COLUMN transfers;
ALTER TABLE executions DROP COLUMN fee_in;
ALTER TABLE executions DROP COLUMN leg;
ALTER TABLE orders DROP COLUMN session;
ALTER TABLE orders DROP COLUMN cancel_on_drop;
ALTER TABLE orders DROP COLUMN leg;

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
