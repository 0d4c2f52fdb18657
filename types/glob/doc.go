// Package glob matches byte strings against the patterns of KEYS, SCAN,
// PSUBSCRIBE and CONFIG GET.
//
// A pattern is made of
//
//	?        any one byte
//	*        any run of bytes, also none
//	[abc]    one of these bytes; [a-f] a range, ends in either order; [^a-f] none of them
//	\x       the byte x itself, also inside brackets
//	other    the byte itself
//
// The corner cases are those of Redis 7.0: an unclosed bracket ends with the
// pattern, a trailing backslash stands for itself, ranges compare bytes as signed
// numbers, an escaped byte inside brackets keeps its case, and the empty string
// matches the empty pattern only.
package glob
