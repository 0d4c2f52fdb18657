// Package aof reads and writes the append only file: since Redis 7 a folder of files and a manifest that says which belong together.
//
//	appendonlydir/
//	    appendonly.aof.manifest          file appendonly.aof.2.base.rdb seq 2 type b
//	                                     file appendonly.aof.3.incr.aof seq 3 type i
//	    appendonly.aof.2.base.rdb        the data at some moment: a snapshot, or commands (.aof)
//	    appendonly.aof.3.incr.aof        commands from that moment on
//
// There is at most one base (b), any number of increments (i) in ascending order, and history files (h), which a rewrite has
// replaced and which are to be deleted. The manifest is always replaced as a whole, by renaming a temporary file, so that a crash
// leaves the old or the new one. Files are in place, and synced, before a manifest names them.
//
// A Writer follows a journal.Journal and is the only one that writes and syncs; it runs on a goroutine of its own. Replay reads
// everything back.
//
// The formats are those of Redis: https://redis.io/docs/latest/operate/oss_and_stack/management/persistence/
package aof
