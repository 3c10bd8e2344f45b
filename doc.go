// Package qcat is the root of the module. It holds the test of the import
// table; the program is in cmd/qcat, the architecture in ARCHITECTURE.md.
package qcat
