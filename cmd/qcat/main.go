package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/alecthomas/kong"

	"qcat/persist/backup"
)

// version is set by the build (see Makefile).
var version = "unknown"

// cli is the whole command line. Every flag is also a key of the YAML file given
// by --config and an environment variable QCAT_<FLAG>; a flag wins over the
// environment, the environment over the file, the file over the default. What asks
// for one act, such as --version and --clean, is no setting and stands on the command
// line alone: images are fond of a variable QCAT_VERSION.
type cli struct {
	Config  configFlag       `help:"YAML file with settings (see deploy/configs/config.yaml)." placeholder:"FILE"`
	Version kong.VersionFlag `help:"Print the version and exit." env:"-"`

	Serve   serveCmd   `cmd:"" help:"Run the server."`
	Replay  replayCmd  `cmd:"" help:"Run a capture through decode and book, and report."`
	Watch   watchCmd   `cmd:"" help:"Show what a client would see, live."`
	Migrate migrateCmd `cmd:"" help:"Bring the database's schema up to date, or back."`

	Preflight preflightCmd `cmd:"" help:"Refuse to let a deployment start with secrets that are missing, weak or an example's."`

	Journal journalCmd `cmd:"" help:"Look into the order journal."`
	Backup  backupCmd  `cmd:"" help:"Make copies of everything that is kept, check them, bring them back."`
	Halt    haltCmd    `cmd:"" help:"Stop a scope at once: no new orders, open ones cancelled."`
	Reduce  reduceCmd  `cmd:"" help:"Let a scope only reduce its positions."`
	Resume  resumeCmd  `cmd:"" help:"Let a scope trade again."`
	Limits  limitsCmd  `cmd:"" help:"Look at the limits in force, change them, treat them as code."`

	Check        checkCmd        `cmd:"" help:"Ask which controls an order would fail, and what would be used after it; nothing is sent."`
	Accounts     accountsCmd     `cmd:"" help:"Show what accounts are worth, and what margin they have left."`
	Transfer     transferCmd     `cmd:"" help:"Move money into an account or out of it."`
	Margin       marginCmd       `cmd:"" help:"Set leverage and margin modes of an account."`
	Funding      fundingCmd      `cmd:"" help:"Book a funding payment of a derivative to all who hold it."`
	CreateUser   createUserCmd   `cmd:"" help:"Create a user; the first one with --admin."`
	ListUsers    listUsersCmd    `cmd:"" help:"List users, their roles and scopes."`
	ChangeUser   changeUserCmd   `cmd:"" help:"Change a user's role, scope or password; it is logged out."`
	DisableUser  disableUserCmd  `cmd:"" help:"Disable a user: sessions and sockets end, its API keys stop."`
	EnableUser   enableUserCmd   `cmd:"" help:"Let a disabled user in again."`
	UnlockUser   unlockUserCmd   `cmd:"" help:"Let a user try again who is locked out by failed logins."`
	LogoutUser   logoutUserCmd   `cmd:"" help:"End every session of a user."`
	CreateAPIKey createAPIKeyCmd `cmd:"" name:"create-apikey" help:"Create an API key; its secret is shown once."`
	ListAPIKeys  listAPIKeysCmd  `cmd:"" name:"list-apikeys" help:"List API keys, their permissions and when they were used."`
	RevokeAPIKey revokeAPIKeyCmd `cmd:"" name:"revoke-apikey" help:"End an API key, at once and for good."`
	RotateJWT    rotateJWTCmd    `cmd:"" name:"rotate-jwt" help:"Sign tokens with a new key."`
	RotateKeys   rotateKeysCmd   `cmd:"" help:"Bring every stored secret under a new key, while the server runs."`
	AuditLogs    auditLogsCmd    `cmd:"" help:"Show who did what, or verify that nothing of it was changed."`
}

// env is what a command may touch of the outside world.
type env struct {
	ctx    context.Context //nolint:containedctx // the process's own, handed to commands by kong
	stdout io.Writer
	stderr io.Writer
	file   *fileConfig
	// settings are those of the command, as the audit log may be told of them.
	settings []setting
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run parses args and runs the command. It returns the exit code: 0 on success,
// 1 when the command failed, 2 when the arguments or the settings are wrong, 75 when it may
// go well later: another backup is being made, or a data directory was not given up in time.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	e := &env{ctx: ctx, stdout: stdout, stderr: stderr, file: &fileConfig{}}
	exit := -1
	parser, err := newParser(&cli{}, e, func(code int) { exit = code; panic(exitNow{}) })
	if err != nil {
		fmt.Fprintln(visible{stderr}, "qcat:", err)
		return 2
	}
	if len(args) == 0 {
		// Nothing was asked for: what there is goes where errors go, and a script sees one.
		parser.Stdout = stderr
	}
	kctx, err := parse(parser, spelled(args))
	switch {
	case exit >= 0 && len(args) == 0:
		return 2
	case exit >= 0:
		return exit
	case err != nil:
		fmt.Fprintf(visible{stderr}, "qcat: %v\n%s\n", err, helpOf(err, args))
		return 2
	}
	e.settings = settingsOf(kctx)
	if err := kctx.Run(e); err != nil {
		fmt.Fprintf(visible{stderr}, "qcat: %v\n", err)
		return exitCode(err)
	}
	return 0
}

// spelled is args as the parser knows them: what is typed out of habit, "help", "help COMMAND",
// "version" or nothing at all, as the flag that does it.
func spelled(args []string) []string {
	switch {
	case len(args) == 0:
		return []string{"--help"}
	case args[0] == "help":
		return append(slices.Clone(args[1:]), "--help")
	case len(args) == 1 && args[0] == "version":
		return []string{"--version"}
	}
	return args
}

// helpOf says where help is on what was mistyped: of the command, as far as one was named; and
// how a negative number is written, which looks like a flag.
func helpOf(err error, args []string) string {
	var wrong *kong.ParseError
	command := "qcat"
	if errors.As(err, &wrong) && wrong.Context != nil {
		if node := wrong.Context.Selected(); node != nil {
			command = node.FullPath()
		}
	}
	help := "Run \"" + command + " --help\" for what it takes."
	for _, a := range args {
		if len(a) > 1 && a[0] == '-' && '0' <= a[1] && a[1] <= '9' {
			return "A negative number stands behind --, and flags before that: -- " + a + "\n" + help
		}
	}
	return help
}

// exitLater is the exit code of what may go well later, unchanged: EX_TEMPFAIL of sysexits.h.
const exitLater = 75

// exitCode is the exit code of a command that failed.
func exitCode(err error) int {
	var bad *settingError
	switch {
	case errors.Is(err, errHeldTooLong), errors.Is(err, backup.ErrBusy):
		return exitLater
	case errors.As(err, &bad):
		return 2
	}
	return 1
}

// newParser returns a parser that fills c and hands e to the command. exit is
// called when help or the version was printed, and must not return.
func newParser(c *cli, e *env, exit func(code int)) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("qcat"),
		kong.Description("A low-latency market-data and risk core: market data in, risk-checked orders out."),
		kong.Writers(e.stdout, e.stderr),
		kong.Exit(exit),
		kong.DefaultEnvars("QCAT"),
		kong.Vars{"version": version},
		kong.Vars(feedVars),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Bind(e),
	)
}

// exitNow unwinds out of kong when it has printed help or the version.
type exitNow struct{}

func parse(parser *kong.Kong, args []string) (kctx *kong.Context, err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(exitNow); !ok {
				panic(r)
			}
		}
	}()
	return parser.Parse(args)
}

// settingError is a setting that cannot be used: what, and why.
type settingError struct {
	setting string
	why     string
}

func (e *settingError) Error() string { return e.setting + ": " + e.why }

func badSetting(setting, format string, args ...any) error {
	return &settingError{setting, fmt.Sprintf(format, args...)}
}
