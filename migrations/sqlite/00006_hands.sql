-- In whose hands the credentials of users and keys were: names, as a JSON list, of those
-- who gave them and so may act with them. Whoever runs commands is in none. Two people who are to
-- decide together must have nobody in common. And when an administrator last
-- unlocked a user: failed logins before count no more.

-- +goose Up
ALTER TABLE users ADD COLUMN hands TEXT NOT NULL DEFAULT '[]';
ALTER TABLE users ADD COLUMN unlocked INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN hands TEXT NOT NULL DEFAULT '[]';

-- +goose Down
ALTER TABLE api_keys DROP COLUMN hands;
ALTER TABLE users DROP COLUMN unlocked;
ALTER TABLE users DROP COLUMN hands;
