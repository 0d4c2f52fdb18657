// Package lualib is what a script of redis finds in its environment: the global variables,
// the libraries string, table, math, coroutine, bit, struct, cjson and cmsgpack, all of
// them read-only, with Lua 5.1's results and error messages, on gopher-lua.
//
// # Globals
//
// gopher-lua has no read-only tables, so scripts see views: an empty table whose metatable
// reads from the content and refuses to write.
//
//	Env.view (_G)          __index ----> Env.Globals       (content; Go code sets KEYS, ARGV)
//	view of string, math.. __index ----> the functions     (Protect makes such a view)
//
// next, pairs, rawget and the rest of the base library see through views. Compiled code has
// the content itself as its environment, which makes reading a global one look-up; Compile
// rewrites each assignment to a global into an assignment to a field of the view, which
// raises the error. So only chunks from Compile may run in an Env.
//
// # What Compile changes
//
// Compile rewrites the syntax tree before gopher-lua compiles it:
//
//   - assignments to globals, as said;
//   - a..b..c becomes a call of a hidden function, because the interpreter's own operator
//     writes numbers as Go does and has no limit on the length of the result;
//   - decimal constants with leading zeros, which gopher-lua takes for octal;
//   - it refuses goto (Lua 5.2), and nesting too deep for the compiler's recursion.
//
// # Protected calls
//
// gopher-lua, when an error is raised, closes the upvalues of all functions of the thread,
// also of those below the pcall that go on running: afterwards they and their closures see
// different variables. pcall therefore runs the function in a thread of its own (from a
// free list), whose upvalues are closed without harm.
//
// # Limits
//
// No function returns a string longer than Options.MaxString. Calls of Lua from Go
// (pcall, callbacks of gsub and sort, resume) nest at most maxCalls deep, a thread holds a
// bounded number of frames, so the Go stack stays below some hundred megabytes, and
// runaway recursion ends in the error "stack overflow" or "C stack overflow".
//
// # The operator ".."
//
// The call that replaces it makes the right text of numbers and bounds memory. A call costs
// more than an instruction, which shows for two short strings; longer chains allocate less
// than the operator (BenchmarkConcat).
//
// # Differences that remain
//
// Error messages of the interpreter name the variable ("local 'a'") only if the
// instructions of the line that could have failed agree on it. There is no bytecode: what string.dump
// returns cannot be loaded, as in Redis. next goes in the order of insertion and takes any key. "#" calls __len of
// tables, and of a table with holes it may be another border; a%b with infinite b is
// math.Mod's. error with level 2 knows no caller beyond a pcall. A table's integer keys
// below maxArrayKey live in an array that reaches up to the greatest of them; keys above
// are hashed and "#" does not count them.
package lualib
