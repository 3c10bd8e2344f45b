package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"qcat/api/auth"
	"qcat/core"
	"qcat/core/identity"
)

// keyRow is an API key as commands show it, without its secret.
type keyRow struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	User        string     `json:"user"`
	Kind        string     `json:"kind"`
	Permissions string     `json:"permissions"`
	Scope       string     `json:"scope"`
	Addresses   []string   `json:"addresses"`
	Expires     core.Nanos `json:"expires"`
	Revoked     core.Nanos `json:"revoked"`
	LastUsed    core.Nanos `json:"last_used"`
	Created     core.Nanos `json:"created"`
	Secret      string     `json:"secret,omitempty"`
}

func rowOfKey(k *identity.APIKey, owner string) keyRow {
	r := keyRow{k.ID, k.Name, owner, k.Kind.String(), k.Permissions.String(), k.Scope.String(), []string{}, k.Expires, k.Revoked, k.LastUsed, k.Created, ""}
	for _, a := range k.Addresses {
		r.Addresses = append(r.Addresses, a.String())
	}
	return r
}

type createAPIKeyCmd struct {
	actorFlags       `embed:""`
	Name             string              `arg:"" help:"What the key is for."`
	User             string              `help:"User that the key acts for." required:"" env:"-"`
	Permissions      identity.Permission `help:"Some of read, trade, risk, admin." placeholder:"LIST" required:""`
	Scope            *scopeList          `help:"Accounts and strategies, such as demo/alpha. Default: the user's." placeholder:"LIST"`
	Address          []string            `help:"Network, or address, that the key may be used from; any number. Default: from everywhere." sep:"," placeholder:"CIDR"`
	Expires          string              `help:"When the key ends: 90d, 12h or 2026-12-31T00:00:00Z. Default: never."`
	Ed25519PublicKey string              `name:"ed25519-public-key" help:"Public key of a pair that is kept elsewhere: a PEM file, or 32 bytes in base64. Without it, a secret for HMAC-SHA256 is made." placeholder:"FILE|BASE64"`
	JSON             bool                `name:"json" help:"Print the key, and its secret, as JSON."`
}

// Run implements the command.
func (c *createAPIKeyCmd) Run(e *env) error {
	n := auth.NewKey{Owner: c.User, Name: c.Name, Permissions: c.Permissions}
	var err error
	if n.Expires, err = expiry(c.Expires, time.Now()); err != nil {
		return badSetting("expires", "%v", err)
	}
	if n.Addresses, err = networks(c.Address); err != nil {
		return badSetting("address", "%v", err)
	}
	if c.Ed25519PublicKey != "" {
		if n.Public, err = publicKey(c.Ed25519PublicKey); err != nil {
			return badSetting("ed25519-public-key", "%v", err)
		}
	}
	return c.administer(e, func(ctx context.Context, s *auth.Service, by auth.Principal) error {
		owner, err := s.Store.User(ctx, c.User)
		if errors.Is(err, identity.ErrNotFound) {
			return fmt.Errorf("there is no user %s", c.User)
		}
		if err != nil {
			return fmt.Errorf("user %s: %w", c.User, err)
		}
		n.Scope = owner.Scope
		if c.Scope != nil {
			n.Scope = c.Scope.Scope
		}
		k, secret, err := s.CreateKey(ctx, by, n)
		if err != nil {
			return err
		}
		return c.print(e, &k, owner.Name, secret)
	})
}

// print shows the key. It is the only time that anybody sees the secret.
func (c *createAPIKeyCmd) print(e *env, k *identity.APIKey, owner, secret string) error {
	if c.JSON {
		row := rowOfKey(k, owner)
		row.Secret = secret
		return printJSON(e, row)
	}
	fmt.Fprintf(e.stdout, "key:     %s\n", k.ID)
	if secret == "" {
		_, err := fmt.Fprintf(e.stdout, "\nSign with the Ed25519 key that belongs to it; docs/security.md says what.\n")
		return err
	}
	_, err := fmt.Fprintf(e.stdout, `secret:  %s

The secret is shown this once. Programs take the two as QCAT_API_KEY and QCAT_API_SECRET:

  QCAT_API_KEY=%[2]s QCAT_API_SECRET=… qcat accounts

docs/security.md says how a request is signed.
`, secret, k.ID)
	return err
}

// expiry reads a moment, or how long it is from now with d for days; "" is never.
func expiry(text string, now time.Time) (core.Nanos, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 1 || n > 100*366 {
			return 0, fmt.Errorf("%q is not a number of days", text)
		}
		return core.Nanos(now.AddDate(0, 0, n).UnixNano()), nil
	}
	at, err := moment(text, now)
	if err != nil {
		return 0, fmt.Errorf("%q is neither a time such as 2026-12-31T00:00:00Z nor 90d", text)
	}
	if text != "" && at <= now.UnixNano() {
		return 0, fmt.Errorf("%q is over", text)
	}
	return core.Nanos(at), nil
}

// networks reads networks, and addresses as networks of one.
func networks(texts []string) (all []netip.Prefix, err error) {
	for _, text := range texts {
		text = strings.TrimSpace(text)
		p, err := netip.ParsePrefix(text)
		if err != nil {
			a, no := netip.ParseAddr(text)
			if no != nil || a.Zone() != "" {
				return nil, fmt.Errorf("%q is neither a network such as 10.0.0.0/8 nor an address", text)
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

var errPublicKey = errors.New("neither a file with an Ed25519 public key in PEM nor 32 bytes in base64")

// publicKey reads an Ed25519 public key.
func publicKey(text string) ([]byte, error) {
	if raw, err := base64.StdEncoding.DecodeString(text); err == nil && len(raw) == ed25519.PublicKeySize {
		return raw, nil
	}
	file, err := os.ReadFile(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errPublicKey, err)
	}
	if raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(file))); err == nil && len(raw) == ed25519.PublicKeySize {
		return raw, nil
	}
	block, _ := pem.Decode(file)
	if block == nil {
		return nil, errPublicKey
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, errPublicKey
	}
	key, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, errPublicKey
	}
	return key, nil
}

type listAPIKeysCmd struct {
	identityFlags `embed:""`
	User          string `help:"Only those of this user." env:"-"`
	All           bool   `help:"Show those that are revoked or have expired, too." env:"-"`
	JSON          bool   `name:"json" help:"Print a JSON array."`
}

// Run implements the command.
func (c *listAPIKeysCmd) Run(e *env) error {
	in, err := c.look(e.ctx)
	if err != nil {
		return err
	}
	defer in.close()
	rows, err := c.rows(e.ctx, in, core.Nanos(time.Now().UnixNano()))
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(e, rows)
	}
	w := tabwriter.NewWriter(e.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tUSER\tKIND\tPERMISSIONS\tSCOPE\tADDRESSES\tSTATE\tLAST USED")
	for i := range rows {
		k := &rows[i]
		addresses := strings.Join(k.Addresses, ",")
		if addresses == "" {
			addresses = "any"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.ID, printable(k.Name), k.User, k.Kind, k.Permissions, k.Scope, addresses, k.state(), at(k.LastUsed, "never"))
	}
	return w.Flush()
}

// rows are the keys that are to be shown.
func (c *listAPIKeysCmd) rows(ctx context.Context, in *identities, now core.Nanos) ([]keyRow, error) {
	users, err := in.store.Users(ctx)
	if err != nil {
		return nil, err
	}
	owners := map[identity.UserID]string{}
	for i := range users {
		owners[users[i].ID] = users[i].Name
	}
	keys, err := in.store.Keys(ctx)
	if err != nil {
		return nil, err
	}
	rows := []keyRow{}
	for i := range keys {
		k := &keys[i]
		over := k.Revoked != 0 || k.Expires != 0 && k.Expires <= now
		if over && !c.All || c.User != "" && !strings.EqualFold(owners[k.Owner], c.User) {
			continue
		}
		rows = append(rows, rowOfKey(k, owners[k.Owner]))
	}
	return rows, nil
}

// state says in words how long the key is good.
func (k *keyRow) state() string {
	switch {
	case k.Revoked != 0:
		return "revoked " + at(k.Revoked, "")
	case k.Expires != 0 && int64(k.Expires) <= time.Now().UnixNano():
		return "expired " + at(k.Expires, "")
	case k.Expires != 0:
		return "until " + at(k.Expires, "")
	}
	return "active"
}

type revokeAPIKeyCmd struct {
	actorFlags `embed:""`
	ID         string `arg:"" help:"Id of the key (list-apikeys)."`
	JSON       bool   `name:"json" help:"Print the key as JSON."`
}

// Run implements the command.
func (c *revokeAPIKeyCmd) Run(e *env) error {
	return c.administer(e, func(ctx context.Context, s *auth.Service, by auth.Principal) error {
		k, err := s.RevokeKey(ctx, by, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(e, rowOfKey(&k, ""))
		}
		_, err = fmt.Fprintf(e.stdout, "key %s is revoked\n", k.ID)
		return err
	})
}
