package authtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"qcat/core/identity"
)

// Vault stands in for encryption: it hides nothing, but opens a secret only as what
// it was sealed for.
type Vault struct{}

// ErrWrongPlace is a secret that was sealed for another table or row.
var ErrWrongPlace = errors.New("sealed for another row")

// Seal returns the secret behind the name of its place.
func (Vault) Seal(_ context.Context, table, row string, secret []byte) (identity.Sealed, error) {
	return append(place(table, row), secret...), nil
}

// Open is the reverse of Seal. Errors: ErrWrongPlace.
func (Vault) Open(_ context.Context, table, row string, s identity.Sealed) ([]byte, error) {
	secret, ok := bytes.CutPrefix(s, place(table, row))
	if !ok {
		return nil, ErrWrongPlace
	}
	return bytes.Clone(secret), nil
}

func place(table, row string) []byte { return fmt.Appendf(nil, "%d:%s/%s:", len(table), table, row) }
