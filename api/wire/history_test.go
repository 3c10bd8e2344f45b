package wire_test

import (
	"encoding/json"
	"testing"

	"qcat/api/wire"
	"qcat/core"
	"qcat/core/history"
	"qcat/risk"
)

func TestHistoryRows(t *testing.T) {
	d, in := directory(t)
	name, _ := core.MakeClOrdID("a1")
	account := history.Scope{Level: uint8(risk.LevelAccount), Account: 1}
	candle := history.Candle{Candle: core.Candle{Open: 100, High: 300, Low: 100, Close: 200, Volume: 5, Trades: 2, OpenTime: 60}}
	gap := candle
	gap.Gap, gap.Closed = true, true
	for _, c := range []struct {
		got  []byte
		want string
	}{
		{wire.AppendCandleRecord(nil, in, &candle), `{"t":60,"o":"1.00","h":"3.00","l":"1.00","c":"2.00","v":"0.005","n":2,"closed":false}`},
		{wire.AppendCandleRecord(nil, in, &gap), `{"t":60,"o":"1.00","h":"3.00","l":"1.00","c":"2.00","v":"0.005","n":2,"closed":true,"gap":true}`},
		{wire.AppendQuoteRecord(nil, in, &history.Quote{BidPrice: 100, BidQty: 1, ExchangeTime: 5, ReceiveTime: 6, Stale: true}),
			`{"bp":"1.00","bq":"0.001","ap":null,"aq":null,"stale":true,"ets":5,"rts":6}`},
		{wire.AppendEquity(nil, d, &history.Equity{Account: 1, Settle: "USDT", Scale: 4, Time: 7, Transfers: 100000, Realised: 30000, Unrealised: -10000, Fees: 5000, Funding: 2000, Valued: true}),
			`{"account":"demo","time":7,"currency":"USDT","transfers":"10.0000","realised":"3.0000","unrealised":"-1.0000","fees":"0.5000","funding":"0.2000","total":"11.3000"}`},
		{wire.AppendEquity(nil, d, &history.Equity{Account: 1, Settle: "USDT", Scale: 4, Time: 7, Unrealised: -10000}),
			`{"account":"demo","time":7,"currency":"USDT","transfers":"0.0000","realised":"0.0000","unrealised":null,"fees":"0.0000","funding":"0.0000","total":null}`},
		{wire.AppendRiskEvent(nil, d, &history.RiskEvent{Seq: 9, Time: 8, Kind: history.RiskOrderRefused, Scope: account, Code: uint16(risk.MaxQty),
			Unit: uint8(risk.UnitQty), Limit: 1000, Value: 2000, Account: 1, Strategy: 1, Instrument: 1, Side: core.Buy, Price: 100, Qty: 2000, ClOrdID: name}),
			`{"seq":9,"time":8,"kind":"order_refused","scope":{"level":"account","account":"demo"},"reason":{"code":"risk.max_qty","detail":"risk.max_qty at account demo: 2.000 against a limit of 1.000","limit":"1.000","value":"2.000","unit":"qty","scope":{"level":"account","account":"demo"}},"client_order_id":"a1","account":"demo","strategy":"default","instrument":"sim:BTCUSDT","side":"buy","price":"1.00","qty":"2.000"}`},
		{wire.AppendRiskEvent(nil, d, &history.RiskEvent{Seq: 9, Time: 8, Kind: history.RiskStateChanged, Scope: history.Scope{Level: uint8(risk.LevelFirm)},
			State: uint8(risk.StateHalted), Note: `a "drill"`}),
			`{"seq":9,"time":8,"kind":"state_changed","scope":{"level":"firm"},"state":"halted","note":"a \"drill\""}`},
		{wire.AppendRiskEvent(nil, d, &history.RiskEvent{Seq: 1, Kind: history.RiskRestarted, Value: 3}),
			`{"seq":1,"time":0,"kind":"restarted","unknown_orders":3}`},
		{wire.AppendRiskEvent(nil, d, &history.RiskEvent{Seq: 3, Kind: history.RiskBreached, Scope: account, Account: 1, Code: uint16(risk.MaxLossDaily),
			Unit: uint8(risk.UnitValue), Limit: 100e8, Value: 120e8, Action: uint8(risk.ActionHalt), Cancelled: 2, Instrument: 1, Price: 500, Note: "by record 2"}),
			`{"seq":3,"time":0,"kind":"breached","scope":{"level":"account","account":"demo"},"reason":{"code":"risk.max_loss_daily","detail":"risk.max_loss_daily at account demo: 120.00000000 against a limit of 100.00000000","limit":"100.00000000","value":"120.00000000","unit":"value","scope":{"level":"account","account":"demo"}},"action":"halt","cancelled":2,"account":"demo","instrument":"sim:BTCUSDT","price":"5.00","note":"by record 2"}`},
		{wire.AppendRiskEvent(nil, d, &history.RiskEvent{Seq: 3, Kind: history.RiskCountdownEnded, Scope: account, Account: 1}),
			`{"seq":3,"time":0,"kind":"countdown_ended","scope":{"level":"account","account":"demo"},"cancelled":0,"account":"demo"}`},
		{wire.AppendTransfer(nil, d, &history.Transfer{Seq: 3, Time: 4, Account: 1, Currency: "USDT", Amount: -5, Balance: 1e8, By: "x", Note: `"y"`}),
			`{"seq":3,"time":4,"account":"demo","currency":"USDT","amount":"-0.00000005","balance":"1.00000000","by":"x","note":"\"y\""}`},
		{wire.AppendRiskEvent(nil, d, &history.RiskEvent{Seq: 2, Kind: history.RiskReportStray, Order: 77}),
			`{"seq":2,"time":0,"kind":"report_stray","order_id":77}`},
		{wire.AppendAudit(nil, d, &history.Audit{Seq: 4, Time: 5, Action: "set_limits", Scope: account, Detail: "max_qty 5"}),
			`{"seq":4,"time":5,"action":"set_limits","scope":{"level":"account","account":"demo"},"detail":"max_qty 5"}`},
		{wire.AppendAudit(nil, d, &history.Audit{Seq: 4, Time: 5, Action: "restart"}),
			`{"seq":4,"time":5,"action":"restart","detail":""}`},
	} {
		if string(c.got) != c.want || !json.Valid(c.got) {
			t.Errorf("\n got %s\nwant %s", c.got, c.want)
		}
	}
}
