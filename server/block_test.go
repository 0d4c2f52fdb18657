package server

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTimers(t *testing.T) {
	var all timers
	var waiting []*blocked
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		if n := len(waiting); n > 0 && rng.IntN(2500) < n {
			i := rng.IntN(n)
			all.remove(waiting[i])
			all.remove(waiting[i])
			waiting = slices.Delete(waiting, i, i+1)
			continue
		}
		b := &blocked{timer: -1}
		all.add(b, rng.Int64N(1000))
		waiting = append(waiting, b)
	}
	slices.SortStableFunc(waiting, func(a, b *blocked) int { return int(a.deadline - b.deadline) })
	for i, b := range waiting {
		if all.heap[0].deadline != b.deadline || all.heap[0].order < b.order {
			t.Fatalf("%d: the one of %d comes before that of %d", i, all.heap[0].deadline, b.deadline)
		}
		if all.heap[0] != b {
			t.Fatalf("%d: of two with the same time the later one comes first", i)
		}
		all.remove(b)
	}
	if len(all.heap) != 0 {
		t.Errorf("%d are left", len(all.heap))
	}
}

func TestLockSet(t *testing.T) {
	var a, b lockSet
	for _, i := range []int{0, 63, 64, 700} {
		a.add(i)
	}
	b.add(64)
	if !a.has(700) || a.has(699) || !a.contains(&b) || b.contains(&a) || !b.contains(&lockSet{}) {
		t.Error("a set of locks has not what was added")
	}
	b.add(1)
	if a.contains(&b) {
		t.Error("a contains what it does not have")
	}
}
