// Package migrations holds the schemas of the stores as numbered steps, forward
// and back, and puts them into the program.
//
//	postgres/00001_….sql   for persist/postgres
//	sqlite/00001_….sql     for persist/sqlite
//
// A file is one step in goose's format (-- +goose Up, -- +goose Down), named
// NNNNN_what.sql. What was released is never edited: a change is a new file.
// persist/migrate runs them.
//
// # Imports
//
// Nothing of ours.
package migrations

import (
	"embed"
	"io/fs"
)

//go:embed all:postgres
var postgres embed.FS

//go:embed all:sqlite
var sqlite embed.FS

// The steps of each dialect, at the top of their file system.
var (
	Postgres = sub(postgres, "postgres")
	SQLite   = sub(sqlite, "sqlite")
)

func sub(f embed.FS, dir string) fs.FS {
	s, err := fs.Sub(f, dir)
	if err != nil {
		panic("migrations: " + err.Error()) // the directory is part of the program
	}
	return s
}
