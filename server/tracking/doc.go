// Package tracking remembers what clients may have cached, so that they can be told when it is out of date
// (CLIENT TRACKING). It knows keys and numbers of clients; who they are and how they are told is the business of server/.
//
// # Keys
//
// A [Table] belongs to a shard and is used under the shard's lock. It says for each key which clients have read it since it was
// last modified. It lies outside the Go heap, in an arena of its own, which [Table.Drop] detaches as a whole. A key is a block:
//
//	| clients u32 | capacity u32 | length u32 | clients' numbers, u64 each, ascending, room for capacity | name |
//
// The capacity doubles. Before it does, the numbers of clients that have gone are left out, so that a key that is read again and
// again by new connections takes no more memory than those that exist need.
//
// # Prefixes
//
// [Prefixes] is a radix tree of the prefixes that clients in broadcasting mode have named, with the clients of each. Finding the
// prefixes of a key takes time in proportion to the key's length, however many there are. All shards share it.
package tracking
