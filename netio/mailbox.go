package netio

import (
	"sync"
	"sync/atomic"
)

// A mailbox is a lock-free queue of many producers and one consumer: a stack that the consumer takes whole
// and reverses. A letter may be reused at once, as nobody but the consumer ever takes one out (so there is no ABA).
type mailbox struct {
	top atomic.Pointer[letter]
}

type letter struct {
	f    func()
	next *letter
}

var letters = sync.Pool{New: func() any { return new(letter) }}

// push reports whether the mailbox was empty.
func (m *mailbox) push(f func()) bool {
	l := letters.Get().(*letter)
	l.f = f
	for {
		top := m.top.Load()
		l.next = top
		if m.top.CompareAndSwap(top, l) {
			return top == nil
		}
	}
}

func (m *mailbox) empty() bool { return m.top.Load() == nil }

// drain runs what had been posted when it was called, oldest first.
func (m *mailbox) drain() {
	if m.top.Load() == nil {
		return
	}
	var oldest *letter
	for l := m.top.Swap(nil); l != nil; {
		next := l.next
		l.next = oldest
		oldest, l = l, next
	}
	for l := oldest; l != nil; {
		next, f := l.next, l.f
		l.f, l.next = nil, nil
		letters.Put(l)
		f()
		l = next
	}
}
