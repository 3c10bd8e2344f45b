package spec

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"strings"

	"github.com/swaggest/swgui/v5/static"
)

//go:embed web
var web embed.FS

// Policy is the Content-Security-Policy that the pages are made for: they run their
// own files and nothing else, ask this server only, and stand in no frame. Swagger UI
// has its icons as data.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// File is one that is served at /swagger or below it. Body must not be changed.
type File struct {
	Type    string // media type
	Body    []byte
	Gzipped bool // Body is compressed
}

// Plain is the file's content as it is without compression.
func (f *File) Plain() ([]byte, error) {
	if !f.Gzipped {
		return f.Body, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(f.Body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// Media types of what is served.
const (
	typeHTML       = "text/html; charset=utf-8"
	typeCSS        = "text/css; charset=utf-8"
	typeJavaScript = "text/javascript; charset=utf-8"
	typeJSON       = "application/json"
	typeYAML       = "application/yaml"
	typePNG        = "image/png"
)

// places are the files by name: how each is had. The empty name is the page of
// Swagger UI.
var places = map[string]func() (File, error){
	"":                     own("index.html", typeHTML),
	"init.js":              own("init.js", typeJavaScript),
	"page.css":             own("page.css", typeCSS),
	"ws":                   socketFile,
	"openapi.json":         document(OpenAPI, (*Document).JSON, typeJSON),
	"openapi.yaml":         document(OpenAPI, (*Document).YAML, typeYAML),
	"asyncapi.json":        document(AsyncAPI, (*Document).JSON, typeJSON),
	"asyncapi.yaml":        document(AsyncAPI, (*Document).YAML, typeYAML),
	"swagger-ui.css":       vendored("swagger-ui.css.gz", typeCSS),
	"swagger-ui-bundle.js": vendored("swagger-ui-bundle.js.gz", typeJavaScript),
	"favicon-32x32.png":    vendored("favicon-32x32.png", typePNG),
}

// Open returns the file of that name below /swagger, and whether there is one.
// Errors: a mistake in the embedded files.
func Open(name string) (f File, ok bool, err error) {
	open, ok := places[name]
	if !ok {
		return File{}, false, nil
	}
	f, err = open()
	return f, true, err
}

func own(name, mediaType string) func() (File, error) {
	return func() (File, error) {
		b, err := web.ReadFile("web/" + name)
		return File{Type: mediaType, Body: b}, err
	}
}

func vendored(name, mediaType string) func() (File, error) {
	return func() (File, error) {
		b, err := static.FS.ReadFile(name)
		return File{Type: mediaType, Body: b, Gzipped: strings.HasSuffix(name, ".gz")}, err
	}
}

func document(d func() (*Document, error), text func(*Document) []byte, mediaType string) func() (File, error) {
	return func() (File, error) {
		doc, err := d()
		if err != nil {
			return File{}, err
		}
		return File{Type: mediaType, Body: text(doc)}, nil
	}
}
