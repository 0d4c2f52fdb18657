//go:build !invariants

package invariants

// Enabled tells whether this binary was built with the invariants tag.
const Enabled = false

// Check does nothing in this build. Arguments that cost something to compute belong under
// an `if Enabled`.
func Check(cond bool, format string, args ...any) {}

// Fail does nothing in this build.
func Fail(format string, args ...any) {}
