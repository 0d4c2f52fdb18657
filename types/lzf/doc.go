// Package lzf compresses and decompresses in the LZF format of Marc Lehmann's LibLZF, in which Redis keeps the inner nodes of
// long lists and the strings of RDB files.
//
// The compressed bytes are a row of runs, which do not say how long they are together; the length of the original is kept
// elsewhere.
//
//	000nnnnn | n+1 B                     literal bytes
//	nnnooooo oooooooo                    n+2 bytes that stand o+1 bytes back in the output; 1 <= n <= 6
//	111ooooo nnnnnnnn oooooooo           n+9 bytes that stand o+1 bytes back in the output
package lzf
