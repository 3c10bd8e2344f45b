package main

import (
	"bytes"
	"fmt"
	"strconv"

	"qcat/api/hub"
	"qcat/core/frame"
)

// orderText is what the orders of a run are of.
type orderText struct {
	run      string // makes client order ids of this run unique
	accounts int
}

// appendFields appends the fields of order i without braces: small, far enough from
// the market to rest nowhere (IOC), near enough to pass the collar.
func (t orderText) appendFields(dst []byte, i int) []byte {
	dst = append(dst, `"account":"bench`...)
	dst = strconv.AppendInt(dst, int64(i%t.accounts), 10)
	dst = append(dst, `","instrument":"sim:BTCUSDT","side":"buy","type":"limit","time_in_force":"ioc","price":"59000.00","qty":"0.010","client_order_id":"`...)
	dst = append(dst, t.run...)
	dst = strconv.AppendInt(dst, int64(i), 36)
	return append(dst, '"')
}

// httpOrders are POSTs, one out a connection.
type httpOrders struct {
	orderText
	body []byte
}

// appendOrder implements protocol.
func (p *httpOrders) appendOrder(dst []byte, i int) []byte {
	p.body = append(p.appendFields(append(p.body[:0], '{'), i), '}')
	dst = append(dst, "POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(p.body)), 10)
	dst = append(dst, "\r\n\r\n"...)
	return append(dst, p.body...)
}

// answer implements protocol.
func (p *httpOrders) answer(b []byte) (event int, refusal string, rest []byte, ok bool) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return 0, "", b, false
	}
	head := b[:end]
	const key = "\r\nContent-Length: "
	at := bytes.Index(head, []byte(key))
	if at < 0 {
		return -1, fmt.Sprintf("an answer without a length: %.100q", head), nil, true
	}
	length := 0
	for _, c := range head[at+len(key):] {
		if c < '0' || c > '9' {
			break
		}
		length = length*10 + int(c-'0')
	}
	end += 4
	if len(b)-end < length {
		return 0, "", b, false
	}
	const accepted = "HTTP/1.1 201"
	if !bytes.HasPrefix(head, []byte(accepted)) {
		refusal = fmt.Sprintf("%.12s %.200s", head, b[end:end+length])
	}
	return -1, refusal, b[end+length:], true
}

// socketOrders are requests over a WebSocket, any number out a connection; the id of
// a request is its number.
type socketOrders struct {
	orderText
	body []byte
}

// appendOrder implements protocol.
func (p *socketOrders) appendOrder(dst []byte, i int) []byte {
	p.body = append(p.body[:0], `{"op":"order","id":`...)
	p.body = strconv.AppendInt(p.body, int64(i), 10)
	p.body = append(p.body, ',')
	p.body = append(p.appendFields(p.body, i), '}')
	return appendClientFrame(dst, hub.OpText, p.body)
}

// answer implements protocol.
func (p *socketOrders) answer(b []byte) (event int, refusal string, rest []byte, ok bool) {
	op, payload, rest, ok := cutFrame(b)
	if !ok {
		return 0, "", b, false
	}
	switch op {
	case hub.OpText:
	case hub.OpClose:
		code, text, _ := frame.ParseClose(payload)
		return notAnAnswer, fmt.Sprintf("closed with %d %s", code, text), rest, true
	default:
		return notAnAnswer, "", rest, true // a ping: a row is shorter than the server's patience
	}
	tail, is := bytes.CutPrefix(payload, []byte(`{"id":`))
	for is && len(tail) > 0 && tail[0] >= '0' && tail[0] <= '9' {
		event = event*10 + int(tail[0]-'0')
		tail = tail[1:]
	}
	if !is || !bytes.HasPrefix(tail, []byte(`,"ok":true`)) {
		refusal = fmt.Sprintf("%.200s", payload)
	}
	return event, refusal, rest, true
}
