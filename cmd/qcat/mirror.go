package main

import (
	"qcat/core/engine"
	"qcat/core/history"
	"qcat/persist/redis"
)

// buildMirror makes the mirror of quotes and positions in Redis, if one is wanted.
func (s *server) buildMirror() error {
	url := s.cfg.RedisURL
	if url == "" {
		url = redis.URLFromEnv(environment)
	}
	if url == "" {
		return nil
	}
	var err error
	s.redis, err = redis.New(redis.Config{
		URL: url, Directory: s.directory, Quotes: s.quotes, Positions: s.positionRows, Clock: s.clock, Log: s.log.Named("redis"),
	})
	if err != nil {
		return badSetting("redis-url", "%v", err)
	}
	return nil
}

// positionRows are the view's positions as rows.
func (s *server) positionRows(dst []history.Position) []history.Position {
	seq := s.view.Applied()
	for _, p := range s.view.Positions(engine.PositionFilter{}) {
		dst = append(dst, history.Position{Account: p.Account, Strategy: p.Strategy, Instrument: p.Instrument, Leg: p.Leg,
			Position: p.Position, Seq: seq})
	}
	return dst
}
