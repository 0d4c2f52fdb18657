// Package auxlib is what the Lua libraries of scripts share: arguments of Go functions as
// Lua 5.1 checks and converts them, with its error messages, and numbers as text.
//
// gopher-lua has such functions too. They differ where scripts can see it: numbers are
// written with Go's shortest form instead of "%.14g", strings are read as Go literals
// ("010" is eight), a string is no integer argument, and messages lack the function's name
// in Lua's form.
//
// A function that raises an error does not return: it panics with gopher-lua's ApiError,
// which PCall turns into a Lua error.
package auxlib
