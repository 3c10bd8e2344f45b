// Package identity is the vocabulary of who may do what: users, their roles and
// scopes, API keys, sessions, signing keys, and the entries of the audit log. Stores
// write it, the API decides by it, commands show it.
//
// # Times
//
// core.Nanos; 0 is never or not yet, as the field says.
//
// # Secrets
//
// A Sealed is opaque here: what is inside was encrypted by persist/seal. Nothing in
// this package holds a password, a token or a key in the clear, and what it prints is
// safe in a log.
//
// # Imports
//
// core only: stores, commands and the API share it.
package identity
