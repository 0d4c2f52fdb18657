// Package load reads RDB files into a keyspace, with the help of several cores.
//
// One goroutine, the caller's, finds out where keys and values begin and end, which takes a fraction of the time that
// it takes to make values of them. It deals the bytes out to workers, each with shards of its own:
//
//	file -> records -> | parcel: key, attributes, bytes of the value ... | -> worker -> shards 0, 2, 4 ...
//	                   | parcel                                          | -> worker -> shards 1, 3, 5 ...
//
// A worker makes the values of a parcel shard by shard, so that it takes each lock once for many of them.
//
// A value that is too large for a parcel is left to builders, one for each worker, if the file can be read twice: the
// caller skips it and tells one of them where it begins. So large values are made on all cores, beside each other and
// beside the small ones. Who makes one gives its shard's lock back every few elements. If the file cannot be read twice
// the caller makes the value itself.
//
// One large list or stream, too, keeps several cores busy: its builder reads some batches of nodes ahead, and helpers, as
// many as there are workers, decompress and check them (see rdb.Decoder.Go). A helper waits for nothing but batches, so
// a builder may wait for it with a shard locked.
//
// Beside the data a load takes, for each worker, parcels of 0.5 MiB in all and two buffers of 256 KiB, or of the longest
// string: a string is read, and decompressed, as a whole. A builder of a list or stream has up to eight batches of 160
// KiB, or of the longest node.
package load
