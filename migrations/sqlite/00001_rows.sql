-- Rows of the order journal and of the tick log, as the stores share them.
--
-- Integers are raw: prices, quantities and amounts at their instrument's scale,
-- *_ns Unix time in nanoseconds. A 128-bit number is two integers, x_hi and x_lo:
-- x = x_hi * 2^64 + (x_lo as unsigned). The one unsigned number that needs 64 bits,
-- positions.entry_den, is stored with the same bits, so that its upper half reads as
-- negative.
--
-- There are no foreign keys: ticks may name an instrument before the order
-- journal's follower has written it, and rows are a fold of a journal that has
-- checked them.

-- +goose Up
CREATE TABLE stream_positions (
    stream  TEXT    PRIMARY KEY NOT NULL, -- journal or ticks
    log     BLOB    NOT NULL,             -- 16 bytes, the log's id
    seq     INTEGER NOT NULL,             -- of the last record whose rows are stored
    time_ns INTEGER NOT NULL              -- of that record
) STRICT, WITHOUT ROWID;

CREATE TABLE instruments (
    id                INTEGER PRIMARY KEY,
    venue             TEXT    NOT NULL,
    symbol            TEXT    NOT NULL,
    base              TEXT    NOT NULL,
    quote             TEXT    NOT NULL,
    settle            TEXT    NOT NULL,
    kind              INTEGER NOT NULL, -- 0 spot, 1 linear, 2 inverse
    price_scale       INTEGER NOT NULL,
    qty_scale         INTEGER NOT NULL,
    settle_scale      INTEGER NOT NULL,
    contract_size     INTEGER NOT NULL,
    tick_size         INTEGER NOT NULL,
    min_price         INTEGER NOT NULL,
    max_price         INTEGER NOT NULL,
    step_size         INTEGER NOT NULL,
    min_qty           INTEGER NOT NULL,
    max_qty           INTEGER NOT NULL,
    market_step_size  INTEGER NOT NULL,
    market_min_qty    INTEGER NOT NULL,
    market_max_qty    INTEGER NOT NULL,
    min_notional      INTEGER NOT NULL,
    max_notional      INTEGER NOT NULL,
    bid_collar_up     INTEGER NOT NULL, -- parts per million
    bid_collar_down   INTEGER NOT NULL,
    ask_collar_up     INTEGER NOT NULL,
    ask_collar_down   INTEGER NOT NULL
) STRICT;

CREATE TABLE accounts (
    id   INTEGER PRIMARY KEY,
    name TEXT    NOT NULL
) STRICT;

CREATE TABLE strategies (
    id      INTEGER PRIMARY KEY,
    account INTEGER NOT NULL,
    name    TEXT    NOT NULL
) STRICT;

CREATE TABLE orders (
    id              INTEGER PRIMARY KEY,
    account         INTEGER NOT NULL,
    strategy        INTEGER NOT NULL,
    instrument      INTEGER NOT NULL,
    side            INTEGER NOT NULL, -- 1 buy, 2 sell
    type            INTEGER NOT NULL, -- 1 market, 2 limit
    tif             INTEGER NOT NULL, -- 1 gtc, 2 ioc, 3 fok, 4 gtd, 5 post_only
    status          INTEGER NOT NULL, -- 1 new, 2 partially_filled, 3 filled, 4 cancelled, 5 rejected, 6 expired
    reduce_only     INTEGER NOT NULL,
    venue_acked     INTEGER NOT NULL,
    pending_cancel  INTEGER NOT NULL,
    pending_replace INTEGER NOT NULL,
    unknown         INTEGER NOT NULL, -- sent, and nobody knows what became of it
    price           INTEGER NOT NULL,
    qty             INTEGER NOT NULL,
    cum_qty         INTEGER NOT NULL,
    cum_cost_hi     INTEGER NOT NULL, -- sum of last_px * last_qty, raw
    cum_cost_lo     INTEGER NOT NULL,
    new_price       INTEGER NOT NULL,
    new_qty         INTEGER NOT NULL,
    amends          INTEGER NOT NULL,
    reason          INTEGER NOT NULL,
    expire_ns       INTEGER NOT NULL,
    create_ns       INTEGER NOT NULL,
    update_ns       INTEGER NOT NULL,
    cl_ord_id       TEXT    NOT NULL,
    due_ns          INTEGER NOT NULL, -- when it is next asked to be cancelled, 0 for never
    seq             INTEGER NOT NULL  -- of the journal record that left it so
) STRICT;

-- An index ends with the rowid: each of these gives its rows in order of id.
CREATE INDEX orders_account    ON orders (account);
CREATE INDEX orders_strategy   ON orders (strategy);
CREATE INDEX orders_instrument ON orders (instrument);
CREATE INDEX orders_cl_ord_id  ON orders (cl_ord_id) WHERE cl_ord_id <> '';
CREATE INDEX orders_open       ON orders (id) WHERE status < 3;

CREATE TABLE executions (
    id         INTEGER PRIMARY KEY,
    order_id   INTEGER NOT NULL,
    account    INTEGER NOT NULL,
    strategy   INTEGER NOT NULL,
    instrument INTEGER NOT NULL,
    side       INTEGER NOT NULL,
    liquidity  INTEGER NOT NULL, -- 1 maker, 2 taker
    last_px    INTEGER NOT NULL,
    last_qty   INTEGER NOT NULL,
    fee        INTEGER NOT NULL, -- negative is a rebate
    venue_ns   INTEGER NOT NULL,
    time_ns    INTEGER NOT NULL,
    cl_ord_id  TEXT    NOT NULL,
    seq        INTEGER NOT NULL
) STRICT;

CREATE INDEX executions_order      ON executions (order_id);
CREATE INDEX executions_account    ON executions (account);
CREATE INDEX executions_strategy   ON executions (strategy);
CREATE INDEX executions_instrument ON executions (instrument);

CREATE TABLE positions (
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

CREATE TABLE marks (
    instrument INTEGER PRIMARY KEY,
    price      INTEGER NOT NULL,
    time_ns    INTEGER NOT NULL
) STRICT;

CREATE TABLE equity (
    account    INTEGER NOT NULL,
    time_ns    INTEGER NOT NULL, -- the end of the minute
    settle     TEXT    NOT NULL,
    scale      INTEGER NOT NULL,
    realised   INTEGER NOT NULL,
    unrealised INTEGER NOT NULL,
    fees       INTEGER NOT NULL,
    valued     INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (account, time_ns, settle, scale)
) STRICT, WITHOUT ROWID;

CREATE TABLE risk_events (
    seq              INTEGER PRIMARY KEY,
    time_ns          INTEGER NOT NULL,
    kind             INTEGER NOT NULL,
    scope_level      INTEGER NOT NULL,
    scope_account    INTEGER NOT NULL,
    scope_strategy   INTEGER NOT NULL,
    scope_instrument INTEGER NOT NULL,
    state            INTEGER NOT NULL,
    code             INTEGER NOT NULL,
    unit             INTEGER NOT NULL,
    limit_value      INTEGER NOT NULL,
    value            INTEGER NOT NULL,
    order_id         INTEGER NOT NULL,
    account          INTEGER NOT NULL,
    strategy         INTEGER NOT NULL,
    instrument       INTEGER NOT NULL,
    side             INTEGER NOT NULL,
    price            INTEGER NOT NULL,
    qty              INTEGER NOT NULL,
    cl_ord_id        TEXT    NOT NULL,
    note             TEXT    NOT NULL
) STRICT;

CREATE INDEX risk_events_account ON risk_events (account);
CREATE INDEX risk_events_kind    ON risk_events (kind);

CREATE TABLE audit (
    seq              INTEGER PRIMARY KEY,
    time_ns          INTEGER NOT NULL,
    action           TEXT    NOT NULL,
    scope_level      INTEGER NOT NULL,
    scope_account    INTEGER NOT NULL,
    scope_strategy   INTEGER NOT NULL,
    scope_instrument INTEGER NOT NULL,
    detail           TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_action ON audit (action);

-- Between which times the rows of 4096 neighbouring keys are, of the tables that are
-- paged by id but asked for by time. Ids rise with time, nearly or wholly: a span of
-- time is a span of ids, found here without an index entry a row.
CREATE TABLE time_spans (
    rows_of TEXT    NOT NULL, -- orders, executions, risk_events or audit
    block   INTEGER NOT NULL, -- id / 4096, or seq / 4096
    from_ns INTEGER NOT NULL, -- the earliest
    to_ns   INTEGER NOT NULL, -- the latest
    PRIMARY KEY (rows_of, block)
) STRICT, WITHOUT ROWID;

-- Market data is kept in the order in which it is read: one tree, no index
-- beside it. tick ends the keys, because a venue may send one trade twice.
CREATE TABLE trades (
    instrument  INTEGER NOT NULL,
    exchange_ns INTEGER NOT NULL,
    id          INTEGER NOT NULL, -- the venue's
    tick        INTEGER NOT NULL, -- sequence in the tick log
    side        INTEGER NOT NULL,
    price       INTEGER NOT NULL,
    qty         INTEGER NOT NULL,
    receive_ns  INTEGER NOT NULL,
    PRIMARY KEY (instrument, exchange_ns, id, tick)
) STRICT, WITHOUT ROWID;

CREATE TABLE quotes (
    instrument  INTEGER NOT NULL,
    receive_ns  INTEGER NOT NULL,
    tick        INTEGER NOT NULL,
    stale       INTEGER NOT NULL, -- the book behind it waited for a snapshot
    bid_price   INTEGER NOT NULL,
    bid_qty     INTEGER NOT NULL,
    ask_price   INTEGER NOT NULL,
    ask_qty     INTEGER NOT NULL,
    exchange_ns INTEGER NOT NULL,
    PRIMARY KEY (instrument, receive_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE candles (
    instrument  INTEGER NOT NULL,
    interval_ns INTEGER NOT NULL,
    open_ns     INTEGER NOT NULL,
    open        INTEGER NOT NULL,
    high        INTEGER NOT NULL,
    low         INTEGER NOT NULL,
    close       INTEGER NOT NULL,
    volume      INTEGER NOT NULL,
    trades      INTEGER NOT NULL,
    closed      INTEGER NOT NULL,
    gap         INTEGER NOT NULL, -- ticks of the interval are missing
    PRIMARY KEY (instrument, interval_ns, open_ns)
) STRICT, WITHOUT ROWID;

CREATE TABLE tick_gaps (
    tick    INTEGER PRIMARY KEY, -- sequence of the gap's record in the tick log
    lost    INTEGER NOT NULL,    -- events, 0 when not known
    from_ns INTEGER NOT NULL,
    to_ns   INTEGER NOT NULL,
    reason  TEXT    NOT NULL
) STRICT;

-- +goose Down
DROP TABLE tick_gaps;
DROP TABLE candles;
DROP TABLE quotes;
DROP TABLE trades;
DROP TABLE time_spans;
DROP TABLE audit;
DROP TABLE risk_events;
DROP TABLE equity;
DROP TABLE marks;
DROP TABLE positions;
DROP TABLE executions;
DROP TABLE orders;
DROP TABLE strategies;
DROP TABLE accounts;
DROP TABLE instruments;
DROP TABLE stream_positions;
