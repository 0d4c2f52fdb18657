// Package journal keeps the one order of effects: the stream of commands that leads a copy of the data set to the same state.
// The append only file is written from it, and replicas and their backlog are served from it.
//
// Whoever holds shard locks collects the effects of its commands in a Log and writes that to the Journal before it gives
// the locks back. So the order in the stream agrees with every key, and with every transaction, which is a group in the
// Log and stands in the stream whole:
//
//	Log of a reactor:  [SET a 1][INCR b]  [DEL c, SADD d x]            groups, with the database of each effect
//	stream:            SELECT 0 SET a 1 INCR b MULTI DEL c SADD d x EXEC    (SELECT of a group stands before MULTI)
//
// The stream is a list of chunks of 64 KiB. Bytes before End never change, so readers read them where they are, without a
// lock. A chunk is used again when every Reader is past it and it is older than the backlog:
//
//	first                               tail
//	[65536 bytes] -> [65536 bytes] -> [.... End          ]
//	      ^ a Reader        ^ the backlog begins: Keep bytes before End
//
// Writing never waits for a reader. A reader that cannot keep up makes the list longer; Behind tells by how much, for
// the server to slow down whoever writes.
package journal
