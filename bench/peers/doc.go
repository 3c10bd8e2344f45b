// Command peers measures QCAT beside well-known libraries that do the same job,
// in one run, in turns, on the same bytes:
//
//	queues    ringbuf; Go channels, xsync's queues, a ring under a mutex
//	decoders  feed/binance; encoding/json, sonic, goccy/go-json, fastjson,
//	          simdjson-go, adshao/go-binance
//	books     core/book; google/btree, maps, sorted slices
//	samples   core/hist; HdrHistogram, Prometheus
//	fanout    the hub; gws, fasthttp/websocket, a bare write loop
//	orders    POST /api/v1/orders; a bare fasthttp handler, a bare group commit
//	journal   persist/journal; etcd's WAL, tidwall/wal, pebble
//
// It is a module of its own, so that none of them is a dependency of QCAT. Every
// contestant's result is checked to be the same as the others', or there is no figure.
//
// A round lets every contestant run once, forwards and backwards in turn; see
// qcat/bench/peers/contest for what figures and ratios are made of. QCAT_CAPTURES
// names a directory of recorded frames; without it frames are made from a seed.
package main
