package server

import (
	"strings"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/server/tracking"
	"github.com/shoaldb/shoal/shard"
)

// clientTrackingSub is CLIENT TRACKING. To turn it on takes the locks of all shards: none may modify a key unnoticed.
func clientTrackingSub() command.Spec {
	s := sessionSub("TRACKING", -3, "6.0.0", "Turns the tracking of the keys that the connection reads on or off.", clientTrackingCmd)
	s.Complexity = "O(1). Some options may introduce additional complexity."
	s.Flags |= command.LockAll
	s.NeedsAll = func(args [][]byte) bool { return len(args) > 2 && command.EqualFold(args[2], "ON") }
	return documented(s, clientTrackingArgs)
}

var (
	clientCachingArgs  = []command.Arg{{Name: "mode", Type: command.ArgOneOf, Args: tokens("yes", "YES", "no", "NO")}}
	clientTrackingArgs = []command.Arg{
		{Name: "status", Type: command.ArgOneOf, Args: tokens("on", "ON", "off", "OFF")},
		{Name: "client-id", Type: command.ArgInteger, Token: "REDIRECT", Optional: true},
		{Name: "prefix", Type: command.ArgString, Token: "PREFIX", Optional: true, Multiple: true, MultipleToken: true},
		{Name: "bcast", Type: command.ArgPureToken, Token: "BCAST", Optional: true},
		{Name: "optin", Type: command.ArgPureToken, Token: "OPTIN", Optional: true},
		{Name: "optout", Type: command.ArgPureToken, Token: "OPTOUT", Optional: true},
		{Name: "noloop", Type: command.ArgPureToken, Token: "NOLOOP", Optional: true},
	}
)

// trackingOptions are the options of CLIENT TRACKING.
type trackingOptions struct {
	modes    trackingModes
	redirect *Client
	prefixes []string
}

const (
	errRedirectTwice  command.Error = "ERR A client can only redirect to a single other client"
	errRedirectNobody command.Error = "ERR The client ID you want redirect to does not exist"
	errNoBroadcast    command.Error = "ERR PREFIX option requires BCAST mode to be enabled"
	errSwitchMode     command.Error = "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode."
	errOptBroadcast   command.Error = "ERR OPTIN and OPTOUT are not compatible with BCAST"
	errOptBoth        command.Error = "ERR You can't specify both OPTIN mode and OPTOUT mode"
	errSwitchOpt      command.Error = "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it with a different mode."
	errCachingNone    command.Error = "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled"
	errCachingYes     command.Error = "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode."
	errCachingNo      command.Error = "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode."
)

// trackingFlags are the options that stand for themselves.
var trackingFlags = []struct {
	name string
	mode trackingModes
}{{"BCAST", trackingBroadcast}, {"OPTIN", trackingOptIn}, {"OPTOUT", trackingOptOut}, {"NOLOOP", trackingNoLoop}}

func parseTracking(c *command.Ctx) (o trackingOptions, ok bool) {
	args := c.Args[3:]
next:
	for i := 0; i < len(args); i++ {
		for _, f := range trackingFlags {
			if command.EqualFold(args[i], f.name) {
				o.modes |= f.mode
				continue next
			}
		}
		switch {
		case command.EqualFold(args[i], "PREFIX") && i+1 < len(args):
			i++
			o.prefixes = append(o.prefixes, string(args[i]))
		case command.EqualFold(args[i], "REDIRECT") && i+1 < len(args):
			i++
			if !o.redirectTo(c, args[i]) {
				return o, false
			}
		default:
			c.Error(command.ErrSyntax)
			return o, false
		}
	}
	return o, true
}

func (o *trackingOptions) redirectTo(c *command.Ctx, arg []byte) bool {
	if o.redirect != nil {
		c.Error(errRedirectTwice)
		return false
	}
	id, ok := shard.ParseInt(arg)
	if !ok {
		c.Error(command.ErrNotInteger)
		return false
	}
	if o.redirect = client(c).reactor.srv.clientByID(uint64(id)); o.redirect == nil {
		c.Error(errRedirectNobody)
		return false
	}
	return true
}

// conflict returns why a client in mode was may not be tracked with the options, or "".
func (o *trackingOptions) conflict(was *tracked) command.Error {
	const opt = trackingOptIn | trackingOptOut
	switch {
	case o.modes&trackingBroadcast == 0 && len(o.prefixes) > 0:
		return errNoBroadcast
	case was.modes&trackingOn != 0 && (o.modes^was.modes)&trackingBroadcast != 0:
		return errSwitchMode
	case o.modes&trackingBroadcast != 0 && o.modes&opt != 0:
		return errOptBroadcast
	case o.modes&opt == opt:
		return errOptBoth
	case o.modes&trackingOptIn != 0 && was.modes&trackingOptOut != 0, o.modes&trackingOptOut != 0 && was.modes&trackingOptIn != 0:
		return errSwitchOpt
	}
	if o.modes&trackingBroadcast == 0 {
		return ""
	}
	collision, found := tracking.Collide(was.prefixes, o.prefixes)
	if !found {
		return ""
	}
	which := "another provided"
	if collision.Existing {
		which = "an existing"
	}
	return command.Error("ERR Prefix '" + clipZero(collision.Prefix) + "' overlaps with " + which + " prefix '" + clipZero(collision.Other) +
		"'. Prefixes for a single client must not overlap.")
}

func clientTrackingCmd(c *command.Ctx) {
	cl := client(c)
	t := &cl.reactor.srv.trackers
	o, ok := parseTracking(c)
	switch {
	case !ok:
	case command.EqualFold(c.Args[2], "ON"):
		if e := o.conflict(&cl.tracked); e != "" {
			c.Error(e)
			return
		}
		t.track(cl, o.modes, o.redirect, o.prefixes)
		t.begin()
		c.Reply.OK()
	case command.EqualFold(c.Args[2], "OFF"):
		t.untrack(cl)
		c.Reply.OK()
	default:
		c.Error(command.ErrSyntax)
	}
}

func clientCachingCmd(c *command.Ctx) {
	cl := client(c)
	yes := command.EqualFold(c.Args[2], "YES")
	switch {
	case cl.tracked.modes&trackingOn == 0:
		c.Error(errCachingNone)
	case !yes && !command.EqualFold(c.Args[2], "NO"):
		c.Error(command.ErrSyntax)
	case yes && cl.tracked.modes&trackingOptIn == 0:
		c.Error(errCachingYes)
	case !yes && cl.tracked.modes&trackingOptOut == 0:
		c.Error(errCachingNo)
	default:
		cl.flags |= clientCaching
		c.Reply.OK()
	}
}

func clientGetRedir(c *command.Ctx) { c.Reply.Int(client(c).redirection()) }

// redirection returns the number of the client to which cl redirects its messages, 0 if to none, and -1 if it is not tracked.
func (cl *Client) redirection() int64 {
	switch {
	case cl.tracked.modes&trackingOn == 0:
		return -1
	case cl.tracked.redirect == nil:
		return 0
	}
	return int64(cl.tracked.redirect.id)
}

func clientTrackingInfo(c *command.Ctx) {
	cl := client(c)
	var flags []string
	for _, f := range []struct {
		is   bool
		name string
	}{
		{cl.tracked.modes&trackingOn == 0, "off"},
		{cl.tracked.modes&trackingOn != 0, "on"},
		{cl.tracked.modes&trackingBroadcast != 0, "bcast"},
		{cl.tracked.modes&trackingOptIn != 0, "optin"},
		{cl.tracked.modes&trackingOptIn != 0 && cl.flags&clientCaching != 0, "caching-yes"},
		{cl.tracked.modes&trackingOptOut != 0, "optout"},
		{cl.tracked.modes&trackingOptOut != 0 && cl.flags&clientCaching != 0, "caching-no"},
		{cl.tracked.modes&trackingNoLoop != 0, "noloop"},
		{cl.tracked.modes&trackingBroken != 0, "broken_redirect"},
	} {
		if f.is {
			flags = append(flags, f.name)
		}
	}
	w := c.Reply
	w.Map(3)
	w.BulkString("flags")
	w.Set(len(flags))
	for _, f := range flags {
		w.BulkString(f)
	}
	w.BulkString("redirect")
	w.Int(cl.redirection())
	w.BulkString("prefixes")
	w.Array(len(cl.tracked.prefixes))
	for _, p := range cl.tracked.prefixes {
		w.BulkString(p)
	}
}

// clipZero returns what of s comes before a zero byte, as error replies show it.
func clipZero(s string) string {
	s, _, _ = strings.Cut(s, "\x00")
	return s
}
