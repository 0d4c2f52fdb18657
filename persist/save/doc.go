// Package save writes a snapshot of a keyspace, as an RDB file, while others work with the keyspace.
//
//	reactor: walks its shards ----\                    /-> row of ready pieces ---\
//	reactor: walks its shards -----> buffer per shard |                            |-> file writer: compresses,
//	a write: saves what it changes /                   \-> one large value --------/   checksums, gives it to the Sink
//
// [Start] makes the cut (see shard.Keyspace.Cut), with all shards locked. Then workers, which are the server's reactors, call
// [Snapshot.Step] from time to time: each walks the shards that are its own, encodes entries under the shard's lock into a buffer of
// that shard, and hands full buffers to a goroutine that writes them to the file. Writers of keys that have not been saved do the same
// for these keys, before they change them. Pieces of different shards follow each other in any order, so each begins by saying which
// database its keys are of.
//
// # Sinks
//
// Where the bytes go is the [Sink]'s affair: a [File] that replaces another one (BGSAVE), the base of an append only file, or whatever takes
// bytes in order. The moment of the cut is the caller's as well: as it holds all locks it can note there what belongs to it, such
// as where the order of effects stands. Options.Info says what the head of the file tells of that.
//
// # Bounds
//
// When [Options.QueueBytes] wait for the file, workers stop until half of it is written. What writes must save may go beyond; they are to wait,
// too, when it is too much ([Snapshot.AwaitRoom]).
//
// A value of more than a thousand elements or 64 KiB is saved in steps, one value at a time, with its key on lease to be read; its
// bytes go to the file directly, and all other pieces wait in the row until it is complete. Values that a write waits for come first. So a
// write to such a value waits until it is saved as a whole, and a write to any other key does not. A string of 16 KiB and more is copied, or,
// if it has a mapping of its own, pinned, and compressed by the file writer.
//
// # Failure
//
// When the file cannot be written or the snapshot is cancelled, the walk goes on, without saving anything, so that all entries have the
// same parity again before the next cut. The file of the name that was asked for is replaced when all is written and synced, not before.
package save
