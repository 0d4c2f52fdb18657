package command

import (
	"bytes"
	"io"

	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// copyKey copies a string at once: a large one is shared until one of the two changes.
func copyKey(c *Ctx) {
	db, replace, ok := c.copyOptions()
	if !ok {
		return
	}
	from, to := &c.Keys[0], c.KeyOf(db, c.Args[2])
	if db == c.DB && bytes.Equal(from.Name, to.Name) {
		c.Error(ErrSameObject)
		return
	}
	if !c.lookup(from).Exists() || to.DB.LookupWrite(&to).Exists() && !replace {
		c.Reply.Int(0)
		return
	}
	ok, long := c.copyValue(from, &to, c.KS.Copy, c.KS.CopyAs)
	switch {
	case long:
		return
	case !ok:
		c.Error(ErrNoMemory)
		return
	}
	c.notifyIn(db, NotifyNew, "new", to.Name)
	c.notifyIn(db, NotifyGeneric, "copy_to", to.Name)
	c.Changed(1)
	c.Reply.Int(1)
}

// copyValue gives the key to a copy of from's value: by at once, or, if it has many elements, by as once they have been
// copied in steps. If long is true it is about to begin with that.
func (c *Ctx) copyValue(from, to *shard.Key, at func(from, to *shard.Key) bool, as func(from, to *shard.Key, r types.Root) bool) (ok, long bool) {
	e := from.DB.Find(from)
	if e.Type() == types.String {
		return at(from, to), false
	}
	n := from.DB.Elements(e)
	switch {
	case c.Long(n):
		return false, true
	case c.Yield == nil || n < longElements:
		return at(from, to), false
	}
	s := steppingCopy{c: c, more: true}
	t := s.enc.Start(from.DB.Space(), from.DB.Root(e))
	d := rdb.NewDecoder(&s)
	d.Pause = c.Pause
	v, err := d.Value(to.DB.Space(), c.Env.Limits, t)
	if err != nil { // for lack of memory: the bytes are ours
		return false, false
	}
	if !as(from, to, v.Root) {
		to.DB.FreeRoot(v.Root)
		return false, false
	}
	return true, false
}

// steppingCopy reads a value as bytes, which become its copy: so the one does not hold up others, nor the other.
type steppingCopy struct {
	c    *Ctx
	enc  rdb.Encoder
	buf  []byte
	rest []byte // of buf, not read yet
	more bool
}

func (s *steppingCopy) Read(b []byte) (n int, err error) {
	const step = 4096 // bytes, some 10 µs
	for len(s.rest) == 0 {
		if !s.more {
			return 0, io.EOF
		}
		s.buf, s.more = s.enc.Step(s.buf[:0], step)
		s.rest = s.buf
		s.c.Pause(step / 8)
	}
	n = copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (c *Ctx) copyOptions() (db int, replace, ok bool) {
	db = c.DB
	for i := 3; i < len(c.Args); i++ {
		switch {
		case c.isOption(i, "REPLACE"):
			replace = true
		case c.isOption(i, "DB") && i+1 < len(c.Args):
			i++
			if db, ok = c.dbArg(i, ErrIntRange); !ok {
				return 0, false, false
			}
		default:
			c.Error(ErrSyntax)
			return 0, false, false
		}
	}
	return db, replace, true
}
