package server

import "testing"

// Who comes to a state that lasts for long is told at once, or nobody would tell it.
func TestExclusiveLastsForLong(t *testing.T) {
	var e exclusive
	called := map[string]int{}
	join := func(name string, client, want bool) {
		t.Helper()
		if got := e.join(func() { called[name]++ }, client); got != want {
			t.Errorf("%s waits: %v", name, got)
		}
	}
	expect := func(name string, want int) {
		t.Helper()
		if called[name] != want {
			t.Errorf("%s was called %d times, not %d", name, called[name], want)
		}
	}
	join("nobody", true, false)
	for range 2 {
		clear(called)
		e.begin()
		join("early client", true, true)
		join("early work", false, true)
		expect("early client", 0)
		e.disturb(true)
		expect("early client", 1)
		expect("early work", 1)
		join("late client", true, true)
		join("late work", false, true)
		expect("late client", 1)
		expect("late work", 0)
		e.end()
		expect("early client", 1)
		expect("late client", 1)
		expect("late work", 1)
		join("nobody", true, false)
	}
}
