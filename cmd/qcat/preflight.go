package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"go.uber.org/zap"

	"qcat/persist/seal"
)

// preflightCmd looks at the secrets of a deployment before anything of it starts: those of
// databases and of Grafana as well, which the server never sees.
type preflightCmd struct {
	MasterKeyFile    string `help:"File with the master key." placeholder:"FILE"`
	MasterKeyCommand string `help:"Command that prints the master key; it is not run." placeholder:"COMMAND"`
	TLSCert          string `name:"tls-cert" help:"Certificate chain (PEM) that the server in front, or this one, speaks TLS with." placeholder:"FILE"`
	TLSKey           string `name:"tls-key" help:"Private key of --tls-cert (PEM)." placeholder:"FILE"`
}

// variables lists the environment as NAME=value; tests have one of their own.
var variables = os.Environ

// Run implements the command. It tells of everything that is wrong at once, by name, and of no
// value.
func (c *preflightCmd) Run(e *env) error {
	set := map[string]string{}
	for _, kv := range variables() {
		name, value, _ := strings.Cut(kv, "=")
		set[name] = value
	}
	var wrong []error
	secrets := 0
	for _, name := range slices.Sorted(maps.Keys(set)) {
		if value := set[name]; value != "" && namesSecret(name) {
			secrets++
			wrong = append(wrong, secretFault(name, value))
		}
	}
	wrong = append(wrong, c.master(set[masterEnv]), c.certificate(), noPlaceholders())
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	fmt.Fprintf(e.stdout, "preflight: %d secrets are set, none is a placeholder\n", secrets)
	return nil
}

// namesSecret reports whether a variable of that name holds a secret.
func namesSecret(name string) bool {
	for _, end := range []string{"PASSWORD", "_SECRET", "_TOKEN", "_MASTER_KEY", "_API_KEY"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return false
}

// shortestSecret is in characters: what `openssl rand -hex 6` prints.
const shortestSecret = 12

// secretFault is what keeps a text from being a secret, nil when nothing does. A secret passes
// through shells, URLs and files of several programs, and each has characters that mean
// something there: it has none of them.
func secretFault(name, value string) error {
	foreign := func(r rune) bool {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !letter && !strings.ContainsRune("._+/=-", r)
	}
	switch {
	case placeholder(value):
		return badSetting(name, "is still the placeholder of an example: set a secret of your own (openssl rand -hex 24)")
	case strings.ContainsFunc(value, foreign):
		return badSetting(name, "has characters other than letters, digits and . _ + / = - (openssl rand -hex 24)")
	case len(value) < shortestSecret:
		return badSetting(name, "is too short: %d characters at least (openssl rand -hex 24)", shortestSecret)
	}
	return nil
}

// master reads the master key where it is given; one that is printed by a command is left to
// the server.
func (c *preflightCmd) master(text string) error {
	switch {
	case c.MasterKeyCommand != "":
		return nil
	case c.MasterKeyFile != "":
		_, err := seal.ReadFile(c.MasterKeyFile)
		return err
	case text == "" || placeholder(text): // of a placeholder there is word already
		return nil
	}
	if _, err := seal.ParseMaster([]byte(text)); err != nil {
		return badSetting(masterEnv, "%v", err)
	}
	return nil
}

// certificate reads the pair as the server would.
func (c *preflightCmd) certificate() error {
	if c.TLSCert == "" && c.TLSKey == "" {
		return nil
	}
	_, err := openCertificate(c.TLSCert, c.TLSKey, zap.NewNop())
	if errors.Is(err, os.ErrNotExist) || err != nil && strings.Contains(err.Error(), "no such file") {
		return badSetting("tls-cert, tls-key", "there is no certificate at %s: put one there, or make one to try things out with deploy/ssl/self-signed.sh", c.TLSCert)
	}
	return err
}
