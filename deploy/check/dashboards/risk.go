package main

// risk shows orders, what refuses them, and what is stopped.
func risk() board {
	return board{
		uid: "qcat-risk", title: "QCAT / Risk", about: "Orders and what becomes of them, limits and how much of them is used, halts.",
		variables: []variable{instances},
		sections: []section{
			{"State", []panel{
				stat("Firm", "HALTED: everything is stopped. It stays so until qcat resume.", "", `max(qcat_trading_state{scope="firm", instance=~"$instance"})`).named(trading).wide(6),
				panel{title: "Halted", about: "How many are halted at each level.", kind: "stat", width: 6, height: 4, queries: one(`sum by (level) (qcat_halted{instance=~"$instance"})`, "{{level}}")}.limits(1, 1),
				stat("Limits crossed in the last hour", "By what is held: losses, drawdowns, volatility, margin. QCAT has acted on each.", "", `sum(increase(qcat_risk_breaches_total{instance=~"$instance"}[1h]))`).limits(1, 5).wide(6),
				stat("Orders in doubt", "Orders of which nobody knows what their venue made of them, after a restart.", "", `sum(qcat_orders_unknown{instance=~"$instance"})`).limits(1, 1).wide(6),
			}},
			{"Limits", []panel{
				panel{title: "Most used now", about: "The limits nearest to being used up: the highest of all accounts at that level.", kind: "bargauge", width: 12, height: 9,
					queries: one(`topk(15, max by (control, level) (qcat_limit_utilisation_ratio{instance=~"$instance"})) or vector(0)`, "{{control}} {{level}}")}.limits(0.8, 0.95).ratio(),
				panel{title: "Most used, over time", about: "The same. Above 80% it is an alert; beyond 100% orders are refused, unless they reduce.", width: 12, height: 9,
					queries: one(`topk(10, max by (control, level) (qcat_limit_utilisation_ratio{instance=~"$instance"})) or vector(0)`, "{{control}} {{level}}")}.limits(0.8, 0.95).ratio(),
			}},
			{"Orders", []panel{
				{title: "By outcome", about: "New orders a second. Shed: turned away unread, because the engine's queue was full.", unit: "ops", stack: true,
					queries: one(`sum by (outcome) (rate(qcat_orders_total{kind="new", instance=~"$instance"}[$__rate_interval]))`, "{{outcome}}")},
				{title: "Refusals by control", about: "The ten most frequent codes, a second; docs/risk-controls.md has what each means.", unit: "ops", stack: true,
					queries: one(`topk(10, sum by (code) (rate(qcat_order_refusals_total{instance=~"$instance"}[$__rate_interval]))) or vector(0)`, "{{code}}")},
				{title: "Fills and commands", about: "Commands of all kinds that the engine took, and fills that it recorded, a second.", unit: "ops",
					queries: []query{{`sum(rate(qcat_engine_commands_total{instance=~"$instance"}[$__rate_interval]))`, "commands"}, {`sum(rate(qcat_executions_total{instance=~"$instance"}[$__rate_interval]))`, "fills"}}},
				{title: "Time of a risk check", about: "All controls at all levels for one order.", unit: "s", queries: stageQuantiles(`instance=~"$instance", stage="risk"`)},
				{title: "From a mark to the action", about: "From a price that crosses a limit to the halt or cancel that follows from it.", unit: "s",
					queries: stageQuantiles(`instance=~"$instance", stage="mark_to_action"`)},
				{title: "Turned away", about: "Commands for which the engine's queue had no room, and requests and messages that came too often, a minute.", unit: "cpm",
					queries: []query{{`60 * sum(rate(qcat_engine_shed_total{instance=~"$instance"}[$__rate_interval]))`, "shed"}, {`60 * sum by (by) (rate(qcat_rate_limited_total{instance=~"$instance"}[$__rate_interval])) or vector(0)`, "too often, by {{by}}"}}},
			}},
			{"Who", []panel{
				{title: "Logins", about: "A minute, by outcome. Many that fail: somebody may be guessing.", unit: "cpm",
					queries: one(`60 * sum by (outcome) (rate(qcat_logins_total{instance=~"$instance"}[$__rate_interval])) or vector(0)`, "{{outcome}}")},
				{title: "Sessions and keys", about: "Sessions that are open, API keys that are good.",
					queries: []query{{`sum(qcat_sessions{instance=~"$instance"}) or vector(0)`, "sessions"}, {`sum(qcat_api_keys{instance=~"$instance"}) or vector(0)`, "API keys"}}},
				panel{title: "Audit log", about: "Time since it was brought up to date with the journal and anchored.", unit: "s",
					queries: one(`max(qcat_audit_lag_seconds{instance=~"$instance"}) or vector(0)`, "lag")}.limits(30, 60),
			}},
		},
	}
}
