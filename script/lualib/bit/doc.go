// Package bit is the library bit of scripts: operations on 32-bit integers with the
// functions, conversions and errors of LuaBitOp, from whose documentation
// (https://bitop.luajit.org/api.html) the semantics are.
//
// A number is taken modulo 2^32, rounded to the nearest integer, ties to even; results are
// signed.
package bit
