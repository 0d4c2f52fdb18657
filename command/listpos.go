package command

import "github.com/shoaldb/shoal/types/quicklist"

const (
	errRankZero    Error = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use negative to start from the end of the list"
	errCountBelow0 Error = "ERR COUNT can't be negative"
	errMaxLenBelow Error = "ERR MAXLEN can't be negative"
)

// lposOptions are the options of LPOS.
type lposOptions struct {
	rank   int64 // of the first match to be replied, from 1
	back   bool  // from the end
	count  int64 // matches to be replied; 0: all; -1: one, and not as an array
	maxLen int64 // elements to be compared; 0: all
}

func lpos(c *Ctx) {
	o, ok := c.lposOptions()
	if !ok {
		return
	}
	v, ok := c.lookupList(&c.Keys[0])
	switch {
	case !ok:
	case o.count >= 0:
		at := len(c.Reply.Buf)
		d := c.beginArray(int(min(o.count, int64(v.Len()))))
		n := 0
		long := o.positions(c, &v.List, c.Args[2], func(index int) bool {
			c.Reply.Int(int64(index))
			n++
			return int64(n) != o.count
		})
		if long {
			c.Reply.Buf = c.Reply.Buf[:at]
			return
		}
		c.endArray(d, n)
	default:
		found := false
		long := o.positions(c, &v.List, c.Args[2], func(index int) bool {
			c.Reply.Int(int64(index))
			found = true
			return false
		})
		if !found && !long {
			c.Reply.Null()
		}
	}
}

func (c *Ctx) lposOptions() (o lposOptions, ok bool) {
	o = lposOptions{rank: 1, count: -1}
	for i := 3; i < len(c.Args); i += 2 {
		if i+1 == len(c.Args) {
			c.Error(ErrSyntax)
			return o, false
		}
		switch {
		case c.isOption(i, "RANK"):
			if o.rank, ok = c.intArg(i + 1); ok && o.rank == 0 {
				c.Error(errRankZero)
				return o, false
			}
		case c.isOption(i, "COUNT"):
			o.count, ok = c.atLeast(i+1, 0, errCountBelow0)
		case c.isOption(i, "MAXLEN"):
			o.maxLen, ok = c.atLeast(i+1, 0, errMaxLenBelow)
		default:
			c.Error(ErrSyntax)
			return o, false
		}
		if !ok {
			return o, false
		}
	}
	if o.rank < 0 {
		o.rank, o.back = -o.rank, true
	}
	return o, true
}

// positions calls visit with the index of each match until it says false. It returns true if that takes long: then the
// command will run in steps.
func (o *lposOptions) positions(c *Ctx, l *quicklist.List, text []byte, visit func(index int) bool) (long bool) {
	it, index, step := l.From(0), 0, 1
	if o.back {
		it, index, step = l.BackFrom(l.Len()-1), l.Len()-1, -1
	}
	m := quicklist.MatcherOf(text)
	rank := o.rank
	for seen := int64(0); it.OK() && (o.maxLen == 0 || seen < o.maxLen); seen++ {
		if seen == longElements && c.Long(longElements) {
			return true
		}
		c.Pause(1)
		if m.Matches(it.Element()) {
			if rank > 1 {
				rank--
			} else if !visit(index) {
				return false
			}
		}
		index += step
		it.Next()
	}
	return false
}
