package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	stored "qcat/persist/identity"
	"qcat/persist/seal"
)

// masterFlags say where the master key comes from, under which every secret is kept.
type masterFlags struct {
	MasterKeyFile    string `help:"File with the master key, 32 random bytes in base64, that its owner alone may read; QCAT_MASTER_KEY may hold the key itself. Default: master.key in the data directory of the embedded store, made at the first need." placeholder:"FILE"`
	MasterKeyCommand string `help:"Command that prints the master key, run by /bin/sh." placeholder:"COMMAND"`
}

// masterEnv is the variable that holds the master key.
const masterEnv = "QCAT_MASTER_KEY"

// source is where the master key comes from. With Postgres nothing is made in the data
// directory: another machine may use the same database.
func (f *masterFlags) source(dataDir string, embedded bool) seal.Source {
	s := seal.Source{Key: environment(masterEnv), File: f.MasterKeyFile, Command: f.MasterKeyCommand}
	if embedded {
		s.Dir = dataDir
	}
	return s
}

// nextSuffix marks the file of a master key that is on its way: a change of the master
// key that was cut off is found by it, and a running server reads it, too.
const nextSuffix = ".next"

// fileOf is the file that a source reads, "" when it reads none.
func fileOf(s *seal.Source) string {
	switch {
	case s.Key != "" || s.Command != "":
		return ""
	case s.File != "":
		return s.File
	case s.Dir != "":
		return filepath.Join(s.Dir, seal.FileName)
	}
	return ""
}

// mastersOf reads the master key, and the one that is about to replace it.
func mastersOf(store *stored.Store, from seal.Source) stored.Masters {
	return func(ctx context.Context) ([]*seal.Master, error) {
		all, err := store.MastersFrom(from)(ctx)
		if err != nil {
			return nil, err
		}
		file := fileOf(&from)
		if file == "" {
			return all, nil
		}
		if next, err := seal.ReadFile(file + nextSuffix); err == nil { // one that cannot be read is not there yet
			all = append(all, next)
		}
		return all, nil
	}
}

// placeholders are what example files say in place of a secret.
var placeholders = []string{"changeme", "placeholder", "replaceme", "example", "yoursecret", "yourpassword", "yourkey", "insecure", "dummy", "todo", "xxxx"}

// placeholder reports whether a text stands where somebody was to write a secret.
func placeholder(secret string) bool {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune("_- .", r) {
			return -1
		}
		return r
	}, strings.ToLower(secret))
	if strings.HasPrefix(plain, "<") || strings.HasPrefix(plain, "your") || plain == "password" || plain == "secret" || plain == "admin" {
		return true
	}
	for _, p := range placeholders {
		if strings.Contains(plain, p) {
			return true
		}
	}
	return false
}

// secretVariables are those of the environment that hold a secret, and urlVariables those
// whose URL may.
var (
	secretVariables = []string{masterEnv, passwordEnv, adminPasswordEnv, "DB_PASSWORD", "REDIS_PASSWORD"}
	urlVariables    = []string{"DATABASE_URL", "QCAT_DATABASE_URL", "REDIS_URL", "QCAT_REDIS_URL"}
)

// noPlaceholders refuses to go on with the secrets of an example file: everybody knows
// them. urls are those that flags name.
func noPlaceholders(urls ...string) error {
	for _, name := range secretVariables {
		if v := environment(name); v != "" && placeholder(v) {
			return badSetting(name, "is still the placeholder of an example: set a secret of your own (openssl rand -base64 32)")
		}
	}
	for _, name := range urlVariables {
		urls = append(urls, environment(name))
	}
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.User == nil {
			continue
		}
		if secret, _ := u.User.Password(); placeholder(secret) && secret != "" {
			return badSetting("database-url, redis-url", "%s", fmt.Sprintf("the password of %s is still the placeholder of an example: set one of your own", u.Redacted()))
		}
	}
	return nil
}
