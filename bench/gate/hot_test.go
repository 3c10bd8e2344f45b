//go:build !race

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// root is the module's top folder.
const root = "../.."

// allocTest is a test function of an alloc_test.go that counts allocations.
type allocTest struct{ pkg, test string }

// allocTests finds all there are, and wants each in a file that the race detector's
// builds leave out: there allocations are the detector's.
func allocTests(t *testing.T) map[allocTest]bool {
	t.Helper()
	found := map[allocTest]bool{}
	for _, dir := range folders(t) {
		files, err := filepath.Glob(filepath.Join(root, dir, "*alloc_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, source := range files {
			file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			if len(file.Comments) == 0 || file.Comments[0].Pos() > file.Package || file.Comments[0].List[0].Text != "//go:build !race" {
				t.Errorf("%s does not begin with //go:build !race", source)
			}
			for _, f := range counters(file) {
				if strings.HasPrefix(f.Name.Name, "Test") {
					found[allocTest{dir, f.Name.Name}] = true
				}
			}
		}
	}
	return found
}

// counters are the functions of a file that call testing.AllocsPerRun, or one that does.
func counters(file *ast.File) (list []*ast.FuncDecl) {
	counting := map[string]bool{"AllocsPerRun": true}
	for before := 0; before < len(counting); {
		before, list = len(counting), nil
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && calls(f, counting) {
				counting[f.Name.Name] = true
				list = append(list, f)
			}
		}
	}
	return list
}

// calls says whether f calls a method or a package's function of one of these names.
func calls(f *ast.FuncDecl, names map[string]bool) (yes bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok && names[s.Sel.Name] {
			yes = true
		}
		return !yes
	})
	return yes
}

// folders are the packages of the module, by their folders.
func folders(t *testing.T) (dirs []string) {
	t.Helper()
	cmd := exec.Command("go", "list", "./...")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		dirs = append(dirs, strings.TrimPrefix(strings.TrimSpace(line), "qcat/"))
	}
	return dirs
}

// TestHotFunctionsAreTheAllocTests: every test that counts allocations stands in
// hotFunctions, and every one that stands there is a test that counts.
func TestHotFunctionsAreTheAllocTests(t *testing.T) {
	found := allocTests(t)
	listed := map[allocTest]bool{}
	for _, h := range hotFunctions {
		at := allocTest{h.pkg, h.test}
		if listed[at] {
			t.Errorf("%s.%s stands twice", h.pkg, h.test)
		}
		if listed[at] = true; !found[at] {
			t.Errorf("%s has no %s in an alloc_test.go that calls testing.AllocsPerRun", h.pkg, h.test)
		}
		if len(h.functions) == 0 {
			t.Errorf("%s.%s holds no function", h.pkg, h.test)
		}
	}
	for at := range found {
		if !listed[at] {
			t.Errorf("%s.%s is not in hotFunctions: add it with the functions that it holds", at.pkg, at.test)
		}
	}
}

// TestHotFunctionsRun runs the tests of the list and looks at what they have covered:
// every function that stands beside a test is run by it.
func TestHotFunctionsRun(t *testing.T) {
	var pkgs []string
	for _, h := range hotFunctions {
		if p := "./" + h.pkg; !slices.Contains(pkgs, p) {
			pkgs = append(pkgs, p)
		}
	}
	bin := t.TempDir()
	build := exec.Command("go", append([]string{"test", "-c", "-cover", "-ldflags=-s -w", "-o", bin + "/"}, pkgs...)...)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, h := range hotFunctions {
		holdsWhatItNames(t, h, filepath.Join(bin, path.Base(h.pkg)+".test"))
	}
}

// holdsWhatItNames runs one test of a binary that counts what it runs.
func holdsWhatItNames(t *testing.T, h hot, binary string) {
	t.Helper()
	profile := filepath.Join(t.TempDir(), "profile")
	run := exec.Command(binary, "-test.run=^"+h.test+"$", "-test.coverprofile="+profile)
	run.Dir = filepath.Join(root, h.pkg)
	if out, err := run.CombinedOutput(); err != nil {
		t.Errorf("%s.%s: %v\n%s", h.pkg, h.test, err, out)
		return
	}
	ran := covered(t, h.pkg, profile)
	for _, f := range h.functions {
		if is, ok := ran[f]; !ok {
			t.Errorf("%s has no function %s", h.pkg, f)
		} else if !is {
			t.Errorf("%s.%s does not run %s", h.pkg, h.test, f)
		}
	}
}

// covered are the functions of a package, true for those of which a statement has run.
func covered(t *testing.T, pkg, profile string) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile(profile)
	if err != nil {
		t.Fatal(err)
	}
	functions := map[string]bool{}
	files := map[string][]span{}
	for sc := bufio.NewScanner(bytes.NewReader(raw)); sc.Scan(); {
		// qcat/pkg/file.go:12.34,15.6 2 1
		name, rest, ok := strings.Cut(sc.Text(), ".go:")
		if !ok {
			continue
		}
		source := filepath.Join(root, strings.TrimPrefix(name, "qcat/")+".go")
		if _, ok := files[source]; !ok {
			files[source] = spans(t, source)
			for _, s := range files[source] {
				functions[s.name] = false
			}
		}
		line, err := strconv.Atoi(rest[:strings.IndexByte(rest, '.')])
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasSuffix(rest, " 0") {
			continue
		}
		for _, s := range files[source] {
			if s.from <= line && line <= s.to {
				functions[s.name] = true
			}
		}
	}
	return functions
}

// span is where a function stands in its file.
type span struct {
	name     string // Function, or Type.Method
	from, to int
}

func spans(t *testing.T, source string) (list []span) {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, source, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok {
			continue
		}
		name := f.Name.Name
		if f.Recv != nil {
			name = fmt.Sprintf("%s.%s", receiver(f.Recv.List[0].Type), name)
		}
		list = append(list, span{name, set.Position(f.Pos()).Line, set.Position(f.End()).Line})
	}
	return list
}

// receiver is the name of a method's type, without its pointer and parameters.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}
