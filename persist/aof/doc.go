// Package aof reads and writes the append only file: since Redis 7 a folder of files and a manifest that says which
// belong together.
//
//	appendonlydir/
//	    appendonly.aof.manifest          file appendonly.aof.2.base.rdb seq 2 type b
//	                                     file appendonly.aof.3.incr.aof seq 3 type i
//	    appendonly.aof.2.base.rdb        the data at some moment: a snapshot, or commands (.aof)
//	    appendonly.aof.3.incr.aof        commands from that moment on
//
// There is at most one base (b), any number of increments (i) in ascending order, and history files (h), which a
// rewrite has replaced and which are to be deleted. The manifest is always replaced as a whole, by renaming a temporary
// file, so that a crash leaves the old or the new one. Files are in place, and synced, before a manifest names them; an
// increment is named when the one before it is durable to its end, so that only the last can be cut off, and nothing is
// written to it before.
//
// A Writer follows a journal.Journal and is the only one that writes and syncs; it runs on a goroutine of its own. Replay reads
// everything back.
//
// # Syncing
//
// With Always, the writer syncs after each write: what arrives in the meantime is one group, which the next sync makes
// durable. With EverySecond a sync runs on a goroutine of its own and writing goes on beside it. The stream's offsets
// tell the server who is done waiting (Synced, Safe).
//
// # Loading
//
// [Replay] reads one file, which may begin with a snapshot, and gives its commands to a Replayer in batches. A file
// that ends within a command or a transaction is a [TruncatedError], which says up to where it is whole.
// [WriteCommands] makes commands of a snapshot, for a base without one.
//
// The formats are those of Redis: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
package aof
