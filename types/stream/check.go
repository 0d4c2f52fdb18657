package stream

import (
	"errors"
	"fmt"

	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
)

var errNode = errors.New("stream: malformed listpack")

// ValidateNode tells whether bytes from outside are a node that this package can work on: one of an entry at least, as
// many as it says, whose IDs ascend from master on. It returns the last one.
func ValidateNode(lp []byte, master ID) (last ID, err error) {
	if err := listpack.Validate(lp, false); err != nil {
		return ID{}, err
	}
	r := reader{lp: lp, pos: listpackHeader}
	valid, gone, fields := r.int(), r.int(), r.int()
	if !r.skip(fields) || r.int() != 0 || valid < 0 || gone < 0 || valid+gone <= 0 {
		return ID{}, errNode
	}
	for first := true; valid+gone > 0 && !r.bad; first = false {
		id, flags := r.entry(master, fields)
		if id.Less(master) || !first && !last.Less(id) {
			return ID{}, errNode
		}
		last = id
		if flags&deleted != 0 {
			gone--
		} else {
			valid--
		}
	}
	if r.bad || valid != 0 || gone != 0 || !r.atEnd() || listpack.Len(lp) != r.n {
		return ID{}, errNode
	}
	return last, nil
}

// reader reads the elements of what may be a listpack, and may be a node. It checks each.
type reader struct {
	lp  []byte
	pos int
	n   int // elements read
	bad bool
}

func (r *reader) atEnd() bool { return r.pos == len(r.lp)-1 }

// int reads an integer.
func (r *reader) int() int64 {
	if b := r.lp[r.pos]; b < 0x80 && r.lp[r.pos+1] == 1 && r.pos+2 < len(r.lp) { // one of 7 bits
		r.pos += 2
		r.n++
		return int64(b)
	}
	return r.intSlow()
}

func (r *reader) intSlow() int64 {
	at := r.pos
	if !r.next() {
		return 0
	}
	e := listpack.Get(r.lp, at)
	r.bad = r.bad || !e.IsInt
	return e.Int
}

// next goes to the next element. It fails, and stays, if there is none, or none that is sound.
func (r *reader) next() bool {
	if !r.atEnd() {
		if next, ok := listpack.CheckedNext(r.lp, r.pos); ok {
			r.pos = next
			r.n++
			return true
		}
	}
	r.bad = true
	return false
}

// skip skips n elements.
func (r *reader) skip(n int64) bool {
	pos, end := r.pos, len(r.lp)-1
	for ; n > 0 && pos != end; n-- {
		next, ok := listpack.CheckedNext(r.lp, pos)
		if !ok {
			break
		}
		pos = next
		r.n++
	}
	r.pos = pos
	r.bad = r.bad || n > 0
	return !r.bad
}

// entry reads an entry in a node of so many master fields.
func (r *reader) entry(master ID, fields int64) (id ID, flags int64) {
	r.bad = r.bad || r.lp[r.pos] > deleted|sameFields // so it is an integer of one byte, which can be replaced
	flags = r.int()
	id = ID{MS: master.MS + uint64(r.int())}
	id.Seq = master.Seq + uint64(r.int())
	elements := 3 + fields
	if flags&sameFields == 0 {
		fields = r.int()
		if fields < 0 || fields > int64(len(r.lp)) {
			r.bad = true
			return id, flags
		}
		elements = 4 + 2*fields
		fields *= 2
	}
	if r.skip(fields) && r.int() != elements {
		r.bad = true
	}
	return id, flags
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
		if entries > 0 && !last.Less(master) {
			err = fmt.Errorf("stream: node %v begins before the end of another, %v", master, last)
			return false
		}
		if last, err = ValidateNode(lp, master); err != nil {
			err = fmt.Errorf("stream: node %v: %w", master, err)
			return false
		}
		entries += int(readCounts(lp).valid)
		return true
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
