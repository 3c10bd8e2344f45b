package qcat

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layer is one row of the import table in ARCHITECTURE.md.
type layer struct {
	pkg string   // the package, or with a trailing /… the folder below it
	may []string // what of ours it may import, in the same notation
	why string
}

// layers are matched by the longest pkg. Every package of the module must have one.
var layers = []layer{
	{"", nil, "the root holds only this test"},
	{"core", nil, "the nouns stand on nothing"},
	{"core/mem", nil, "advice about memory knows nothing of what lies there"},
	{"core/hist", nil, "a histogram knows nothing of what it counts"},
	{"core/state", []string{"core"}, "how a state is read is the same whoever wrote it"},
	{"core/record", []string{"core"}, "the codec knows the nouns only, so that the stores can read without the engine"},
	{"core/frame", nil, "framing knows nothing of what is framed, nor on whose side it is"},
	{"core/history", []string{"core"}, "rows and questions are shared by stores and clients, so they belong to neither"},
	{"core/identity", []string{"core"}, "who may do what is shared by stores, commands and clients, so it belongs to none of them"},
	{"core/book", []string{"core", "core/mem"}, "a book is a data structure"},
	{"core/market", []string{"core", "core/book", "ringbuf"}, "the meeting point of the lanes belongs to neither"},
	{"ringbuf", nil, "a queue knows nothing of what it carries"},
	{"risk", []string{"core", "core/mem", "core/state", "risk/margin"}, "risk is pure: no clock, log or I/O"},
	{"risk/margin", []string{"core"}, "margin is arithmetic"},
	{"risk/tail", []string{"core"}, "a report is arithmetic"},
	{"core/engine", []string{"core", "core/mem", "core/record", "core/state", "core/book", "core/market", "core/hist", "ringbuf", "risk", "risk/margin"}, "the order lane must not know feeds or clients"},
	{"feed/…", []string{"core", "core/book", "core/market", "core/frame", "core/hist", "ringbuf", "feed/…"}, "the market-data lane must not know the order lane or clients"},
	{"migrations", nil, "schema files know no code"},
	{"persist/…", []string{"core", "core/record", "core/history", "core/identity", "core/hist", "ringbuf", "persist/…", "migrations"}, "stores read records, they do not reach into the engine"},
	{"persist/store", []string{"core", "core/record", "core/history", "core/hist", "ringbuf", "persist/…", "risk/margin"}, "projections fold what records say; a payment of funding is arithmetic, and the limit tree's"},
	{"api/…", []string{"core", "core/market", "core/book", "core/frame", "core/hist", "core/history", "core/identity", "core/engine", "ringbuf", "risk", "risk/margin", "risk/tail", "api/…"}, "clients see views, never feeds"},
	{"api/auth/…", []string{"core", "core/identity", "api/limit", "api/auth/…"}, "who may do what is decided without a route, an engine or a view"},
	{"api/auth/signing", nil, "clients sign by it, so it stands on nothing"},
	{"api/limit", []string{"core"}, "counting knows nothing of what is counted"},
	{"api/forwarded", nil, "an address is found without knowing for what"},
	{"api/client", []string{"core", "api/wire", "api/auth/signing"}, "a client must not need a server"},
	{"api/spec", nil, "the documents describe the code and need none of it"},
	{"cmd/…", []string{"…"}, "wiring may see everything"},
	{"bench/…", []string{"…"}, "measurement may see everything"},
}

// homes are the only folders that may import a third-party module, by the longest prefix.
var homes = map[string][]string{
	"github.com/valyala/fasthttp":             {"api/", "feed/", "bench/"},
	"github.com/fasthttp/websocket":           {"api/", "feed/", "bench/"},
	"github.com/bytedance/sonic":              {"api/"},
	"github.com/prometheus/":                  {"api/"},
	"github.com/jackc/pgx/":                   {"persist/postgres", "persist/backup"},
	"modernc.org/sqlite":                      {"persist/sqlite"},
	"github.com/pressly/goose/":               {"persist/migrate"},
	"github.com/redis/rueidis":                {"persist/redis"},
	"github.com/golang-jwt/jwt/":              {"api/auth/token"},
	"github.com/puzpuzpuz/xsync/":             {"api/auth"},
	"golang.org/x/crypto/argon2":              {"api/auth/password"},
	"github.com/alecthomas/kong":              {"cmd/"},
	"github.com/adhocore/gronx":               {"persist/backup/schedule"},
	"github.com/klauspost/compress":           {"feed/replay", "persist/snapshot"},
	"github.com/cespare/xxhash/":              {"core/book", "feed/sim", "persist/store"},
	"github.com/goccy/go-yaml":                {"api/spec"},
	"github.com/swaggest/swgui":               {"api/spec"},
	"github.com/santhosh-tekuri/jsonschema/":  {"api/spec"}, // of tests alone
	"go.yaml.in/yaml/v4":                      {"cmd/"},
	"golang.org/x/term":                       {"cmd/"},
	"go.uber.org/zap":                         {"cmd/", "feed/", "api/", "persist/"},
	"github.com/HdrHistogram/hdrhistogram-go": {"bench/", "core/hist"},
}

type goPackage struct {
	ImportPath   string
	Imports      []string
	TestImports  []string
	XTestImports []string
}

const module = "qcat"

func TestLayering(t *testing.T) {
	for _, p := range listPackages(t) {
		rel := relative(p.ImportPath)
		l, ok := layerOf(rel)
		if !ok {
			t.Errorf("%s has no row in the import table: add one here and in ARCHITECTURE.md", p.ImportPath)
			continue
		}
		for _, imp := range p.Imports {
			if imp != module && !strings.HasPrefix(imp, module+"/") {
				continue
			}
			if target := relative(imp); !allowed(l.may, target) {
				t.Errorf("%s must not import %s: %s", rel, target, l.why)
			}
		}
	}
}

func TestThirdPartyStaysHome(t *testing.T) {
	for _, p := range listPackages(t) {
		rel := relative(p.ImportPath) + "/"
		for _, imp := range slices.Concat(p.Imports, p.TestImports, p.XTestImports) {
			for lib, folders := range homes {
				if !strings.HasPrefix(imp, lib) {
					continue
				}
				if !slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(rel, f) }) {
					t.Errorf("%s imports %s, which belongs in %s", rel, imp, strings.Join(folders, ", "))
				}
			}
		}
	}
}

func TestLayerMatching(t *testing.T) {
	for _, c := range []struct {
		may    []string
		target string
		want   bool
	}{
		{[]string{"core"}, "core", true},
		{[]string{"core"}, "core/book", false},
		{[]string{"feed/…"}, "feed", true},
		{[]string{"feed/…"}, "feed/sim", true},
		{[]string{"feed/…"}, "feeder", false},
		{[]string{"…"}, "anything", true},
		{nil, "core", false},
	} {
		if got := allowed(c.may, c.target); got != c.want {
			t.Errorf("allowed(%q, %q) = %v", c.may, c.target, got)
		}
	}
}

func relative(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
}

func matches(pattern, target string) bool {
	folder, open := strings.CutSuffix(pattern, "…")
	if !open {
		return pattern == target
	}
	return strings.HasPrefix(target+"/", folder)
}

func allowed(may []string, target string) bool {
	return slices.ContainsFunc(may, func(p string) bool { return matches(p, target) })
}

func layerOf(rel string) (best layer, ok bool) {
	for _, l := range layers {
		if matches(l.pkg, rel) && (!ok || len(l.pkg) > len(best.pkg)) {
			best, ok = l, true
		}
	}
	return best, ok
}

func listPackages(t *testing.T) []goPackage {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var pkgs []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if len(pkgs) < 5 {
		t.Fatalf("go list found %d packages only", len(pkgs))
	}
	return pkgs
}
