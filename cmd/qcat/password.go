package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"

	"qcat/api/auth/password"
)

// passwordEnv is the variable that a password is read from where there is no terminal.
const passwordEnv = "QCAT_PASSWORD"

// errTwice says that what was typed twice was not the same.
var errTwice = errors.New("the two passwords are not the same: nothing was changed")

// newPassword reads the new password of a user: from the environment, or at the terminal,
// twice and without an echo.
func newPassword(e *env, name string) (string, error) {
	if given := environment(passwordEnv); given != "" {
		return given, password.Check(name, given)
	}
	first, err := askHidden(e, "New password of "+name+": ")
	if err != nil {
		return "", err
	}
	if err := password.Check(name, first); err != nil {
		return "", err
	}
	second, err := askHidden(e, "Again: ")
	if err != nil {
		return "", err
	}
	if first != second {
		return "", errTwice
	}
	return first, nil
}

// askHidden reads a line at the terminal without an echo.
func askHidden(e *env, prompt string) (string, error) {
	in := int(os.Stdin.Fd())
	if !term.IsTerminal(in) {
		return "", badSetting("password", "there is no terminal to ask at: give it in %s", passwordEnv)
	}
	state, err := term.GetState(in)
	if err != nil {
		return "", fmt.Errorf("terminal: %w", err)
	}
	type line struct {
		text []byte
		err  error
	}
	fmt.Fprint(e.stderr, prompt)
	typed := make(chan line, 1)
	go func() {
		text, err := term.ReadPassword(in)
		typed <- line{text, err}
	}()
	select {
	case <-e.ctx.Done(): // the reader ends with the process
		fmt.Fprintln(e.stderr)
		return "", errors.Join(e.ctx.Err(), term.Restore(in, state))
	case l := <-typed:
		fmt.Fprintln(e.stderr)
		if l.err != nil {
			return "", fmt.Errorf("terminal: %w", l.err)
		}
		return string(l.text), nil
	}
}

// The variables of the first administrator.
const (
	adminUserEnv     = "QCAT_ADMIN_USER"
	adminPasswordEnv = "QCAT_ADMIN_PASSWORD"
)
