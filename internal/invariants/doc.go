// Package invariants holds the assertions of debug builds.
//
// With the build tag "invariants" Enabled is true and a failed Check panics; without it
// Enabled is the constant false, so that whatever stands in
//
//	if invariants.Enabled {
//		invariants.Check(n <= max, "n=%d exceeds %d", n, max)
//	}
//
// is removed by the compiler. A broken promise of our own code is a panic from here; bad
// input from outside is an error, never an assertion.
package invariants
