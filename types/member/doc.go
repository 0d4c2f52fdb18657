// Package member is the table of a hash, set or sorted set: a [dict.Table] whose references name blocks that begin with
// the member (or field).
//
//	+------------------------------+--------+--------------------+
//	| length of the member, uvarint | member | rest: the caller's |
//	+------------------------------+--------+--------------------+
//
// How long the rest is, and so the block, is the caller's to know. An element is added and removed like this:
//
//	p := member.Find(sp, &table, name)
//	if !p.Found() {
//		size := member.Head(len(name)) + rest
//		ref := sp.Arena.Alloc(size)
//		off := member.Put(sp.Arena.Bytes(ref, size), name) // what follows from off on is the rest
//		if !p.Insert(sp, &table, ref) { ... }              // no memory: free ref
//	} else {
//		p.Remove(sp, &table)
//		sp.Arena.Free(p.Ref, size)
//	}
//
// The table itself is 16 bytes, as many as a [types.Root] has: see [dict.Load] and [dict.Table.Store]. Its memory is that of
// its buckets, from 64 bytes on.
package member
