// Package structpack is the library struct of scripts: values to bytes and back, in the
// formats of the Lua struct library that redis includes
// (http://www.inf.puc-rio.br/~roberto/struct/).
//
// A format is a sequence of:
//
//	>  <  !n        big endian, little endian (the default), alignment to n at most
//	x               a byte of padding
//	b B h H l L T   integers of 1, 2, 8 and 8 bytes, signed and unsigned
//	in In           integers of n bytes, 4 if n is absent, at most 32
//	f d             float and double
//	s               a string that ends with a zero byte
//	cn              n bytes; c0: the whole string, or as many as the number read before
package structpack
