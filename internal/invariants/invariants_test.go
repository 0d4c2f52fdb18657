package invariants

import (
	"strings"
	"testing"
)

func TestCheckPanicsOnlyWhenEnabled(t *testing.T) {
	Check(true, "must hold")
	defer func() {
		msg, _ := recover().(string)
		if Enabled != strings.Contains(msg, "3 apples") {
			t.Fatalf("Enabled=%v, panic %q", Enabled, msg)
		}
	}()
	Check(false, "%d apples", 3)
}

func TestFailPanicsOnlyWhenEnabled(t *testing.T) {
	defer func() {
		if panicked := recover() != nil; panicked != Enabled {
			t.Fatalf("Enabled=%v, panicked=%v", Enabled, panicked)
		}
	}()
	Fail("always")
}
