//go:build invariants

package invariants

import "fmt"

// Enabled tells whether this binary was built with the invariants tag.
const Enabled = true

// Check panics with the formatted message unless cond holds.
func Check(cond bool, format string, args ...any) {
	if !cond {
		Fail(format, args...)
	}
}

// Fail panics with the formatted message.
func Fail(format string, args ...any) {
	panic("invariant violated: " + fmt.Sprintf(format, args...))
}
