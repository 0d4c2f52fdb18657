package command

import (
	"bytes"
	"math"
	"strings"

	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types/glob"
)

// ScanCommands are the commands that walk the keys of a database. They lock one shard after the other, for a few
// buckets at a time.
var ScanCommands = []Spec{
	{Name: "KEYS", Arity: 2, Flags: ReadOnly, ACL: ACLKeyspace | ACLDangerous,
		Tips:  []string{"request_policy:all_shards", "nondeterministic_output_order"},
		Group: GroupGeneric, Since: "1.0.0",
		Complexity: "O(N) where N is the number of keys in the database; O(1) if the pattern has no wildcard.",
		Summary:    "Lists the keys whose names match a pattern.",
		Args:       []Arg{{Name: "pattern", Type: ArgPattern}}, Run: keys},
	{Name: "SCAN", Arity: -2, Flags: ReadOnly, ACL: ACLKeyspace,
		Tips:  []string{"nondeterministic_output", "request_policy:special"},
		Group: GroupGeneric, Since: "2.8.0",
		Complexity: "O(1) for a call; O(N) for all calls from cursor 0 to cursor 0, where N is the number of keys.",
		Summary:    "Lists some keys and tells where the next call goes on.",
		History:    []Change{{"6.0.0", "Takes `TYPE`."}},
		Args: []Arg{{Name: "cursor", Type: ArgInteger},
			{Name: "pattern", Type: ArgPattern, Token: "MATCH", Optional: true},
			{Name: "count", Type: ArgInteger, Token: "COUNT", Optional: true},
			{Name: "type", Type: ArgString, Token: "TYPE", Since: "6.0.0", Optional: true}}, Run: scan},
}

// bucketsPerLock bounds for how long a walk keeps a shard from others: some 300 keys, about 10 µs.
const bucketsPerLock = 32

// errCursor is the reply to a cursor that is none.
const errCursor Error = "ERR invalid cursor"

// scanOptions are the options of SCAN.
type scanOptions struct {
	match    matcher
	count    int64
	typeName []byte // nil: any
}

func scan(c *Ctx) {
	cursor, ok := c.cursorArg(1)
	if !ok {
		return
	}
	o, ok := c.scanOptions(2)
	if !ok {
		return
	}
	w := walk{c: c, match: o.match, typeName: o.typeName}
	if !o.match.exact && o.count >= longElements && c.Long(int(min(o.count, int64(w.size())))) {
		return
	}
	w.at = c.beginScan()
	if o.match.exact {
		w.one(o.match.pattern)
		cursor = 0
	} else {
		cursor = w.some(cursor, o.count)
	}
	c.headScan(w.at, cursor, w.found)
}

// scanOptions reads the options of SCAN, which begin at argument 2, or those of the scan of a value, which begin at
// argument 3.
func (c *Ctx) scanOptions(first int) (o scanOptions, ok bool) {
	o.count = 10
	for i := first; i < len(c.Args); i += 2 {
		more := i+1 < len(c.Args)
		switch {
		case more && c.isOption(i, "COUNT"):
			if o.count, ok = c.intArg(i + 1); !ok {
				return o, false
			}
			if o.count < 1 {
				c.Error(ErrSyntax)
				return o, false
			}
		case more && c.isOption(i, "MATCH"):
			o.match = newMatcher(c.Args[i+1])
		case more && first == 2 && c.isOption(i, "TYPE"):
			o.typeName = c.Args[i+1]
		default:
			c.Error(ErrSyntax)
			return o, false
		}
	}
	return o, true
}

// cursorArg returns argument i, a cursor. If it is none, it replies with an error.
func (c *Ctx) cursorArg(i int) (cursor uint64, ok bool) {
	if cursor, ok = parseCursor(c.Args[i]); !ok {
		c.Error(errCursor)
	}
	return cursor, ok
}

// parseCursor parses an unsigned number as C's strtoul does, but for blanks in front: a sign is allowed, and
// nothing at all is 0. It ends at a zero byte.
func parseCursor(b []byte) (uint64, bool) {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	if len(b) == 0 {
		return 0, true
	}
	neg := b[0] == '-'
	if neg || b[0] == '+' {
		b = b[1:]
	}
	n := uint64(0)
	for _, ch := range b {
		d := uint64(ch - '0')
		if d > 9 || n > (math.MaxUint64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	if neg {
		n = -n
	}
	return n, len(b) > 0
}

// keys is not one moment's picture of a database with several shards, nor of a shard that changes meanwhile; what is there
// all the time is listed, once.
func keys(c *Ctx) {
	w := walk{c: c, match: newMatcher(c.Args[1])}
	if !w.match.exact && c.Long(w.size()) {
		return
	}
	d := c.beginArray(1000)
	if w.match.exact {
		w.one(w.match.pattern)
	} else {
		first, last := w.match.shards(c)
		for i := first; i <= last; i++ {
			w.all(i)
		}
	}
	c.endArray(d, w.found)
}

// size returns how many keys all walks over.
func (w *walk) size() (keys int) {
	first, last := w.match.shards(w.c)
	for i := first; i <= last; i++ {
		w.c.withShard(i, func(s *shard.Shard) { keys += s.DB(w.c.DB).Len() })
	}
	return keys
}

// walk appends the names of keys to the reply.
type walk struct {
	c        *Ctx
	match    matcher
	typeName []byte
	at       int   // where in the reply the names begin
	found    int   // names appended
	visited  int64 // keys met
}

// visit takes an entry of db that the walk has met. A key that has expired is passed over.
func (w *walk) visit(db *shard.DB, e shard.Entry) {
	w.visited++
	name := db.Key(e)
	if !w.match.matches(name) || db.Expired(e) || !w.hasType(e) {
		return
	}
	w.c.Reply.Bulk(name)
	w.found++
}

func (w *walk) hasType(e shard.Entry) bool {
	return w.typeName == nil || strings.EqualFold(e.Type().String(), cString(w.typeName))
}

// one takes the key called name, if it exists.
func (w *walk) one(name []byte) {
	k := w.c.KeyOf(w.c.DB, name)
	w.c.withShard(k.DB.Shard().Index(), func(*shard.Shard) {
		if e := k.DB.Find(&k); e.Exists() && w.hasType(e) {
			w.c.Reply.Bulk(name)
			w.found++
		}
	})
}

// all takes every key of shard i.
func (w *walk) all(i int) {
	cursor, more, held := uint32(0), true, false
	var hold shard.Hold
	defer func() {
		if held { // a command in steps whose client has gone
			w.c.withShard(i, func(*shard.Shard) { hold.End() })
		}
	}()
	for first := true; more; first = false {
		w.c.withShard(i, func(s *shard.Shard) {
			db := s.DB(w.c.DB)
			if first {
				hold, held = db.Hold(), true // or it might list a key twice
			}
			for n := 0; more && n < bucketsPerLock; n++ {
				cursor = db.Scan(cursor, func(e shard.Entry) { w.visit(db, e) })
				more = cursor != 0
			}
			if !more {
				hold.End()
				held = false
			}
		})
		w.c.Pause(bucketsPerLock)
	}
}

// some walks on from a cursor of SCAN until it has met count keys, or looked at ten times as many buckets, and returns the
// cursor to go on from.
//
// A cursor is the one in the shard (see dict.Table.Scan) times the number of shards, plus the shard's number: 0 is the
// beginning, and the end when all have been walked.
func (w *walk) some(cursor uint64, count int64) uint64 {
	shards := uint64(w.c.KS.Shards())
	first, last := w.match.shards(w.c)
	i, inside := int(cursor%shards), uint32(cursor/shards)
	if i < first {
		i, inside = first, 0
	}
	budget := count
	if count <= math.MaxInt64/10 {
		budget *= 10
	}
	for i <= last {
		w.c.withShard(i, func(s *shard.Shard) {
			db := s.DB(w.c.DB)
			for n := 0; n < bucketsPerLock; n++ {
				inside = db.Scan(inside, func(e shard.Entry) { w.visit(db, e) })
				budget--
				if inside == 0 || budget < 0 || w.visited >= count {
					break
				}
			}
		})
		if inside == 0 {
			i++
		}
		if budget < 0 || w.visited >= count {
			break
		}
		w.c.Pause(bucketsPerLock)
	}
	if i > last {
		return 0
	}
	return uint64(inside)*shards + uint64(i)
}

// matcher is a glob pattern and what follows from it. The zero matcher matches everything.
type matcher struct {
	pattern []byte // nil: everything
	exact   bool   // it has no wildcard
	tagged  bool   // whatever matches has the pattern's {hash tag}
}

func newMatcher(pattern []byte) matcher {
	if len(pattern) == 1 && pattern[0] == '*' {
		return matcher{}
	}
	wild := bytes.IndexAny(pattern, "*?[\\")
	if wild < 0 {
		return matcher{pattern: pattern, exact: true}
	}
	begin := bytes.IndexByte(pattern[:wild], '{')
	end := -1
	if begin >= 0 {
		end = bytes.IndexByte(pattern[begin:wild], '}')
	}
	return matcher{pattern: pattern, tagged: end > 1}
}

func (m *matcher) matches(name []byte) bool {
	return m.pattern == nil || glob.Match(m.pattern, name, false)
}

// shards returns the first and the last of the shards where there may be matching keys.
func (m *matcher) shards(c *Ctx) (first, last int) {
	if !m.tagged {
		return 0, c.KS.Shards() - 1
	}
	k := c.KeyOf(c.DB, m.pattern)
	i := k.DB.Shard().Index()
	return i, i
}
