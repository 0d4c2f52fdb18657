package server

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/shoaldb/shoal/acl"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
)

// A client has a user, and what it may do are the user's rules at the moment. Most users may do everything: only
// clients of others have the flag clientRestricted, and only their commands are checked. Whoever changes users brings
// the flags of all clients up to date, on all reactors, before it answers.

// newUsers makes the users that the configuration names.
func newUsers(table *command.Table, v *config.Values) (*acl.Users, error) {
	users := acl.NewUsers(table, v.ACLPubSubDefault == config.AllChannels)
	if v.RequirePass != "" {
		if _, _, err := users.Set(acl.DefaultName, passwordRules(v.RequirePass)); err != nil {
			return nil, err
		}
	}
	if v.ACLFile == "" {
		return users, loadConfigured(users, v.Users)
	}
	if len(v.Users) > 0 {
		return nil, errors.New("There are users in the configuration and an ACL file is set. This is likely a mistake, and dangerous: name the users in one of the two places, not in both.")
	}
	text, err := readACLFile(v.ACLFile)
	if err == nil {
		_, err = users.Load(v.ACLFile, text)
	}
	if err != nil {
		return nil, fmt.Errorf("Aborting Redis startup because of ACL errors: %w", err)
	}
	return users, nil
}

func passwordRules(password string) []string {
	if password == "" {
		return []string{"resetpass", "nopass"}
	}
	return []string{"resetpass", ">" + password}
}

func loadConfigured(users *acl.Users, declared [][]string) error {
	for _, words := range declared {
		rules := words[1:]
		if words[0] == acl.DefaultName {
			rules = append([]string{"reset"}, rules...)
		}
		if _, _, err := users.Set(words[0], rules); err != nil {
			return fmt.Errorf("Error loading ACL rules for the user named '%s': %w", words[0], err)
		}
	}
	return nil
}

// maxACLFile bounds the file of users, bytes.
const maxACLFile = 64 << 20

func readACLFile(path string) (string, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxACLFile {
		err = errors.New("the file is too large")
	}
	var text []byte
	if err == nil {
		text, err = os.ReadFile(path)
	}
	if err != nil {
		return "", fmt.Errorf("Error loading ACLs, opening file '%s': %s", path, config.SystemError(err))
	}
	return string(text), nil
}

// CheckUser tells whether the server understands what a user directive says. Commands may be unknown here: that is
// found out at start.
func CheckUser(words []string) error {
	users := acl.NewUsers(command.NewTable(commandLists()...), false)
	at, err := users.CheckRules(words[1:])
	if err == nil {
		return nil
	}
	// Redis names the word that stands two places before the bad one.
	return fmt.Errorf("Error in user declaration '%s': %w", append([]string{"user"}, words...)[at], err)
}

// needsAuth tells whether clients have to authenticate.
func (s *Server) needsAuth() bool {
	rules := s.users.Default().Rules()
	return !rules.NoPassword() || !rules.Enabled()
}

// become makes u the client's user.
func (cl *Client) become(u *acl.User) {
	cl.user = u
	cl.restrict()
}

// restrict brings up to date what cl knows of its user's rules: the flag that makes its commands be checked, and the
// command that is known to be allowed.
func (cl *Client) restrict() {
	cl.flags &^= clientRestricted
	cl.allowed = nil
	if !cl.user.Rules().Free() {
		cl.flags |= clientRestricted
	}
}

// permitsPlain tells whether all that is unusual about cl, if anything is, is its user, who may run q, a plain command.
func (cl *Client) permitsPlain(q *request) bool {
	switch cl.flags & clientUnusual {
	case 0:
		return true
	case clientRestricted:
		rules, key := cl.user.Rules(), q.keys[0].Name
		if q.spec == cl.allowed && rules.AllowsStart(key) {
			return true
		}
		if rules.AllowsPlain(q.spec, q.args, key) {
			cl.allowed = q.spec
			return true
		}
	}
	return false
}

var errNoPerm = [...]string{
	acl.DeniedCommand: "NOPERM this user has no permissions to run the '%s' command",
	acl.DeniedKey:     "NOPERM this user has no permissions to access one of the keys used as arguments",
	acl.DeniedChannel: "NOPERM this user has no permissions to access one of the channels used as arguments",
}

// permits tells whether cl's user may run q; if not, it has replied.
func (r *reactor) permits(cl *Client, q *request) bool {
	why, at := cl.user.Rules().Check(q.spec, q.args)
	if why == acl.Allowed {
		return true
	}
	r.noteDenied(cl, why, topLevel(cl), deniedObject(q, why, at))
	text := errNoPerm[why]
	if why == acl.DeniedCommand {
		text = fmt.Sprintf(text, q.spec.FullName())
	}
	r.reject(q.spec, command.Error(text))
	return false
}

func topLevel(cl *Client) string {
	if cl.flags&clientMulti != 0 {
		return "multi"
	}
	return "toplevel"
}

func deniedObject(q *request, why acl.Reason, at int) string {
	if why == acl.DeniedCommand {
		return q.spec.FullName()
	}
	return string(q.args[at])
}

// mayReadAll is command.Ctx.MayReadAll.
func mayReadAll(c *command.Ctx) bool {
	return client(c).user.Rules().AllowsWithAllKeys(c.Spec, c.Args, command.Access)
}

var whyInside = [...]string{
	acl.DeniedCommand: "can't run this command or subcommand",
	acl.DeniedKey:     "can't access at least one of the keys mentioned in the command arguments",
	acl.DeniedChannel: "can't publish to the channel mentioned in the command",
}

// deniedInside returns why cl's user may not run q inside of a transaction or a script, or "".
func (r *reactor) deniedInside(cl *Client, q *request, context string) string {
	if cl.flags&clientRestricted == 0 {
		return ""
	}
	why, at := cl.user.Rules().Check(q.spec, q.args)
	if why == acl.Allowed {
		return ""
	}
	r.noteDenied(cl, why, context, deniedObject(q, why, at))
	return whyInside[why]
}

// noteDenied counts a refusal and notes it in ACL LOG.
func (r *reactor) noteDenied(cl *Client, why acl.Reason, context, object string) {
	r.srv.noteDenied(why, acl.Event{Reason: why, Context: context, Object: object, User: cl.user.Name(), Client: cl.describe(r.nowMS)}, r.nowMS)
}

func (s *Server) noteDenied(why acl.Reason, e acl.Event, nowMS int64) {
	s.denied[why].Add(1)
	s.aclLog.Add(e, nowMS, s.cfg.Load().ACLLogMaxLen)
}

// usersChanged brings the clients of all reactors up to date after a change of users, and then lets done reply. gone
// are users that no longer exist: their clients are closed. Clients that listen to channels which they may not listen
// to any more are closed, too.
func usersChanged(c *command.Ctx, gone []*acl.User, changed *acl.User, done func(w *resp.Writer)) {
	cl := client(c)
	gather(cl, func(r *reactor) struct{} {
		for _, other := range slices.Clone(r.list) {
			if !other.userChanged(gone, changed) {
				continue
			}
			if other == cl {
				cl.closeAfter = true
			} else {
				r.killFor(cl.reactor, other)
			}
		}
		return struct{}{}
	}, func(w *resp.Writer, _ []struct{}) {
		done(w)
		if cl.closeAfter {
			cl.close()
		}
	})
}

// userChanged brings cl up to date; see usersChanged. It returns whether cl is to be closed.
func (cl *Client) userChanged(gone []*acl.User, changed *acl.User) (kill bool) {
	switch {
	case slices.Contains(gone, cl.user):
		cl.become(cl.reactor.srv.users.Default())
		cl.flags |= clientNeedsAuth
		return true
	case changed != nil && cl.user != changed:
		return false
	}
	cl.restrict()
	return cl.flags&clientRestricted != 0 && cl.flags&clientSubscribed != 0 && !cl.mayListen()
}

// mayListen tells whether cl's user may listen to all that it listens to.
func (cl *Client) mayListen() bool {
	rules := cl.user.Rules()
	for t := range cl.sub.topics {
		if !rules.AllowsChannel(t.name, t.kind == patternTopic) {
			return false
		}
	}
	return true
}

// configUsers are the users as CONFIG REWRITE writes them; none if they have a file of their own.
func (s *Server) configUsers() []string {
	lines := []string{}
	if s.cfg.Load().ACLFile != "" {
		return lines
	}
	for _, line := range s.users.List() {
		lines = append(lines, line[len("user "):])
	}
	return lines
}
