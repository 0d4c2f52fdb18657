// Package script runs Lua: scripts (EVAL) and libraries of functions (FUNCTION LOAD, FCALL), on gopher-lua.
//
// # What there is
//
//	Script      a compiled script: its prototype, shared read-only by all reactors, its flags, and what its text
//	            promises about the keys it works on (Traits)
//	Cache       the scripts by SHA1; one for the server
//	Libraries   the function libraries; one immutable set at a time, replaced as a whole
//	VM          a Lua state; whoever runs a script in it has it to himself
//	Host        what a VM asks of the server: commands, the log, and what is to become of a script that has run for long
//
// # Which keys a script works on
//
// A script runs as one step, but it need not stop the world: one that works on its declared keys only takes the locks
// of their shards and runs beside all others. Whether it does is read from its text, when it is compiled.
// Traits.Declared is set if every call of a command names a constant command whose keys are provably elements of KEYS:
// KEYS[...] itself, a local that is assigned once, from KEYS[...], the variable of a loop over ipairs(KEYS), or all of
// unpack(KEYS); and if nothing can change KEYS or call commands in another way (KEYS, redis and redis.call are not
// passed on, stored or assigned to; the script does not use load, setfenv and their like). Local functions that are
// only called by name are followed: what all calls pass for a parameter is known of it. This is conservative: what is
// not understood is not promised.
//
// In a library, the first parameter of a function that it registers stands for KEYS. Functions outlive the call that
// made them, so one that is kept or passed on is not trusted with the keys of the function that it is written in.
//
// Other scripts may touch any key. One of which all calls are constant commands that only read starts under the locks of its
// declared keys all the same; when it wants another shard it is abandoned and begins anew with all locks, which nobody
// can tell as nothing was written. Scripts that may write elsewhere take all locks from the beginning.
//
// # Time and memory
//
// A script that has no loop, no function and nothing that could make one (Traits.Straight) ends by itself; it runs on
// the reactor's own stack and is not watched. Any other is watched through the VM's context, which gopher-lua asks
// before each instruction, and runs as a coroutine of its reactor (Coroutine), which it leaves when the Host says so. A
// script that names a command about the server as a whole (not Traits.Local) is watched as well, as it may have to wait
// for others. The Watchdog, a goroutine that sleeps while no watched script runs, asks for attention every millisecond:
// only then does a script look at clocks and at the heap. So a table that grows without bound is found within a
// millisecond, whatever single instruction makes it grow.
package script
