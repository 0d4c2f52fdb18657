package server

import "github.com/shoaldb/shoal/command"

// What COMMAND DOCS tells about the arguments of CLIENT's subcommands.

// documented adds arguments and history to a subcommand.
func documented(s command.Spec, args []command.Arg, history ...command.Change) command.Spec {
	s.Args, s.History = args, history
	return s
}

// tokens are the choices of an option.
func tokens(words ...string) []command.Arg {
	var list []command.Arg
	for i := 0; i < len(words); i += 2 {
		list = append(list, command.Arg{Name: words[i], Type: command.ArgPureToken, Token: words[i+1]})
	}
	return list
}

var (
	clientKillArgs = []command.Arg{{Name: "filter", Type: command.ArgOneOf, Args: []command.Arg{
		{Name: "ip:port", Type: command.ArgString, DeprecatedIn: "2.8.12"},
		{Name: "new-format", Type: command.ArgOneOf, Multiple: true, Args: []command.Arg{
			{Name: "client-id", Type: command.ArgInteger, Token: "ID", Since: "2.8.12", Optional: true},
			{Name: "normal_master_slave_pubsub", Type: command.ArgOneOf, Token: "TYPE", Since: "2.8.12", Optional: true, Args: []command.Arg{
				{Name: "normal", Type: command.ArgPureToken, Token: "NORMAL"},
				{Name: "master", Type: command.ArgPureToken, Token: "MASTER", Since: "3.2.0"},
				{Name: "slave", Type: command.ArgPureToken, Token: "SLAVE"},
				{Name: "replica", Type: command.ArgPureToken, Token: "REPLICA", Since: "5.0.0"},
				{Name: "pubsub", Type: command.ArgPureToken, Token: "PUBSUB"}}},
			{Name: "username", Type: command.ArgString, Token: "USER", Optional: true},
			{Name: "ip:port", Type: command.ArgString, Token: "ADDR", Optional: true},
			{Name: "ip:port", Type: command.ArgString, Token: "LADDR", Since: "6.2.0", Optional: true},
			{Name: "yes/no", Type: command.ArgString, Token: "SKIPME", Optional: true}}}}}}
	clientKillHistory = []command.Change{
		{Since: "2.8.12", What: "Takes filters instead of an address."}, {Since: "2.8.12", What: "Filters by `ID`."},
		{Since: "3.2.0", What: "`TYPE` may be `master`."}, {Since: "5.0.0", What: "`TYPE` may be `replica`, which is what `slave` means."},
		{Since: "6.2.0", What: "Filters by `LADDR`."}}

	clientListArgs = []command.Arg{
		{Name: "normal_master_replica_pubsub", Type: command.ArgOneOf, Token: "TYPE", Since: "5.0.0", Optional: true,
			Args: tokens("normal", "NORMAL", "master", "MASTER", "replica", "REPLICA", "pubsub", "PUBSUB")},
		{Name: "id", Type: command.ArgBlock, Token: "ID", Since: "6.2.0", Optional: true, Args: []command.Arg{
			{Name: "client-id", Type: command.ArgInteger, Multiple: true}}}}
	clientListHistory = []command.Change{
		{Since: "2.8.12", What: "Shows `id`."}, {Since: "5.0.0", What: "Takes `TYPE`."}, {Since: "6.0.0", What: "Shows `user`."},
		{Since: "6.2.0", What: "Shows `argv-mem`, `tot-mem`, `laddr` and `redir`; takes `ID`."},
		{Since: "7.0.0", What: "Shows `resp`, `multi-mem`, `rbs` and `rbp`."}, {Since: "7.0.3", What: "Shows `ssub`."}}

	clientNoEvictArgs = []command.Arg{{Name: "enabled", Type: command.ArgOneOf, Args: tokens("on", "ON", "off", "OFF")}}
	clientPauseArgs   = []command.Arg{{Name: "timeout", Type: command.ArgInteger},
		{Name: "mode", Type: command.ArgOneOf, Since: "6.2.0", Optional: true, Args: tokens("write", "WRITE", "all", "ALL")}}
	clientPauseHistory = command.Change{Since: "6.2.0", What: "Can let reads go on (`WRITE`)."}
	clientReplyArgs    = []command.Arg{{Name: "on_off_skip", Type: command.ArgOneOf, Args: tokens("on", "ON", "off", "OFF", "skip", "SKIP")}}
	clientSetNameArgs  = []command.Arg{{Name: "connection-name", Type: command.ArgString}}
	clientUnblockArgs  = []command.Arg{{Name: "client-id", Type: command.ArgInteger},
		{Name: "timeout_error", Type: command.ArgOneOf, Optional: true, Args: tokens("timeout", "TIMEOUT", "error", "ERROR")}}
)
