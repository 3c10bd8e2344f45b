// Package authtest holds a store, an audit log and a sealer in memory, with the semantics
// that identity.Store and identity.Auditor promise, for tests of whatever decides by them.
//
// Any goroutine may call them. What is handed out is a copy.
//
// # Imports
//
// core, core/identity.
package authtest
