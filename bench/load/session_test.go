package load

import "testing"

func TestFlightsKeepOrder(t *testing.T) {
	var q flights
	next, oldest := int64(0), int64(0)
	for round := range 50 {
		for range round%7 + 1 {
			q.push(flight{since: next})
			next++
		}
		for range min(q.len(), round%5+1) {
			if got := q.oldest().since; got != oldest {
				t.Fatalf("oldest is %d, want %d", got, oldest)
			}
			q.pop()
			oldest++
		}
	}
	if q.len() != int(next-oldest) {
		t.Errorf("%d left, want %d", q.len(), next-oldest)
	}
}

// TestScheduleIsShared: all workers together send each batch once, at its time, and cut the last one.
func TestScheduleIsShared(t *testing.T) {
	w := &Workload{Pipeline: 10, Requests: 95, Rate: 1000}
	p := newPass(w, 3)
	requests := 0
	for worker := range 3 {
		s := p.schedule(worker)
		for {
			at, ok := s.due()
			if !ok {
				break
			}
			first, n := s.take()
			if want := first * 1_000_000; at != want { // a request each millisecond
				t.Errorf("batch at request %d is due at %d ns, want %d", first, at, want)
			}
			requests += n
		}
	}
	if requests != 95 {
		t.Errorf("%d requests in all", requests)
	}
}

func TestReceiveDoesNotAllocate(t *testing.T) {
	var s session
	var y tally
	w := &Workload{Commands: ping, Requests: 1}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	y.begin(newPass(w, 1))
	replies := []byte("+OK\r\n$3\r\nabc\r\n")
	n := testing.AllocsPerRun(1000, func() {
		s.flights.push(flight{left: 2})
		if _, err := y.receive(&s, replies, 12345); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}
