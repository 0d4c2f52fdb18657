// Package hash is the hash type: fields, each with a value and perhaps a time to live.
//
// # Encodings
//
// A hash of few short fields is a listpack of fields and values in turn (Listpack). From the first time to live on
// there is a third element with each field, the unix time in ms at which it expires or 0 (ListpackEx). Beyond
// hash-max-listpack-entries fields, or with a field or value longer than hash-max-listpack-value bytes, it is a table (Hashtable)
// whose fields are blocks of their own, see package member:
//
//	+---------------+-------+---------------------------------------+----------------+-------+
//	| length, field |       | length of value * 2 + T, uvarint      | if T: expiry, 8 B | value |
//	+---------------+-------+---------------------------------------+----------------+-------+
//
// From the first time to live on a table stands in a block together with a B+tree of the fields that have one, in
// the order in which they expire (HashtableEx). There is no way back from the larger encodings to the smaller ones.
//
//	Root.Data    0           4           8                    16
//	Listpack     | Ref       | size      | -                   |
//	ListpackEx   | Ref       | size      | earliest expiry, ms |
//	Hashtable    | dict.Table                                  |
//	HashtableEx  | Ref       | -         | earliest expiry, ms |    -> | dict.Table, 16 B | btree.Root, 28 B |
//
// # Time
//
// The caller says what time it is, in NowMS of a [Value]. A field whose time has come is invisible from then on and takes
// memory until [Value.Expire] is called, which somebody should do when [NextMS] says so. The earliest expiry
// is never later than that of any field; of a ListpackEx it may be earlier.
package hash
