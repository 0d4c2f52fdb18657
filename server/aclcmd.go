package server

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/shoaldb/shoal/acl"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

const aclFlags = command.NoScript | command.Loading | command.Stale | command.Barrier

var aclCommands = []command.Spec{
	{Name: "ACL", Arity: -2, Group: command.GroupServer, Since: "6.0.0", Complexity: "Depends on subcommand.",
		Summary: "Commands about users and what they may do.", Subcommands: []command.Spec{
			aclSub("CAT", -2, 0, "O(1) since the categories and commands are a fixed set.", "Names the categories, or the commands of one.", aclCat,
				command.Arg{Name: "categoryname", Type: command.ArgString, Optional: true}),
			aclSub("DELUSER", -3, command.Admin, "O(1) amortized time considering the typical user.", "Deletes users and closes their connections.", aclDelUser,
				command.Arg{Name: "username", Type: command.ArgString, Multiple: true}),
			aclDryRunSub(),
			aclSub("GENPASS", -2, 0, "O(1)", "Makes up a password.", aclGenPass,
				command.Arg{Name: "bits", Type: command.ArgInteger, Optional: true}),
			aclGetUserSub(),
			helpSub("6.0.0", 0, aclHelp),
			aclSub("LIST", 2, command.Admin, "O(N). Where N is the number of configured users.", "Shows all users as rules.", aclList),
			aclSub("LOAD", 2, command.Admin, "O(N). Where N is the number of configured users.", "Reads the users from the ACL file again.", aclLoad),
			aclSub("LOG", -2, command.Admin, "O(N) with N being the number of entries shown.", "Shows what was refused lately.", aclLog,
				command.Arg{Name: "operation", Type: command.ArgOneOf, Optional: true, Args: []command.Arg{
					{Name: "count", Type: command.ArgInteger}, {Name: "reset", Type: command.ArgPureToken, Token: "RESET"}}}),
			aclSub("SAVE", 2, command.Admin, "O(N). Where N is the number of configured users.", "Writes the users to the ACL file.", aclSave),
			aclSetUserSub(),
			aclSub("USERS", 2, command.Admin, "O(N). Where N is the number of configured users.", "Names all users.", aclUsers),
			aclSub("WHOAMI", 2, 0, "O(1)", "Names the connection's user.", aclWhoAmI),
		}},
}

func aclSub(name string, arity int, flags command.Flags, complexity, summary string, run func(*command.Ctx), args ...command.Arg) command.Spec {
	return command.Spec{Name: name, Arity: arity, Flags: aclFlags | flags, Group: command.GroupServer, Since: "6.0.0", Complexity: complexity,
		Summary: summary, Args: args, Run: run}
}

func aclDryRunSub() command.Spec {
	s := aclSub("DRYRUN", -4, command.Admin, "O(1).", "Tells whether a user may run a command, without running it.", aclDryRun,
		command.Arg{Name: "username", Type: command.ArgString}, command.Arg{Name: "command", Type: command.ArgString},
		command.Arg{Name: "arg", Type: command.ArgString, Optional: true, Multiple: true})
	s.Since = "7.0.0"
	return s
}

func aclGetUserSub() command.Spec {
	s := aclSub("GETUSER", 3, command.Admin, "O(N). Where N is the number of password, command and pattern rules that the user has.",
		"Shows what a user may do.", aclGetUser, command.Arg{Name: "username", Type: command.ArgString})
	s.History = []command.Change{{Since: "6.2.0", What: "Patterns of channels are shown."},
		{Since: "7.0.0", What: "Selectors are shown; patterns of keys and channels are one string of rules, where they were a list."}}
	return s
}

func aclSetUserSub() command.Spec {
	s := aclSub("SETUSER", -3, command.Admin, "O(N). Where N is the number of rules provided.", "Changes a user, or makes one.", aclSetUser,
		command.Arg{Name: "username", Type: command.ArgString}, command.Arg{Name: "rule", Type: command.ArgString, Optional: true, Multiple: true})
	s.History = []command.Change{{Since: "6.2.0", What: "Rules may have patterns of channels."}, {Since: "7.0.0", What: "Rules may have selectors, and permissions for keys to be read or written."}}
	return s
}

var aclHelp = []string{
	"CAT [<category>]",
	"    The categories of commands, or the commands of one.",
	"DELUSER <username> [<username> ...]",
	"    Delete these users.",
	"DRYRUN <username> <command> [<arg> ...]",
	"    Whether the user may run the command. It is not run.",
	"GETUSER <username>",
	"    What the user may do.",
	"GENPASS [<bits>]",
	"    Make up a password of 256 bits, or as many as are given.",
	"LIST",
	"    All users, as lines of a configuration file.",
	"LOAD",
	"    Read the users from the ACL file again.",
	"LOG [<count> | RESET]",
	"    What was refused lately, or forget it.",
	"SAVE",
	"    Write the users to the ACL file.",
	"SETUSER <username> <attribute> [<attribute> ...]",
	"    Make a user, or change one by these rules.",
	"USERS",
	"    The names of all users.",
	"WHOAMI",
	"    The name of this connection's user.",
}

func aclCat(c *command.Ctx) {
	switch len(c.Args) {
	case 2:
		names := command.CategoryNames()
		c.Reply.Array(len(names))
		for _, n := range names {
			c.Reply.BulkString(n)
		}
	case 3:
		set := command.CategoryNamed(string(c.Args[2]))
		if set == 0 {
			c.Error(command.Error("ERR Unknown category '" + clip(c.Args[2]) + "'"))
			return
		}
		d, n := c.Reply.DeferArray(64), 0
		c.Table.Each(func(s *command.Spec) {
			if s.Categories()&set != 0 {
				c.Reply.BulkString(s.FullName())
				n++
			}
		})
		c.Reply.Close(d, n)
	default:
		c.ErrorSubcommand()
	}
}

func aclSetUser(c *command.Ctx) {
	var rules []string
	for _, a := range c.Args[3:] {
		rules = append(rules, string(a))
	}
	s := client(c).reactor.srv
	u, _, err := s.users.Set(string(c.Args[2]), rules)
	if err != nil {
		c.Error(command.Error("ERR " + err.Error()))
		return
	}
	usersChanged(c, nil, u, (*resp.Writer).OK)
}

func aclDelUser(c *command.Ctx) {
	s := client(c).reactor.srv
	for _, name := range c.Args[2:] {
		if string(name) == acl.DefaultName {
			c.Error("ERR The 'default' user cannot be removed")
			return
		}
	}
	var gone []*acl.User
	for _, name := range c.Args[2:] {
		if u := s.users.Delete(string(name)); u != nil {
			gone = append(gone, u)
		}
	}
	usersChanged(c, gone, nil, func(w *resp.Writer) { w.Int(int64(len(gone))) })
}

func aclGetUser(c *command.Ctx) {
	s := client(c).reactor.srv
	u := s.users.Get(string(c.Args[2]))
	if u == nil {
		c.Reply.Null()
		return
	}
	rules := u.Rules()
	w := c.Reply
	w.Map(6)
	w.BulkString("flags")
	flags := rules.Flags()
	w.Set(len(flags))
	for _, f := range flags {
		w.BulkString(f)
	}
	w.BulkString("passwords")
	w.Array(len(rules.Passwords()))
	for _, p := range rules.Passwords() {
		w.BulkString(p)
	}
	list := s.users.Selectors(rules)
	writeSelector(w, list[0])
	w.BulkString("selectors")
	w.Array(len(list) - 1)
	for _, sel := range list[1:] {
		w.Map(3)
		writeSelector(w, sel)
	}
}

func writeSelector(w *resp.Writer, s acl.SelectorRules) {
	for _, pair := range [...][2]string{{"commands", s.Commands}, {"keys", s.Keys}, {"channels", s.Channels}} {
		w.BulkString(pair[0])
		w.BulkString(pair[1])
	}
}

func aclList(c *command.Ctx)  { replyStrings(c, client(c).reactor.srv.users.List()) }
func aclUsers(c *command.Ctx) { replyStrings(c, client(c).reactor.srv.users.Names()) }

func replyStrings(c *command.Ctx, list []string) {
	c.Reply.Array(len(list))
	for _, s := range list {
		c.Reply.BulkString(s)
	}
}

func aclWhoAmI(c *command.Ctx) { c.Reply.BulkString(client(c).user.Name()) }

const errNoACLFile command.Error = "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store users in the Redis configuration."

func aclLoad(c *command.Ctx) {
	cl := client(c)
	s := cl.reactor.srv
	path := s.cfg.Load().ACLFile
	if path == "" {
		c.Error(errNoACLFile)
		return
	}
	text, err := readACLFile(path)
	var gone []*acl.User
	if err == nil {
		gone, err = s.users.Load(path, text)
	}
	if err != nil {
		c.Error(command.Error("ERR " + err.Error()))
		return
	}
	usersChanged(c, gone, nil, (*resp.Writer).OK)
}

func aclSave(c *command.Ctx) {
	cl := client(c)
	s := cl.reactor.srv
	path := s.cfg.Load().ACLFile
	if path == "" {
		c.Error(errNoACLFile)
		return
	}
	text := s.users.Text()
	cl.background(func() error {
		if err := replaceACLFile(path, text); err != nil {
			s.log.Warningf("ACL SAVE: %v", err)
			return errors.New("There was an error trying to save the ACLs. Please check the server logs for more information")
		}
		return nil
	})
}

// replaceACLFile writes a file of that name, in one step.
func replaceACLFile(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// maxPassBits is the length of the longest password that ACL GENPASS makes up.
const maxPassBits = 4096

func aclGenPass(c *command.Ctx) {
	bits := int64(256)
	if len(c.Args) > 3 {
		c.ErrorSubcommand()
		return
	}
	if len(c.Args) == 3 {
		n, ok := shard.ParseInt(c.Args[2])
		if !ok {
			c.Error(command.ErrNotInteger)
			return
		}
		bits = n
	}
	if bits <= 0 || bits > maxPassBits {
		c.Error(command.Error(fmt.Sprintf("ERR ACL GENPASS argument must be the number of bits for the output password, a positive number up to %d", maxPassBits)))
		return
	}
	var random [maxPassBits / 8]byte
	rand.Read(random[:])
	c.Reply.BulkString(hex.EncodeToString(random[:])[:(bits+3)/4])
}

func aclLog(c *command.Ctx) {
	log := &client(c).reactor.srv.aclLog
	count := int64(10)
	switch {
	case len(c.Args) > 3:
		c.ErrorSubcommand()
		return
	case len(c.Args) == 3 && command.EqualFold(c.Args[2], "RESET"):
		log.Reset()
		c.Reply.OK()
		return
	case len(c.Args) == 3:
		n, ok := shard.ParseInt(c.Args[2])
		if !ok {
			c.Error(command.ErrNotInteger)
			return
		}
		count = max(n, 0)
	}
	events := log.Latest(int(min(count, math.MaxInt32)))
	w := c.Reply
	w.Array(len(events))
	for i := range events {
		e := &events[i]
		w.Map(7)
		w.BulkString("count")
		w.Int(e.Count)
		for _, pair := range [...][2]string{{"reason", e.Reason.String()}, {"context", e.Context}, {"object", e.Object}, {"username", e.User}} {
			w.BulkString(pair[0])
			w.BulkString(pair[1])
		}
		w.BulkString("age-seconds")
		w.Double(float64(c.NowMS-e.LastTime) / 1000)
		w.BulkString("client-info")
		w.BulkString(e.Client)
	}
}

func aclDryRun(c *command.Ctx) {
	s := client(c).reactor.srv
	u := s.users.Get(string(c.Args[2]))
	if u == nil {
		c.Error(command.Error("ERR User '" + string(c.Args[2]) + "' not found"))
		return
	}
	args := c.Args[3:]
	spec := c.Table.Resolve(args)
	if spec == nil {
		c.Error(command.Error("ERR Command '" + string(args[0]) + "' not found"))
		return
	}
	if !spec.ArityOK(len(args)) {
		c.Error(spec.ErrArity())
		return
	}
	switch why, at := u.Rules().Check(spec, args); why {
	case acl.Allowed:
		c.Reply.OK()
	case acl.DeniedCommand:
		c.Reply.BulkString("This user has no permissions to run the '" + spec.FullName() + "' command")
	default:
		c.Reply.BulkString("This user has no permissions to access the '" + string(args[at]) + "' " + why.String())
	}
}
