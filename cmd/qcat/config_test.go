package main

import (
	"bytes"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"qcat/risk"
)

// parsed is what a command line comes to.
func parsed(t *testing.T, args ...string) (*cli, *env, error) {
	t.Helper()
	var c cli
	e := &env{ctx: t.Context(), stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, file: &fileConfig{}}
	parser, err := newParser(&c, e, func(code int) { t.Errorf("exit with %d", code) })
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	return &c, e, err
}

// mustParse wants a command line to be understood.
func mustParse(t *testing.T, args ...string) (*cli, *env) {
	t.Helper()
	c, e, err := parsed(t, args...)
	if err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	return c, e
}

func yamlFile(t *testing.T, text string) string {
	t.Helper()
	return fileWith(t, "config.yaml", []byte(text))
}

// TestPrecedence sets one setting in every place, one place more at a time.
func TestPrecedence(t *testing.T) {
	want := func(listen string, instruments int, args ...string) {
		t.Helper()
		c, _ := mustParse(t, append([]string{"serve"}, args...)...)
		if c.Serve.Listen != listen || c.Serve.SimInstruments != instruments {
			t.Errorf("%v: %s and %d instruments, want %s and %d", args, c.Serve.Listen, c.Serve.SimInstruments, listen, instruments)
		}
	}
	file := yamlFile(t, "listen: 127.0.0.1:1001\nsim-instruments: 11\n")
	want("127.0.0.1:8082", 3)
	want("127.0.0.1:1001", 11, "--config", file)
	want("127.0.0.1:1001", 11, "--config="+file)
	t.Setenv("QCAT_LISTEN", "127.0.0.1:1002")
	want("127.0.0.1:1002", 11, "--config", file)
	want("127.0.0.1:1002", 3)
	t.Setenv("QCAT_SIM_INSTRUMENTS", "12")
	want("127.0.0.1:1002", 12, "--config", file)
	want("127.0.0.1:1003", 12, "--config", file, "--listen", "127.0.0.1:1003")
	want("127.0.0.1:1003", 13, "--listen", "127.0.0.1:1003", "--sim-instruments=13")
	// The file may be named by the environment, too, and stand before the command.
	t.Setenv("QCAT_SIM_INSTRUMENTS", "")
	_ = os.Unsetenv("QCAT_SIM_INSTRUMENTS")
	t.Setenv("QCAT_CONFIG", file)
	want("127.0.0.1:1002", 11)
	c, _ := mustParse(t, "--config", yamlFile(t, "sim-instruments: 14"), "serve")
	if c.Serve.SimInstruments != 14 {
		t.Errorf("--config before the command: %d instruments", c.Serve.SimInstruments)
	}
}

// What asks for one act stands on the command line alone: a variable of the environment
// that happens to be named so does nothing.
func TestActsAreNoSettings(t *testing.T) {
	for _, name := range []string{"VERSION", "CLEAN", "ONLY", "HELP"} {
		t.Setenv("QCAT_"+name, "1")
	}
	c, _ := mustParse(t, "backup", "restore", "qcat_backup_20260101_000000")
	if bool(c.Version) || c.Backup.Restore.Clean || c.Backup.Restore.Only != partAll {
		t.Errorf("%+v", c.Backup.Restore)
	}
}

func TestFileKinds(t *testing.T) {
	c, _ := mustParse(t, "serve", "--config", yamlFile(t, `
demo: true
cancel-on-shutdown: false
shutdown-timeout: 3s
sim-seed: 18446744073709551615
paper-maker-fee: -1bp
feed:
  - sim
  - binance-usdm:BTCUSDT,ETHUSDT
  - replay:/some/file.gz@10x
origins: [https://a.example, https://b.example]
data-dir:
log-level: debug
`))
	s := c.Serve
	if !s.Demo || s.CancelOnShutdown || s.ShutdownTimeout.String() != "3s" || s.SimSeed != 1<<64-1 || s.PaperMakerFee != "-1bp" || s.LogLevel != "debug" {
		t.Errorf("scalars: %+v", s)
	}
	if want := []string{"sim", "binance-usdm:BTCUSDT,ETHUSDT", "replay:/some/file.gz@10x"}; !slices.Equal(s.Feed, want) {
		t.Errorf("feed: %q", s.Feed)
	}
	if want := []string{"https://a.example", "https://b.example"}; !slices.Equal(s.Origins, want) {
		t.Errorf("origins: %q", s.Origins)
	}
	if s.DataDir != "./data" {
		t.Errorf("a key without a value changes the default to %q", s.DataDir)
	}
	c, _ = mustParse(t, "serve", "--feed", "sim", "--feed", "binance-spot:A,B")
	if want := []string{"sim", "binance-spot:A,B"}; !slices.Equal(c.Serve.Feed, want) {
		t.Errorf("repeated flag: %q", c.Serve.Feed)
	}
	t.Setenv("QCAT_FEED", "sim;binance-spot:A,B")
	c, _ = mustParse(t, "serve", "--config", yamlFile(t, "feed: [sim]"))
	if want := []string{"sim", "binance-spot:A,B"}; !slices.Equal(c.Serve.Feed, want) {
		t.Errorf("environment: %q", c.Serve.Feed)
	}
	// The same file serves all commands.
	c, _ = mustParse(t, "watch", "--config", yamlFile(t, "addr: 127.0.0.1:1\nlisten: 127.0.0.1:2"), "orders")
	if c.Watch.Addr != "127.0.0.1:1" {
		t.Errorf("watch: %q", c.Watch.Addr)
	}
}

func TestFileErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text, want string
	}{
		{"unknown key", "lisen: 127.0.0.1:1", `unknown key "lisen"`},
		{"unknown section", "acounts: []", `unknown key "acounts"`},
		{"section by a flag's name", "account:\n  - name: a\n", `"account" takes one value`},
		{"list of lists", "feed: [[sim]]", `"feed" takes one value or a list of them`},
		{"list for a flag that takes one", "listen: [127.0.0.1:1, 127.0.0.1:2]", "listen"},
		{"unknown limit", "firm:\n  limits:\n    max_notionl: 5\n", "max_notionl"},
		{"unknown member of an account", "accounts:\n  - nam: a\n", "nam"},
		{"unknown member of a strategy", "accounts:\n  - name: a\n    strategies:\n      - name: s\n        limit: {}\n", "limit"},
		{"key twice", "listen: 127.0.0.1:1\nlisten: 127.0.0.1:2\n", "listen"},
		{"not YAML", "listen: [", "config.yaml"},
		{"not a map", "- listen", "config.yaml"},
		{"wrong type", "sim-instruments: many", "sim-instruments"},
		{"wrong bool", "demo: perhaps", "demo"},
		{"wrong duration", "shutdown-timeout: soon", "shutdown-timeout"},
		{"wrong choice", "log-level: loud", "log-level"},
	} {
		if _, _, err := parsed(t, "serve", "--config", yamlFile(t, tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, _, err := parsed(t, "serve", "--config", "/no/such/file"); err == nil || !strings.Contains(err.Error(), "/no/such/file") {
		t.Errorf("no file: %v", err)
	}
	if _, e := mustParse(t, "serve", "--config", yamlFile(t, "# nothing\n")); len(e.file.sections.Accounts) != 0 {
		t.Error("an empty file has accounts")
	}
}

// TestFileErrorsNameTheLine and what is wrong there, whatever else is in the file.
func TestFileErrorsNameTheLine(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, want string
	}{
		{"demo: true\nlisen: 127.0.0.1:1\n", `line 2: unknown key "lisen"`},
		{"demo: true\n\nacounts:\n  - name: a\n", `line 3: unknown key "acounts"`},
		{"demo: true\nlisten: [a, b]\n", `line 2: "listen" takes one value`},
		{"firm:\n  limits:\n    max_notionl: 5\n", `line 3: unknown key "max_notionl"`},
		{"accounts:\n  - name: a\n    strategies:\n      - limit: {}\n", `line 4: unknown key "limit"`},
		{"listen: a\ndemo: true\nlisten: b\n", `line 3: mapping key "listen" already defined at line 1`},
		{"firm:\n  limits: {max_notional: 5,\n    max_notional: 6}\n", `line 3: mapping key "max_notional" already defined at line 2`},
		{"demo: true\naccounts:\n  name: a\n", "line 3: a map does not belong here"},
		{"demo: true\naccounts:\n  - name: [a]\n", "line 3: a list does not belong here"},
		{"demo: true\nfirm: 7\n", "line 2: the int `7` does not belong here"},
		{"- listen\n", "line 1: a list does not belong here"},
		{"demo: true\nrates: {EUR: {of: x}}\n", "line 2: a rate is written"},
		{"demo: true\nfirm: *limits\n", "line 2: unknown anchor 'limits'"},
		{"demo: true\nlisten: [a,\n", "line 3: did not find expected node content"},
		{"demo: true\nlisten: \"a\nrates:\n", "line 4: found unexpected end of stream (of what begins in line 2)"},
		{"demo: true\n---\nlisten: a\n", "line 2: a second document"},
	} {
		if _, _, err := parsed(t, "serve", "--config", yamlFile(t, tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %q", tt.text, err, tt.want)
		}
	}
}

// TestFileWritings are the ways of YAML to write the same, and to write it once.
func TestFileWritings(t *testing.T) {
	c, e := mustParse(t, "serve", "--config", yamlFile(t, `
demo: True
sim-instruments: 1_000
sim-seed: 0x10
firm:
  limits: &limits {max_notional: 1_000_000, margin_required: TRUE, max_qty: "1_0"}
accounts:
  - name: 7
    limits: *limits
  - name: b
    limits: {<<: *limits, max_notional: 2.50}
`))
	if s := c.Serve; !s.Demo || s.SimInstruments != 1000 || s.SimSeed != 16 {
		t.Errorf("flags: %v, %d, %d", s.Demo, s.SimInstruments, s.SimSeed)
	}
	want := risk.Spec{MaxNotional: "1000000", MarginRequired: "true", MaxQty: "1_0"}
	own := want
	own.MaxNotional = "2.50"
	got := e.file.sections
	if got.Firm.Limits != want || got.Accounts[0].Name != "7" || got.Accounts[0].Own.Limits != want || got.Accounts[1].Own.Limits != own {
		t.Errorf("sections: %+v", got)
	}
}

func TestSections(t *testing.T) {
	_, e := mustParse(t, "serve", "--config", yamlFile(t, `
rates:
  EUR: "1.1"
  BTC: {from: "sim-spot:BTCUSDT"}
tiers:
  sim:BTCUSDT:
    - {floor: "0", rate: 0.4%, leverage: 125x}
    - {floor: "50000", rate: 1%, leverage: 50x}
firm:
  limits:
    max_exposure_gross: 20000000
accounts:
  - name: desk
    balances: {USDT: 1000.5}
    leverage: 10x
    margin_mode: cross
    position_mode: hedge
    margin:
      sim:BTCUSDT: {leverage: 20x, mode: isolated}
    limits:
      price_collar_buy_up: 2%
      max_open_orders: 50
      message_rate: 100/1s
    instruments:
      sim:BTCUSDT: {max_qty: 1.5, max_position: "7.250"}
    strategies:
      - name: alpha
        limits: {max_notional: 50000.5}
        instruments:
          sim:BTCUSDT: {restricted: true}
      - name: beta
  - name: other
`))
	got := e.file.sections
	want := sections{
		Rates: map[string]rateNode{"EUR": {Worth: "1.1"}, "BTC": {From: "sim-spot:BTCUSDT"}},
		Tiers: map[string][]tierNode{"sim:BTCUSDT": {{Floor: "0", Rate: "0.4%", Leverage: "125x"}, {Floor: "50000", Rate: "1%", Leverage: "50x"}}},
		Firm:  limitNode{Limits: risk.Spec{MaxExposureGross: "20000000"}},
		Accounts: []accountNode{
			{
				Name: "desk",
				Own: limitNode{
					Limits:      risk.Spec{PriceCollarBuyUp: "2%", MaxOpenOrders: "50", MessageRate: "100/1s"},
					Instruments: map[string]risk.Spec{"sim:BTCUSDT": {MaxQty: "1.5", MaxPosition: "7.250"}},
				},
				Money: moneyNode{Balances: map[string]string{"USDT": "1000.5"}, Leverage: "10x", MarginMode: "cross", PositionMode: "hedge",
					Margin: map[string]marginNode{"sim:BTCUSDT": {Leverage: "20x", Mode: "isolated"}}},
				Strategies: []strategyNode{
					{Name: "alpha", Own: limitNode{Limits: risk.Spec{MaxNotional: "50000.5"},
						Instruments: map[string]risk.Spec{"sim:BTCUSDT": {Restricted: "true"}}}},
					{Name: "beta"},
				},
			},
			{Name: "other"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestSectionErrors are found when the server is built, each told with its place.
func TestSectionErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, want string
	}{
		{"accounts: [{name: a, limits: {max_notional: lots}}]", "account a"},
		{"accounts: [{name: a, limits: {max_qty: 1}}]", "account a"},
		{"accounts: [{name: a, instruments: {\"sim:NOSUCH\": {max_qty: 1}}}]", "no feed has an instrument sim:NOSUCH"},
		{"accounts: [{name: a, strategies: [{name: s, limits: {order_rate: fast}}]}]", "account a, strategy s"},
		{"accounts: [{name: a, instruments: {\"sim:BTCUSDT\": {max_qty: 0.0001}}}]", "account a, instrument sim:BTCUSDT"},
		{"accounts: [{name: \"\"}]", "accounts"},
		{"firm: {limits: {price_collar_buy_up: 2}}", "firm"},
		{"rates: {EUR: much}", "EUR"},
		{"rates: {EUR: {of: x}}", "a rate is written"},
		{"rates: {BTC: {from: \"sim:NOSUCH\"}}", "rates: BTC: no feed has an instrument sim:NOSUCH"},
		{"tiers: {\"sim:NOSUCH\": [{rate: 1%, leverage: 5x}]}", "tiers: sim:NOSUCH"},
		{"tiers: {\"sim:BTCUSDT\": [{rate: 1, leverage: 5x}]}", "bracket 1: rate"},
		{"tiers: {\"sim:BTCUSDT\": [{rate: 1%, leverage: 5}]}", "bracket 1: leverage"},
		{"accounts: [{name: a, balances: {USDT: lots}}]", "account a: balances: USDT"},
		{"accounts: [{name: a, balances: {USDT: -1}}]", "must be positive"},
		{"accounts: [{name: a, leverage: 10}]", "account a: sim:BTCUSDT: leverage"},
		{"accounts: [{name: a, margin_mode: both}]", "margin_mode"},
		{"accounts: [{name: a, position_mode: both}]", "position_mode"},
		{"accounts: [{name: a, margin: {\"sim:NOSUCH\": {leverage: 2x}}}]", "margin: no feed has an instrument sim:NOSUCH"},
		{"accounts: [{name: a}, {name: a}]", "accounts"},
		{"accounts: [{name: a, strategies: [{name: s}, {name: s}]}]", "account a"},
	} {
		code, out, errs := inProcess(t, "serve", "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(), "--config", yamlFile(t, tt.text))
		if code != 2 || !strings.Contains(errs, tt.want) || out != "" {
			t.Errorf("%s: exit code %d, %q, want %q", tt.text, code, errs, tt.want)
		}
	}
}

// sampleFile is the commented sample of all settings.
const sampleFile = "../../deploy/configs/config.yaml"

// TestSampleFileIsComplete wants every flag of serve in the sample, with its
// default, and every section, so that the sample is the manual.
func TestSampleFileIsComplete(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(sampleFile)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := yaml.Unmarshal(raw, &keys); err != nil {
		t.Fatal(err)
	}
	e := &env{ctx: t.Context(), stdout: &bytes.Buffer{}, stderr: &bytes.Buffer{}, file: &fileConfig{}}
	parser, err := newParser(&cli{}, e, nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, command := range parser.Model.Children {
		if command.Name == "serve" {
			names = append(slices.Collect(maps.Keys(flagNames(command))), sectionNames...)
		}
	}
	if len(names) < 20 {
		t.Fatalf("serve has the flags %v", names)
	}
	for _, name := range names {
		if _, ok := keys[name]; !ok {
			t.Errorf("the sample has no %s", name)
		}
		delete(keys, name)
	}
	for name := range keys {
		t.Errorf("the sample has %s, which is not a setting of serve", name)
	}
	with, e := mustParse(t, "serve", "--config", sampleFile)
	without, _ := mustParse(t, "serve")
	if len(without.Serve.Feed) == 0 {
		without.Serve.Feed = []string{defaultFeed}
	}
	if !reflect.DeepEqual(with.Serve, without.Serve) {
		t.Errorf("the sample is not the defaults:\n%+v\n%+v", with.Serve, without.Serve)
	}
	// Its accounts are the demo's, so that what it shows is known to work.
	if want := demoSections(); !reflect.DeepEqual(e.file.sections, want) {
		t.Errorf("sections of the sample:\n%+v\nof the demo:\n%+v", e.file.sections, want)
	}
	// Every limit that there is, is at least told of.
	for _, f := range reflect.VisibleFields(reflect.TypeFor[risk.Spec]()) {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if !bytes.Contains(raw, []byte(name+":")) {
			t.Errorf("the sample does not tell of the limit %s", name)
		}
	}
}

// TestSampleFileServes starts from the sample and trades.
func TestSampleFileServes(t *testing.T) {
	t.Parallel()
	p := serve(t, "--demo", "--config", sampleFile)
	p.live(btc)
	p.accepted(p.resting(""))
}
