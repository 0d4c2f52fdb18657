// Package acl knows users and what they may do: the rules of ACL SETUSER, their check against a command, and the log of
// what was refused. It knows commands by their specs and no clients. See
// https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/.
//
// A User is a name that lives as long as its user: connections hold it. What it may do, its Rules, never changes; a change of
// the user puts new Rules in place of the old, so checks need no lock:
//
//	connection --> User --> Rules { on, passwords, selectors: root, (...), (...) }
//	                                                 |
//	                                  Selector { commands: a bit each, first arguments, key and channel patterns }
//
// A command is allowed if one selector allows all of it: the command itself, its keys and its channels.
package acl
