// Package listpack is a list of short strings and integers in one block of bytes, in the format in which Redis keeps small
// collections in memory and in RDB files. Elements can be visited from either end; a change moves the bytes after it.
//
//	total 4 B | count 2 B | element | element | ... | 0xFF
//
// total is the length of all of it in bytes, count the number of elements or 65535 for "count them"; both are
// little-endian. An element begins with what it is and ends with its own length, to be read from the right:
//
//	0vvvvvvv                              integer 0 to 127
//	10nnnnnn | n B                        string of up to 63 bytes
//	110vvvvv vvvvvvvv                     integer of 13 bits, two's complement
//	1110nnnn nnnnnnnn | n B               string of up to 4095 bytes
//	11110000 n (4 B) | n B                string
//	11110001 2 B, 11110010 3 B, 11110011 4 B, 11110100 8 B    integer, two's complement, little-endian
//	+ back length: 7 bits a byte, most significant first; all bytes but the first have the top bit set
//
// The back length counts the bytes of the element before it. It takes 1 byte up to 127, 2 up to 16382, 3 up to 2097150,
// 4 up to 268435454, else 5. Text that is a canonical decimal integer of 64 bits is stored as an integer.
//
// Readers work on the bytes alone, wherever they are, and trust them: bytes from outside go through [Validate] first.
// A listpack in an arena is a [Block], which grows within the room that its block of memory has and moves when that is full.
package listpack
