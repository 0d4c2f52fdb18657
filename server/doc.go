// Package server assembles Shoal: configuration, network engine, keyspace, clients and control commands.
//
// # Life of a command
//
// The network engine calls [handler] on the goroutine of the reactor that owns the connection. Received bytes go to the
// client's RESP parser. Up to 32 pipelined commands, a batch, are parsed at a time, their keys hashed, the cache lines
// of their buckets and entries asked for, and only then are they run, one after the other. For each the reactor takes
// the lock of the shard that its keys lie in, or keeps the one it holds, or takes several in ascending order. A plain
// command (quick, one key) runs at once if one look at the server's gate and duties finds nothing that wants more
// (callPlain). Replies are appended to the connection's output, which the engine sends at the end of the turn.
//
// # Who owns what
//
// A [Client] belongs to its reactor's goroutine, and so does everything in a reactor but its counters. What one reactor
// wants of another it posts to it. A command that must hear from all reactors (CLIENT LIST, CLIENT KILL) suspends its
// client until the answers are there (gather). The fields of a Server are atomic, guarded by a mutex, or never change
// after New.
//
// A reactor does not read or write files, wait for channels, or hold a lock while it waits. Signals, start and stop are
// handled on the main goroutine (Run); log lines are written by the logger's goroutine.
//
// # Blocking commands (block.go, blockserve.go)
//
// A handler that finds nothing calls [command.Ctx.Wait]. The client is suspended and stands in a queue under each of
// its keys, in the key's shard ([shard.Waiter]); it is in all its queues or in none, as it joins and leaves them under
// the locks of all its shards. Whether the reply is the element, the timeout or an error is decided by who makes it
// leave. Timeouts are a heap per reactor, so clients that wait cost no time.
//
// A key with a queue that comes into being, or is named by Ctx.Ready, is noted as ready. The reactor whose command did
// that runs the waiting commands again, oldest first, before it gives the locks back, and again for what these make
// ready. Replies are posted to the clients' reactors. Serving may need shards that the write alone does not, as a client
// waits in several, or moves its element to another key, where others wait. So a write to a shard with waiters first
// follows who could be served; if its locks are not enough it gives them back and takes all of them, in ascending order.
// A key that becomes ready where nobody serves, as by expiry, is found at Shard.Unlock and served in a step of its own.
//
// # Long commands (long.go)
//
// A handler that is about to work on 10,000 elements or more calls [command.Ctx.Long]. The command then begins anew as a
// coroutine of its reactor, which resumes one of them each turn, for 0.1 ms, with the shards of its keys locked. In
// between the locks are free but the keys are on lease ([shard.Key.Lease]): whoever would change what is being read, or
// touch what is being written, is suspended until the command ends. So it sees and does everything as if at one moment:
// no snapshot begins meanwhile, its clock stands still, an expired key on lease is not deleted, and effects are told at
// the end. SORT leases the names that its patterns make, and takes all locks in each step. Commands that need all shards
// wait for all leases, and while one of them waits no further lease begins. MIGRATE works alike, with a goroutine
// between its two steps that talks to the other server ([command.Ctx.Outside]).
//
// When the client disconnects, a command that only reads ends there; any other runs to its end without output. Nothing
// is lengthened within a transaction or a script.
//
// # Transactions (multi.go, alone.go, carried.go)
//
// After MULTI commands are queued as parsed requests with hashed keys. As long as their batch lasts they stay in the
// receive buffer; then they are copied to memory of the transaction, one piece for all arguments. The queue counts
// towards client-query-buffer-limit. EXEC takes the locks of all keys, those watched included, waits for leases, looks
// whether a watched key has been modified ([shard.Watcher]), runs the commands (runInner, which scripts use too) and
// serves blocked clients once, before it gives the locks back.
//
// A transaction with a command about the server as a whole (CLIENT LIST, INFO, CONFIG SET) cannot ask other reactors
// under locks: it runs while they all stand still at the end of a turn. One with a script that has loops runs as a
// coroutine as a whole, and can be put aside like the script.
//
// # Scripts (scriptrun.go, scriptlong.go)
//
// Package script says which locks a script needs. One without loops runs on the reactor's stack, unwatched. Any other
// runs as a coroutine: after 5 ms it is put aside, its keys go on lease (or, if it holds all locks, the server becomes
// its own: exclusive), and it goes on in slices of 1 ms, between which its reactor serves others. After
// busy-reply-threshold those who wait for it get BUSY. A command in a script that needs the other reactors' answers
// (INFO) puts the script aside until they are there.
//
// # Pub/sub (pubsub.go, fanout.go, push.go)
//
// A message is encoded once and put into the inbox of each reactor that has subscribers for it, under one lock, under
// which clients subscribe as well. That makes one order of all messages and subscriptions: the number of receivers is
// exact, and nobody waits for delivery. Channels, and patterns grouped by what stands before their first wildcard, are
// looked up without a lock, so a message that nobody listens to costs a few lookups. Each reactor hands out its inbox
// for at most 0.5 ms a turn. Deliveries are numbered: a subscriber that does something in the middle of a round is first
// given what it has not got yet, and a new subscription gets what has a greater number. A full inbox makes publishers
// wait. Keyspace notifications are messages that a command collects and publishes before it gives its locks back.
//
// # MONITOR (tell.go, monitor.go)
//
// Each reactor writes a line for every command it runs, numbered while the locks are held: reactors and shards have
// Lamport clocks, so numbers agree with the order on each key and of each client. Lines are handed over at the end of a
// turn. A reactor with monitors merges them, up to the lowest number that any reactor may still have in its hands. A
// single reactor writes straight to its monitors.
//
// # Persistence (save.go, savefirst.go, aof.go, propagate.go)
//
// While a snapshot is being saved, dispatch has the keys of a command that may write saved before its handler runs,
// wherever that is: alone, in a transaction or a script, for a blocked client, as a step of a long one. FLUSHALL cancels
// the snapshot, after FLUSHDB it begins anew, and SWAPDB exchanges what the databases were called at the cut.
//
// A command's effects go to its reactor's log, a group for each command, transaction or script, and from there to the
// journal before the locks are given back. A rewrite of the append only file is a snapshot whose cut says at which
// offset of the journal the next increment begins. Loading deals commands of one key out to workers with shards of their
// own, and lets all wait for any other; nothing expires meanwhile.
package server
