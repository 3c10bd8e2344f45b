-- Who may do what, as roles without login that an operator grants to the logins of
-- processes and people:
--
--   qcat_write   what a serving process needs: fills the tables, and only adds to audit
--   qcat_read    reads everything, and so can make backups; as can qcat_write
--   qcat_audit   adds to audit, and reads nothing
--
-- Roles belong to the server, not to the database: they may be there already, and are
-- left when this step is taken back. A migrating user who may not create roles gets a
-- notice, and the tables keep their owner's rights only.

-- +goose Up
-- +goose StatementBegin
DO $$
DECLARE
	role_name text;
BEGIN
	FOREACH role_name IN ARRAY ARRAY['qcat_write', 'qcat_read', 'qcat_audit'] LOOP
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
			BEGIN
				EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
			EXCEPTION
				WHEN duplicate_object OR unique_violation THEN NULL; -- made by another database's migration
				WHEN insufficient_privilege THEN
					RAISE NOTICE 'qcat: role % is not there and may not be created: no rights are granted to it', role_name;
			END;
		END IF;
	END LOOP;

	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'qcat_read') THEN
		EXECUTE format('GRANT USAGE ON SCHEMA %I TO qcat_read', current_schema());
		EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO qcat_read', current_schema());
		EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO qcat_read', current_schema());
	END IF;
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'qcat_audit') THEN
		EXECUTE format('GRANT USAGE ON SCHEMA %I TO qcat_audit', current_schema());
		GRANT INSERT ON audit TO qcat_audit;
	END IF;
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'qcat_write') THEN
		EXECUTE format('GRANT USAGE ON SCHEMA %I TO qcat_write', current_schema());
		EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO qcat_write', current_schema());
		EXECUTE format('GRANT SELECT ON ALL SEQUENCES IN SCHEMA %I TO qcat_write', current_schema());
		GRANT UPDATE ON stream_positions TO qcat_write;
		GRANT INSERT, UPDATE ON instruments, accounts, strategies, positions, marks, quotes_last, candles,
			partition_ranges TO qcat_write;
		GRANT INSERT, DELETE ON orders, orders_open TO qcat_write;
		GRANT INSERT ON executions, risk_events, equity, trades, quotes, tick_gaps, audit TO qcat_write;
		GRANT EXECUTE ON FUNCTION qcat_make_partition(text, bigint) TO qcat_write;
	END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
	role_name text;
BEGIN
	FOREACH role_name IN ARRAY ARRAY['qcat_write', 'qcat_read', 'qcat_audit'] LOOP
		IF EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
			EXECUTE format('REVOKE ALL ON ALL TABLES IN SCHEMA %I FROM %I', current_schema(), role_name);
			EXECUTE format('REVOKE ALL ON ALL SEQUENCES IN SCHEMA %I FROM %I', current_schema(), role_name);
			EXECUTE format('REVOKE ALL ON ALL FUNCTIONS IN SCHEMA %I FROM %I', current_schema(), role_name);
			EXECUTE format('REVOKE USAGE ON SCHEMA %I FROM %I', current_schema(), role_name);
		END IF;
	END LOOP;
END $$;
-- +goose StatementEnd
