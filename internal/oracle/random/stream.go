package random

import "slices"

// Stream returns about n random commands of one session, one after the other, for tests that look at more than the replies.
func Stream(seed, number uint64, n int) (commands [][]string) {
	for _, b := range session(seed, number, n) {
		for _, op := range b.ops {
			commands = append(commands, op.Commands...)
		}
	}
	return commands
}

// Keys returns keys that most commands are about.
func Keys() []string {
	more := []string{"n1", "n2", "l1", "l2", "z1", "z2", "z3", "{t}z", "x1", "x2", "list1", "list2", "{t}list", "s1", "s2", "s3", "{t}s",
		"h1", "h2", "{t}h", "x:1", "x:2", "{t}x", "p1", "p2", "p3", "g1", "g2", "g3"}
	return slices.Concat(plainKeys, oldKeys, more)
}
