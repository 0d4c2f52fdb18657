package acl

import (
	"slices"
	"strings"
	"sync"
)

// Event is something that was refused.
type Event struct {
	ID       int64 // of the entry
	Count    int64 // how often it has happened
	Reason   Reason
	Context  string // toplevel, multi, lua
	Object   string // the command, the key, the channel
	User     string
	Client   string // of the last one, as CLIENT LIST shows it
	Created  int64  // unix time, ms
	LastTime int64  // unix time, ms
}

const (
	// similarWithin is how long after an event another like it is counted with it, ms.
	similarWithin = 60_000
	// similarAmong is among how many of the latest entries one like it is looked for.
	similarAmong = 10
	// maxObject bounds what is kept of the name of an object or a user, bytes: the log is filled by clients.
	maxObject = 128 << 10
)

// Log is the latest refusals. Any goroutine may call its methods.
type Log struct {
	mu     sync.Mutex
	events []*Event // the latest first
	next   int64
}

// Add notes an event; e's ID, Count and times need not be set. At most most entries are kept.
func (l *Log) Add(e Event, nowMS int64, most int) {
	if len(e.Object) > maxObject {
		e.Object = strings.Clone(e.Object[:maxObject])
	}
	if len(e.User) > maxObject {
		e.User = strings.Clone(e.User[:maxObject])
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, old := range l.events[:min(len(l.events), similarAmong)] {
		if old.Reason == e.Reason && old.Context == e.Context && old.Object == e.Object && old.User == e.User && nowMS-old.LastTime <= similarWithin {
			old.Count++
			old.Client, old.LastTime = e.Client, nowMS
			l.events = slices.Insert(slices.Delete(l.events, i, i+1), 0, old)
			return
		}
	}
	e.ID, e.Count, e.Created, e.LastTime = l.next, 1, nowMS, nowMS
	l.next++
	l.events = slices.Insert(l.events, 0, &e)
	l.trim(most)
}

// Trim forgets the oldest entries until at most most are left.
func (l *Log) Trim(most int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.trim(most)
}

func (l *Log) trim(most int) {
	if len(l.events) > most {
		clear(l.events[most:])
		l.events = l.events[:most]
	}
}

// Latest returns copies of the latest n entries.
func (l *Log) Latest(n int) []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	var list []Event
	for _, e := range l.events[:min(n, len(l.events))] {
		list = append(list, *e)
	}
	return list
}

// Reset forgets everything.
func (l *Log) Reset() { l.Trim(0) }
