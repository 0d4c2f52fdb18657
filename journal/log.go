package journal

import "github.com/shoaldb/shoal/resp"

// Log collects effects that are to be written together. It belongs to one goroutine and is reused. The zero Log is empty.
type Log struct {
	buf     []byte
	effects []effect
	group   int // index of the first effect of the group that is being collected
}

// effect is one command in buf, behind the one before it.
type effect struct {
	end         int // in buf
	db          int
	first, last bool // of a group of several
}

// Append adds a command that applies to database db. It copies args.
func (l *Log) Append(db int, args [][]byte) {
	l.buf = resp.AppendCommand(l.buf, args...)
	l.effects = append(l.effects, effect{end: len(l.buf), db: db})
}

// EndGroup makes one atomic group of what has been appended since it was called last: what one command or one transaction did.
func (l *Log) EndGroup() {
	if n := len(l.effects); n-l.group > 1 {
		l.effects[l.group].first = true
		l.effects[n-1].last = true
	}
	l.group = len(l.effects)
}

// EndEach makes a group of its own of each effect since EndGroup was called last.
func (l *Log) EndEach() { l.group = len(l.effects) }

// MoveGroup moves what has been appended since EndGroup was called last to the open group of another log.
func (l *Log) MoveGroup(to *Log) {
	from := 0
	if l.group > 0 {
		from = l.effects[l.group-1].end
	}
	shift := len(to.buf) - from
	to.buf = append(to.buf, l.buf[from:]...)
	for _, e := range l.effects[l.group:] {
		e.end += shift
		to.effects = append(to.effects, e)
	}
	l.buf, l.effects = l.buf[:from], l.effects[:l.group]
}

// Empty tells whether there is nothing to write.
func (l *Log) Empty() bool { return len(l.effects) == 0 }

// keptLog is how much memory an empty log keeps, bytes and effects.
const keptLog = 256 << 10

func (l *Log) reset() {
	l.group = 0
	l.buf, l.effects = l.buf[:0], l.effects[:0]
	if cap(l.buf) > keptLog {
		l.buf = nil
	}
	if cap(l.effects) > keptLog/32 {
		l.effects = nil
	}
}
