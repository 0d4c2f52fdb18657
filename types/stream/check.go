package stream

import (
	"errors"
	"fmt"

	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
)

var errNode = errors.New("stream: malformed listpack")

// ValidateNode tells whether bytes from outside are a node that this package can work on.
func ValidateNode(lp []byte) error {
	if err := listpack.Validate(lp, true); err != nil {
		return err
	}
	r := reader{lp: lp, pos: listpack.First(lp)}
	valid, gone, fields := r.int(), r.int(), r.int()
	if !r.skip(fields) || r.int() != 0 || valid < 0 || gone < 0 {
		return errNode
	}
	for ; valid+gone > 0 && !r.bad; gone-- {
		r.entry(fields)
	}
	if r.bad || r.pos != 0 {
		return errNode
	}
	return nil
}

// reader reads the elements of a listpack that may not be what they should be.
type reader struct {
	lp  []byte
	pos int // 0 at the end
	bad bool
}

// int reads an integer.
func (r *reader) int() int64 {
	if r.pos == 0 {
		r.bad = true
		return 0
	}
	e := listpack.Get(r.lp, r.pos)
	r.pos = listpack.Next(r.lp, r.pos)
	r.bad = r.bad || !e.IsInt
	return e.Int
}

// skip skips n elements.
func (r *reader) skip(n int64) bool {
	for ; n > 0 && r.pos != 0; n-- {
		r.pos = listpack.Next(r.lp, r.pos)
	}
	r.bad = r.bad || n != 0
	return !r.bad
}

// entry reads an entry in a node of so many master fields.
func (r *reader) entry(fields int64) {
	at := r.pos
	flags := r.int()
	r.bad = r.bad || r.lp[at] > deleted|sameFields // so it is an integer of one byte, which can be replaced
	r.int()
	r.int()
	elements := 3 + fields
	if flags&sameFields == 0 {
		fields = r.int()
		if fields < 0 || fields > int64(len(r.lp)) {
			r.bad = true
			return
		}
		elements = 4 + 2*fields
		fields *= 2
	}
	if r.skip(fields) && r.int() != elements {
		r.bad = true
	}
}

// Check verifies everything that the stream's blocks promise each other, by walking all of them.
func Check(sp *types.Space, r types.Root) error {
	v := Open(sp, r)
	if err := v.checkTrees(); err != nil {
		return err
	}
	var err error
	entries, last := 0, ID{}
	v.Nodes(func(master ID, lp []byte) bool {
		if err = ValidateNode(lp); err != nil {
			return false
		}
		if entries > 0 && !last.Less(master) {
			err = fmt.Errorf("stream: node %v begins before the end of another, %v", master, last)
			return false
		}
		last = master
		entries, err = checkNode(lp, master, entries, &last)
		return err == nil
	})
	if err != nil {
		return err
	}
	if entries != v.Len() || v.h.last.Less(last) {
		return fmt.Errorf("stream: %d entries up to %v, want %d up to %v", entries, last, v.Len(), v.h.last)
	}
	was := v.h.first
	if v.findFirst(); was != v.h.first {
		return fmt.Errorf("stream: the first entry is %v, not %v", v.h.first, was)
	}
	return v.checkGroups()
}

// checkNode adds the valid entries of a node to entries. last becomes the ID of the last entry.
func checkNode(lp []byte, master ID, entries int, last *ID) (int, error) {
	m := readCounts(lp)
	valid, n := int64(0), int64(0)
	for pos := m.firstEntry(lp); pos != 0; n++ {
		e := readEntry(lp, pos, master, m.fields)
		if n > 0 && !last.Less(e.id) {
			return 0, fmt.Errorf("stream: %v comes behind %v", e.id, *last)
		}
		*last = e.id
		if e.flags&deleted == 0 {
			valid++
		}
		pos = e.next(lp)
	}
	if valid != m.valid || n != m.valid+m.deleted {
		return 0, fmt.Errorf("stream: node %v has %d entries, %d of them valid, want %d + %d", master, n, valid, m.valid, m.deleted)
	}
	return entries + int(valid), nil
}

func (v *Value) checkTrees() error {
	if err := v.h.nodes.Check(v.sp.Arena); err != nil {
		return err
	}
	return v.h.groups.Check(v.sp.Arena)
}

func (v *Value) checkGroups() (err error) {
	v.EachGroup(func(name []byte, g Group) {
		if err == nil {
			if err = g.check(); err != nil {
				err = fmt.Errorf("group %q: %w", name, err)
			}
		}
	})
	return err
}

func (g Group) check() error {
	err := errors.Join(g.g.pending.Check(g.a), g.g.consumers.Check(g.a))
	if err != nil {
		return err
	}
	pending := 0
	g.EachConsumer(func(c Consumer) {
		pending += c.Pending()
		err = errors.Join(err, c.c.pending.Check(g.a))
		var p Pending
		for c.EachPending(&p, ID{}); p.Next(); {
			if d, ok := g.Delivery(p.ID()); !ok || d.ref != p.Delivery().ref || d.consumer != c.ref {
				err = errors.Join(err, fmt.Errorf("stream: %q has %v, which is not so in its group", c.Name(), p.ID()))
			}
		}
	})
	if pending != g.Pending() {
		err = errors.Join(err, fmt.Errorf("stream: %d entries are pending, consumers have %d", g.Pending(), pending))
	}
	return err
}
