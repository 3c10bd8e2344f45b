-- Legs of hedge mode, sessions, fees in the base currency, funding, and what was moved
-- into accounts. Amounts in accounts have 8 decimals whatever the currency. Columns that
-- are new have their default for the rows that are there, and none for those to come.

-- +goose Up
DROP VIEW risk_events_text, equity_text, positions_text, executions_text, orders_text, orders_all;

ALTER TABLE orders
	ADD COLUMN leg smallint NOT NULL DEFAULT 0, -- 0 net, 1 long, 2 short
	ADD COLUMN cancel_on_drop boolean NOT NULL DEFAULT false,
	ADD COLUMN session bigint NOT NULL DEFAULT 0; -- of the connection that entered it, 0 none
ALTER TABLE orders ALTER COLUMN leg DROP DEFAULT, ALTER COLUMN cancel_on_drop DROP DEFAULT, ALTER COLUMN session DROP DEFAULT;
ALTER TABLE orders_open
	ADD COLUMN leg smallint NOT NULL DEFAULT 0,
	ADD COLUMN cancel_on_drop boolean NOT NULL DEFAULT false,
	ADD COLUMN session bigint NOT NULL DEFAULT 0;
ALTER TABLE orders_open ALTER COLUMN leg DROP DEFAULT, ALTER COLUMN cancel_on_drop DROP DEFAULT, ALTER COLUMN session DROP DEFAULT;

ALTER TABLE executions
	ADD COLUMN leg smallint NOT NULL DEFAULT 0,
	ADD COLUMN fee_in smallint NOT NULL DEFAULT 0; -- 0 settlement currency, 1 base currency
ALTER TABLE executions ALTER COLUMN leg DROP DEFAULT, ALTER COLUMN fee_in DROP DEFAULT;

ALTER TABLE risk_events
	ADD COLUMN action smallint NOT NULL DEFAULT 0,   -- what a breach did: 1 notify, 2 reduce, 3 halt, 4 flatten
	ADD COLUMN cancelled bigint NOT NULL DEFAULT 0; -- venues asked to cancel by it
ALTER TABLE risk_events ALTER COLUMN action DROP DEFAULT, ALTER COLUMN cancelled DROP DEFAULT;

ALTER TABLE positions
	ADD COLUMN leg smallint NOT NULL DEFAULT 0,
	ADD COLUMN funding numeric NOT NULL DEFAULT 0,   -- paid; negative was received
	ADD COLUMN base_fees numeric NOT NULL DEFAULT 0, -- taken in the base currency
	ADD COLUMN dust numeric NOT NULL DEFAULT 0;      -- held of the base currency beyond whole quantity units
ALTER TABLE positions ALTER COLUMN leg DROP DEFAULT, ALTER COLUMN funding DROP DEFAULT, ALTER COLUMN base_fees DROP DEFAULT,
	ALTER COLUMN dust DROP DEFAULT;
ALTER TABLE positions DROP CONSTRAINT positions_pkey, ADD PRIMARY KEY (strategy, instrument, leg);

ALTER TABLE equity
	ADD COLUMN transfers numeric NOT NULL DEFAULT 0,
	ADD COLUMN funding numeric NOT NULL DEFAULT 0;
ALTER TABLE equity ALTER COLUMN transfers DROP DEFAULT, ALTER COLUMN funding DROP DEFAULT;

CREATE TABLE transfers (
	seq bigint PRIMARY KEY,
	time_ns bigint NOT NULL,
	account integer NOT NULL,
	currency text COLLATE "C" NOT NULL,
	amount numeric NOT NULL,  -- negative: taken out
	balance numeric NOT NULL, -- of the account in the currency afterwards
	by_whom text COLLATE "C" NOT NULL,
	note text COLLATE "C" NOT NULL
);
CREATE INDEX transfers_account ON transfers (account, seq);

-- What was transferred to an account in one currency, less what was taken out.
CREATE TABLE transfer_totals (
	account integer NOT NULL,
	currency text COLLATE "C" NOT NULL,
	amount numeric NOT NULL,
	time_ns bigint NOT NULL, -- of the last one
	PRIMARY KEY (account, currency)
) WITH (fillfactor = 50);

CREATE VIEW orders_all AS
	SELECT * FROM orders_open UNION ALL SELECT * FROM orders;

CREATE VIEW orders_text AS
SELECT x.id, a.name AS account, g.name AS strategy, i.venue || ':' || i.symbol AS instrument,
	(ARRAY['buy', 'sell'])[x.side] AS side, (ARRAY['both', 'long', 'short'])[x.leg + 1] AS leg,
	(ARRAY['market', 'limit'])[x.type] AS type,
	(ARRAY['gtc', 'ioc', 'fok', 'gtd', 'post_only'])[x.tif] AS time_in_force,
	(ARRAY['new', 'partially_filled', 'filled', 'cancelled', 'rejected', 'expired'])[x.status] AS status,
	x.unknown, x.price, x.qty, x.cum_qty,
	CASE WHEN x.cum_qty > 0 THEN x.cum_cost / x.cum_qty END AS avg_px,
	x.reason, x.cancel_on_drop, x.session, qcat_time(x.create_ns) AS created, qcat_time(x.update_ns) AS updated,
	x.cl_ord_id AS client_order_id, x.seq
FROM orders_all x
	LEFT JOIN accounts a ON a.id = x.account
	LEFT JOIN strategies g ON g.id = x.strategy
	LEFT JOIN instruments i ON i.id = x.instrument;

CREATE VIEW executions_text AS
SELECT x.id, x.order_id, a.name AS account, g.name AS strategy, i.venue || ':' || i.symbol AS instrument,
	(ARRAY['buy', 'sell'])[x.side] AS side, (ARRAY['both', 'long', 'short'])[x.leg + 1] AS leg,
	(ARRAY['maker', 'taker'])[x.liquidity] AS liquidity,
	x.last_px, x.last_qty, x.fee, i.settle,
	CASE x.fee_in WHEN 1 THEN i.base ELSE i.settle END AS fee_currency, qcat_time(x.time_ns) AS time, x.cl_ord_id AS client_order_id, x.seq
FROM executions x
	LEFT JOIN accounts a ON a.id = x.account
	LEFT JOIN strategies g ON g.id = x.strategy
	LEFT JOIN instruments i ON i.id = x.instrument;

CREATE VIEW positions_text AS
SELECT a.name AS account, g.name AS strategy, i.venue || ':' || i.symbol AS instrument,
	(ARRAY['both', 'long', 'short'])[x.leg + 1] AS leg, x.qty,
	CASE WHEN i.kind <> 2 AND x.entry_den > 0 THEN x.entry_num / x.entry_den
		WHEN x.entry_num > 0 THEN abs(x.qty) * i.contract_size / x.entry_num END AS avg_entry,
	x.cash, x.fees, x.funding, i.settle, x.base_fees, x.volume, x.fills, m.price AS mark, qcat_time(x.time_ns) AS time, x.seq
FROM positions x
	LEFT JOIN accounts a ON a.id = x.account
	LEFT JOIN strategies g ON g.id = x.strategy
	LEFT JOIN instruments i ON i.id = x.instrument
	LEFT JOIN marks m ON m.instrument = x.instrument;

CREATE VIEW equity_text AS
SELECT a.name AS account, x.settle, qcat_time(x.time_ns) AS time, x.transfers, x.realised, x.unrealised, x.fees, x.funding,
	x.transfers + x.realised + x.unrealised - x.fees - x.funding AS total, x.valued, x.seq
FROM equity x LEFT JOIN accounts a ON a.id = x.account;

CREATE VIEW risk_events_text AS
SELECT x.seq, qcat_time(x.time_ns) AS time,
	(ARRAY['order_refused', 'amend_refused', 'cancel_refused', 'state_changed', 'limits_changed', 'report_stray',
		'report_invalid', 'restarted', 'breached', 'countdown_ended'])[x.kind] AS kind,
	(ARRAY['notify', 'reduce', 'halt', 'flatten'])[x.action] AS action, x.cancelled,
	x.code, x.limit_value, x.value, x.order_id, a.name AS account, g.name AS strategy,
	i.venue || ':' || i.symbol AS instrument, (ARRAY['buy', 'sell'])[x.side] AS side, x.price, x.qty,
	x.cl_ord_id AS client_order_id, x.note
FROM risk_events x
	LEFT JOIN accounts a ON a.id = x.account
	LEFT JOIN strategies g ON g.id = x.strategy
	LEFT JOIN instruments i ON i.id = x.instrument;

CREATE VIEW transfers_text AS
SELECT x.seq, a.name AS account, x.currency, x.amount, x.balance, x.by_whom, x.note, qcat_time(x.time_ns) AS time
FROM transfers x LEFT JOIN accounts a ON a.id = x.account;

-- The rights of 00005, for what is new.
-- +goose StatementBegin
DO $$ BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'qcat_read') THEN
		GRANT SELECT ON transfers, transfer_totals, transfers_text, risk_events_text, equity_text, positions_text, executions_text, orders_text, orders_all TO qcat_read;
	END IF;
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'qcat_write') THEN
		GRANT SELECT ON transfers, transfer_totals, transfers_text, risk_events_text, equity_text, positions_text, executions_text, orders_text, orders_all TO qcat_write;
		GRANT INSERT ON transfers TO qcat_write;
		GRANT INSERT, UPDATE ON transfer_totals TO qcat_write;
	END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP VIEW transfers_text, risk_events_text, equity_text, positions_text, executions_text, orders_text, orders_all;
DROP TABLE transfer_totals;
DROP TABLE transfers;
ALTER TABLE equity DROP COLUMN funding, DROP COLUMN transfers;
DELETE FROM positions WHERE leg <> 0;
ALTER TABLE positions DROP CONSTRAINT positions_pkey, ADD PRIMARY KEY (strategy, instrument);
ALTER TABLE positions DROP COLUMN dust, DROP COLUMN base_fees, DROP COLUMN funding, DROP COLUMN leg;
ALTER TABLE risk_events DROP COLUMN cancelled, DROP COLUMN action;
ALTER TABLE executions DROP COLUMN fee_in, DROP COLUMN leg;
ALTER TABLE orders_open DROP COLUMN session, DROP COLUMN cancel_on_drop, DROP COLUMN leg;
ALTER TABLE orders DROP COLUMN session, DROP COLUMN cancel_on_drop, DROP COLUMN leg;

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

-- +goose StatementBegin
DO $$
DECLARE
	role_name text;
BEGIN
	FOREACH role_name IN ARRAY ARRAY['qcat_write', 'qcat_read'] LOOP
		IF EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
			EXECUTE format('GRANT SELECT ON risk_events_text, equity_text, positions_text, executions_text, orders_text, orders_all TO %I', role_name);
		END IF;
	END LOOP;
END $$;
-- +goose StatementEnd
