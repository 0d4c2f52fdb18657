// Package types has what the packages of all data types share: where their memory is, how the root of a value is kept, and the
// limits at which an encoding gives way to the next.
//
// A value of any type but string is a [Root]: its type, its encoding and 16 bytes whose meaning is the encoding's. The
// packages list, set, zset, hash and stream below this one open a root as a view, which lives on the stack of one
// command, and give back the root to be kept. They are built of the structures listpack, intset, quicklist, dict, btree
// and rax.
package types
