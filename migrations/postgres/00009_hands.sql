-- In whose hands the credentials of users and keys were: names, as a JSON list, of those
-- who gave them and so may act with them. Whoever runs commands is in none. Two people who are to
-- decide together must have nobody in common. And when an administrator last
-- unlocked a user: failed logins before count no more.

-- +goose Up
ALTER TABLE users ADD COLUMN hands text COLLATE "C" NOT NULL DEFAULT '[]';
ALTER TABLE users ADD COLUMN unlocked bigint NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN hands text COLLATE "C" NOT NULL DEFAULT '[]';

-- +goose StatementBegin
DO $$ BEGIN
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'qcat_read') THEN
		GRANT SELECT (hands, unlocked) ON users TO qcat_read;
		GRANT SELECT (hands) ON api_keys TO qcat_read;
	END IF;
END $$;
-- +goose StatementEnd

-- +goose Down
ALTER TABLE api_keys DROP COLUMN hands;
ALTER TABLE users DROP COLUMN unlocked;
ALTER TABLE users DROP COLUMN hands;
