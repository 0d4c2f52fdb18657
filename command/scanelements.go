package command

import (
	"math"
	"slices"
	"strconv"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/types/listpack"
)

// elementScanArgs are the arguments of the commands that walk the elements of one value.
var elementScanArgs = []Arg{argKey, {Name: "cursor", Type: ArgInteger},
	{Name: "pattern", Type: ArgPattern, Token: "MATCH", Optional: true},
	{Name: "count", Type: ArgInteger, Token: "COUNT", Optional: true}}

// elementScan is a call of HSCAN, SSCAN or ZSCAN.
type elementScan struct {
	cursor  uint64 // where to go on; 0: at the end
	visited int64  // elements met
	found   int    // bulk strings replied
	match   matcher
}

// matches tells whether the pattern lets an element through.
func (s *elementScan) matches(e listpack.Element) bool {
	if !e.IsInt {
		return s.match.matches(e.Bytes)
	}
	var text [20]byte
	return s.match.pattern == nil || s.match.matches(e.Append(text[:0]))
}

// scanElements reads the options after the cursor and then calls step until as many of n elements have been met as
// COUNT says, or the end has come. step visits the elements at s.cursor, replies with those that match, and moves the
// cursor on.
func (c *Ctx) scanElements(cursor uint64, n int, step func(s *elementScan)) {
	o, ok := c.scanOptions(3)
	if !ok {
		return
	}
	if c.Long(int(min(o.count, int64(n)))) {
		return
	}
	s := elementScan{cursor: cursor, match: o.match}
	at := c.beginScan()
	budget := o.count // steps: a table may be nearly empty
	if o.count <= math.MaxInt64/10 {
		budget *= 10
	}
	for more := true; more; budget-- {
		step(&s)
		c.Pause(elementsPerScan)
		more = s.cursor != 0 && s.visited < o.count && budget > 0
	}
	c.headScan(at, s.cursor, s.found)
}

// elementsPerScan is how many elements a step of a scan meets, more or less.
const elementsPerScan = 8

// beginScan begins a reply with a cursor, and returns the offset at which its bulk strings begin.
func (c *Ctx) beginScan() (at int) {
	if c.Yield != nil {
		c.beginUncounted()
	}
	return len(c.Reply.Buf)
}

// headScan puts the head of a reply with a cursor and n bulk strings before these, which begin at offset at.
func (c *Ctx) headScan(at int, cursor uint64, n int) {
	var buf [128]byte
	head := resp.AppendArray(buf[:0], 2)
	head = resp.AppendBulk(head, strconv.AppendUint(c.scratch[:0], cursor, 10))
	head = resp.AppendArray(head, n)
	if c.Uncounted {
		c.Head, c.Uncounted = append(c.Head, head...), false
		return
	}
	c.Reply.Buf = slices.Insert(c.Reply.Buf, at, head...)
}

// replyNothingScanned is the reply for a key that does not exist, whatever the options are.
func (c *Ctx) replyNothingScanned() { c.headScan(len(c.Reply.Buf), 0, 0) }
