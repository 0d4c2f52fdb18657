// Package load reads RDB files into a keyspace, with the help of several cores.
//
// One goroutine, the caller's, finds out where keys and values begin and end, which takes a fraction of the time that
// it takes to make values of them. It deals the bytes out to workers, each with shards of its own:
//
//	file -> records -> | parcel: key, attributes, bytes of the value ... | -> worker -> shards 0, 2, 4 ...
//	                   | parcel                                          | -> worker -> shards 1, 3, 5 ...
//
// A value that is too large for a parcel is read where it stands, by the caller, with its shard locked.
package load
