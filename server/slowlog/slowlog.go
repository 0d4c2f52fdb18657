package slowlog

import (
	"fmt"
	"sync"
)

const (
	maxArgs  = 32  // that are kept of a command; the last one then says how many more there were
	maxBytes = 128 // that are kept of an argument
)

// Entry is one slow command.
type Entry struct {
	ID     int64
	Time   int64 // unix time, s, at which it ended
	Micros int64 // that it took
	Args   []string
	Client string // address
	Name   string // of the client
}

// Log is a ring of entries. Any goroutine may call its methods.
type Log struct {
	mu      sync.Mutex
	entries []Entry // the oldest at first
	first   int
	next    int64 // ID
}

// Add notes a command; the log keeps at most most entries. It copies args, cut where they are long.
func (l *Log) Add(args [][]byte, unix, micros int64, client, name string, most int) {
	e := Entry{Time: unix, Micros: micros, Args: cut(args), Client: client, Name: name}
	l.mu.Lock()
	defer l.mu.Unlock()
	e.ID = l.next
	l.next++
	l.resize(most)
	switch {
	case most == 0:
	case len(l.entries) < most:
		l.entries = append(l.entries, e)
	default:
		l.entries[l.first] = e
		l.first = (l.first + 1) % most
	}
}

// cut returns what is kept of a command's arguments.
func cut(args [][]byte) []string {
	kept := make([]string, 0, min(len(args), maxArgs))
	for i, a := range args {
		switch {
		case i == maxArgs-1 && len(args) > maxArgs:
			return append(kept, fmt.Sprintf("... (%d more arguments)", len(args)-i))
		case len(a) > maxBytes:
			kept = append(kept, fmt.Sprintf("%s... (%d more bytes)", a[:maxBytes], len(a)-maxBytes))
		default:
			kept = append(kept, string(a))
		}
	}
	return kept
}

// resize puts the oldest entry first and forgets the oldest of more than most, if there are so many or the ring has another size.
func (l *Log) resize(most int) {
	n := len(l.entries)
	if n <= most && (l.first == 0 || n == most) {
		return
	}
	kept := l.latest(most)
	l.entries, l.first = make([]Entry, 0, len(kept)), 0
	for i := len(kept) - 1; i >= 0; i-- {
		l.entries = append(l.entries, kept[i])
	}
}

// Trim forgets the oldest entries of more than most.
func (l *Log) Trim(most int) {
	l.mu.Lock()
	l.resize(most)
	l.mu.Unlock()
}

// Len returns the number of entries.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.entries)
}

// Latest returns the latest n entries, the latest first.
func (l *Log) Latest(n int) []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.latest(n)
}

func (l *Log) latest(n int) []Entry {
	size := len(l.entries)
	n = min(n, size)
	list := make([]Entry, n)
	for i := range n {
		list[i] = l.entries[(l.first+size-1-i)%size]
	}
	return list
}

// Reset forgets all entries.
func (l *Log) Reset() { l.Trim(0) }
