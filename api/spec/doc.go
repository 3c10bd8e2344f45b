// Package spec describes the interface: an OpenAPI 3.1 document of its HTTP half, an
// AsyncAPI 3.0 document of the WebSocket, and the pages that show them.
//
// # Where things stand
//
//	openapi/    operations, a file an area; everywhere.yaml has what all may answer
//	asyncapi/   channels, operations and messages of the WebSocket
//	schemas/    what both are made of
//	web/        the pages
//
// The files are written by hand. They are put together when the first of them is asked
// for, in which a name that stands twice is an error and schemas that nothing refers to
// are left out. Tests hold the documents against the published schemas of their
// formats, against the table of api/rest, and every answer that the tests of api/rest,
// api/ws and api/hub get against them (spectest).
//
// # Who may
//
// Each operation says it in x-permission and x-scope, and a channel of the WebSocket as
// well; the OpenAPI document's description says what they mean. A test of who may do
// what takes its rows from there.
//
// # Pages
//
// Swagger UI is embedded, and nothing is loaded from elsewhere: the pages work without
// a network, under a Content-Security-Policy that lets them run their own files only.
//
// # Imports
//
// Nothing of this module. goccy/go-yaml reads the files; swaggest/swgui has the files
// of Swagger UI.
package spec
