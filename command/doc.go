// Package command says what a command is and holds the handlers of the data-type families.
//
// A command is one [Spec] literal beside its handler. Dispatch, arity and ACL checks, key
// extraction, COMMAND INFO/DOCS/GETKEYS and the generated docs all read that literal.
// Control commands (CLIENT, CONFIG, INFO ...) sit with the subsystem they control and are
// concatenated to the same table by server/.
//
// The life of a handler: dispatch has parsed the request, found the Spec, checked arity,
// extracted the keys into [Ctx.Keys] (hashed once, each bound to its shard's DB) and holds
// the locks of all their shards. The handler parses its options before it touches a shard,
// looks up, acts and replies; it never locks and never waits. Bytes of Ctx.Args alias the
// receive buffer and die when the handler returns; bytes read from a shard alias shard
// memory and die at the next change of that key.
package command
