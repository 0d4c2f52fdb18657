// Package save writes a snapshot of a keyspace, as an RDB file, while others work with the keyspace.
//
//	reactor: walks -----------------\                    /-> row of whole keys ------\
//	file writer: walks --------------> buffer per shard |                            |-> file writer: compresses,
//	a write: saves what it changes -/                   \-> a lane per large value --/   checksums, gives it to the Sink
//
// [Start] makes the cut (see shard.Keyspace.Cut), with all shards locked. Then workers, which are the server's
// reactors, call [Snapshot.Step] from time to time: each walks shards that nobody else is at, encodes entries under the
// shard's lock into a buffer of that shard, and hands full buffers to a goroutine that writes them to the file, and
// walks itself when it has nothing to write. Writers of keys that have not been saved do the same for these keys,
// before they change them. Pieces of different shards follow each other in any order, so each begins by saying which
// database its keys are of. Strings worth compressing stand in the buffers as they are: compressing is the file
// writer's, too.
//
// # Sinks
//
// Where the bytes go is the [Sink]'s affair: a [File] that replaces another one (BGSAVE), the base of an append only
// file, or whatever takes bytes in order. The moment of the cut is the caller's as well: as it holds all locks it can
// note there what belongs to it, such as where the order of effects stands. Options.Info says what the head of the file
// tells of that.
//
// # Large values
//
// A value of more than a thousand elements or 64 KiB is not saved when it is met, by the walk or by somebody who is
// about to change it, but watched (types.Watcher), and its key counts as saved. From then on it is a job: a worker goes
// through it in steps, and the changes that others make to it tell the job first. The format wants the number of
// members first, and a value in one piece. So what the job saves goes to a lane of its own, which is written as a
// whole.
//
//   - Members of sets and hashes are met in the order of the table's scan, whatever becomes of the table, and those of
//     sorted sets in descending order: so it follows from a member's hash, or score, whether it has been met. One that
//     has not been and is about to change is saved out of turn and excluded: its block is noted, and the walk does not
//     save what is there. So are the blocks of new members. Whoever makes many exclusions helps the walk, for 0.1 ms
//     before a command, so that there is no more than one for eight members that have been saved, and 4096.
//   - Lists and streams are rows of nodes, which the job notes at the start, 16 or 32 bytes each: 0.1 ms for 10,000
//     nodes. A node that is about to change is put aside in the lane until it is its turn; one that is dropped is not
//     freed before.
//   - The consumer groups of a stream are saved behind its nodes, and their pending entries as members are: in the
//     order of their IDs, and out of turn what is about to change. Names and numbers of all groups and consumers are
//     noted when somebody first asks for a group, 0.1 µs for each.
//
// A value that is deleted, replaced or renamed meanwhile stays the job's, which frees it when it has been saved. The
// values of other encodings have few elements, unless someone has set limits that make them large, and are copied at
// once.
//
// An element of more than 4 MiB, which is not compressed, is saved in pieces, too. If it is about to change, what is
// left of it is copied at once.
//
// # Bounds
//
// When [Options.QueueBytes] wait for the file, workers stop until half of it is written. What writes must save may go
// beyond. From twice as much on, what cannot be written now goes to a file without a name, to be copied from there in
// its turn; this is how a value can be written in one piece, though others change meanwhile. From three times as much
// on, as when the disk cannot keep up, those who write wait, too ([Snapshot.AwaitRoom]): first those who have something
// to save, and from four times as much on all.
//
// Values of which no key is left, and nodes that their values have dropped, cannot be freed before they have been
// saved. These are the bytes held. Whoever is about to delete or replace such a value, or much of it, asks first
// ([Snapshot.Admit]) and waits until it has been saved if more than [Options.HeldBytes] would be held. What one command
// does away with unforeseen may go beyond; when it is QueueBytes more, all writes wait.
//
// A string of 256 KiB and more is copied. Those of 1 MiB and more are jobs like large collections: they are saved in
// chunks of 64 KiB, and one that is about to change is put aside. As compressing needs the whole, strings of up to 4 MiB
// are gathered before they go to the queue; longer ones are not compressed.
//
// # Clients first
//
// While clients send ([Options.Busy]), the reactors leave the walk to the file writer, and that rests half of the time,
// unless an eighth of QueueBytes waits, so that a core is free whenever a request comes. A snapshot then takes about
// twice as long. A reactor that walked between requests would have used up what the kernel grants it beside others on
// its core, and wait for milliseconds when the next request came; the thread of the file writer gives way when it wakes
// up, though it gets its share: whoever stops the world, as the garbage collector does, waits for it, and so may those
// who want the shard that it is at. What a reactor has begun of a large value it brings to its end, with pauses.
//
// # Failure
//
// When the file cannot be written or the snapshot is cancelled, the walk goes on, without saving anything, so that all
// entries have the same parity again before the next cut. The file of the name that was asked for is replaced when all
// is written and synced, not before.
package save
