// Package shard is the keyspace: a power of two of partitions, each with one lock, one arena and
// its part of every database.
//
// # Who owns what
//
// All data of a shard (entries, values, tables, expiry records) lies in its arena, outside the Go
// heap. Everything in a Shard but what is marked atomic may be touched only while its lock is
// held. Whoever holds several locks has taken them in ascending order ([Keyspace.LockAll], or the
// dispatcher). Slices returned by an [Entry] alias the arena and die at the next change of that
// key or at Unlock, whichever comes first.
//
// # An entry
//
// A key is one block:
//
//	0      type (low 4 bits), encoding (high 4 bits)
//	1      flags: hasExpire, longKey, form of the value, snapshot parity
//	2-4    access clock: seconds (LRU), or minutes and a counter (LFU)
//	5      key length; 255 with longKey
//	6-7    length of an embedded value
//	8      [expiry, unix ms, 8 bytes]
//	       [key length, 4 bytes, if longKey]
//	       key
//	       value: embedded bytes | integer, 8 bytes | payload, 16 bytes
//
// A string of up to maxEmbed bytes with its key is embedded. A longer one is a block of its own in the
// arena, and from largeValue bytes on a mapping of its own that can be pinned, so that a
// reply is sent from it without a copy. Other types keep their root in the payload.
//
// # Which bits of the hash
//
// A key's 64-bit keyed xxh3 hash serves the table (bits 0-31, see package dict) and, where the key has no
// {hash tag}, the choice of the shard (bits 32-63); with a hash tag the tag's hash chooses.
//
// # Expiry
//
// An expired key is deleted by whoever meets it, and by [Shard.Expire], which a reactor calls from its
// tick: a timing wheel (package wheel) holds 32 bits of the hash of every key with an expiry, at or before the time at which
// it is due. A record that proves stale is dropped; one whose key has been given a later time is
// added again. When stale records outnumber the live ones, the wheel is rebuilt in steps.
package shard
