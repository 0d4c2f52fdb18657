package fifo

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/shoaldb/shoal/alloc"
)

// A random sequence of operations on a Queue and on a slice must agree.
func TestQueueAgainstModel(t *testing.T) {
	a := alloc.NewArena(alloc.NewHeap())
	rng := rand.New(rand.NewPCG(1, 2))
	var q Queue
	var model []uint32
	for i := range 200_000 {
		push := 6
		if i/20_000%2 == 1 {
			push = 4 // shrinks
		}
		switch n := rng.IntN(10); {
		case n < push:
			rec := rng.Uint32()
			if !q.Push(a, rec) {
				t.Fatal("no memory")
			}
			model = append(model, rec)
		case len(model) == 0:
			if _, ok := q.Pop(a); ok {
				t.Fatal("a record of an empty queue")
			}
		default:
			rec, ok := q.Pop(a)
			if !ok || rec != model[0] {
				t.Fatalf("got %d, %v, want %d", rec, ok, model[0])
			}
			model = model[1:]
		}
		if i%997 == 0 {
			checkQueue(t, a, &q, model)
		}
	}
	for !q.Clear(a, 1) {
	}
	if q != (Queue{}) || a.Stats().Allocated != 0 {
		t.Fatalf("%d bytes are left of %+v", a.Stats().Allocated, q)
	}
}

func checkQueue(t *testing.T, a *alloc.Arena, q *Queue, model []uint32) {
	t.Helper()
	var all []uint32
	q.Each(a, func(rec uint32) { all = append(all, rec) })
	if !slices.Equal(all, model) || q.Len() != len(model) {
		t.Fatalf("%d records, counted as %d, want %d", len(all), q.Len(), len(model))
	}
	var peeked [16]uint32
	if n := q.Peek(a, peeked[:]); n != min(len(model), len(peeked)) || !slices.Equal(peeked[:n], model[:n]) {
		t.Fatalf("peeked at %v of %d", peeked[:n], len(model))
	}
	if st := a.Stats(); q.Bytes() != st.Allocated || st.Tables != st.Allocated {
		t.Fatalf("%d bytes, want %d, of which tables are %d", q.Bytes(), st.Allocated, st.Tables)
	}
}

func TestClearInSteps(t *testing.T) {
	a := alloc.NewArena(alloc.NewHeap())
	var q Queue
	for i := range 1000 {
		q.Push(a, uint32(i))
	}
	q.Pop(a)
	for n := q.Len(); !q.Clear(a, 2); n = q.Len() {
		if rec, ok := q.Pop(a); !ok || q.Len() >= n {
			t.Fatalf("%d records after %d, got %d", q.Len(), n, rec)
		}
	}
	if a.Stats().Allocated != 0 {
		t.Fatal("memory is left")
	}
}
