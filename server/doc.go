// Package server assembles Shoal: configuration, network engine, keyspace, clients and control commands.
//
// # Life of a command
//
// The network engine calls [handler] on the goroutine of the reactor that owns the connection. Received bytes go to the
// client's RESP parser; up to 32 pipelined commands are parsed at a time (a batch), their keys hashed, the cache lines
// of their buckets and entries asked for, and only then are they run one after the other. For each the reactor takes
// the lock of the shard that its keys lie in (the lock is kept if the next command needs the same one), or the locks of
// several shards in ascending order. A plain command, quick and with one key, then is run at once, if one look at the
// server's gate and duties finds nothing that wants more (callPlain). Replies are appended to the connection's output,
// which the engine sends once at the end of the turn.
//
// # Who owns what
//
// A [Client] belongs to its reactor's goroutine, and so does everything in a reactor but its counters. What one
// reactor wants of another it posts to it; a command that must hear back from all reactors (CLIENT LIST,
// CLIENT KILL) suspends its client until the answers are there (see gather). The Server's own fields are atomic,
// guarded by a mutex, or never change after New.
//
// A reactor does not read or write files, wait for channels, or hold a lock while it waits. Signals, start and stop
// are handled on the main goroutine (Run), log lines are written by a goroutine of the logger's.
package server
