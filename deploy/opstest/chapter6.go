package main

// faults is chapter 6: what an operator asks when something is wrong.
func (t *test) faults() bool {
	ok := t.command("6.1", "docker logs qcat_app", `"level":"INFO"`)
	ok = t.command("6.1", "docker exec qcat_app cat /app/configs/config.yaml", "listen: 0.0.0.0:8082") && ok
	ok = t.command("6.1", "docker exec qcat_app /app/qcat migrate") && ok
	ok = t.command("6.1", "docker exec qcat_postgres pg_isready -U qcat_user -d qcat", "accepting connections") && ok
	ok = t.follow("6.1", "docker exec qcat_app ping postgres", "bytes from", func() error { return nil }) && ok
	ok = t.command("6.1", "docker exec qcat_app env | grep DB_", "DB_HOST=postgres") && ok
	ok = t.command("6.1", "docker exec qcat_redis redis-cli -a $REDIS_PASSWORD ping", "PONG") && ok
	ok = t.command("6.1", "docker exec qcat_redis redis-cli -a $REDIS_PASSWORD info memory", `used_memory:\d+`) && ok
	ok = t.corrected("6.2", "SELECT query, mean_time, calls FROM pg_stat_statements ORDER BY mean_time DESC LIMIT 10;",
		`docker exec qcat_postgres psql -U qcat_user -d postgres -c "SELECT query, mean_exec_time, calls FROM pg_stat_statements ORDER BY mean_exec_time DESC LIMIT 10;"`,
		"since Postgres 13 the column is mean_exec_time; the view is in the database postgres", "10 rows") && ok
	ok = t.corrected("6.2", "SELECT schemaname, tablename, indexname, idx_scan, idx_tup_read, idx_tup_fetch FROM pg_stat_user_indexes ORDER BY idx_scan DESC;",
		`docker exec qcat_postgres psql -U qcat_user -d qcat -c "SELECT schemaname, relname, indexrelname, idx_scan, idx_tup_read, idx_tup_fetch FROM pg_stat_user_indexes ORDER BY idx_scan DESC;"`,
		"the columns are relname and indexrelname", `orders`) && ok
	ok = t.command("6.2", "docker exec qcat_redis redis-cli -a $REDIS_PASSWORD FLUSHDB", "OK") && ok
	return t.follow("6.2", "docker exec qcat_redis redis-cli -a $REDIS_PASSWORD monitor", `" "`, func() error { return nil }) && ok
}
