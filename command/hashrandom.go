package command

import (
	"math"

	"github.com/shoaldb/shoal/types/hash"
)

func hrandfield(c *Ctx) {
	if len(c.Args) == 2 {
		if v, ok := c.readHash(); ok {
			c.replyRandomField(&v)
		}
		return
	}
	count, ok := c.randomCount("WITHVALUES")
	if !ok {
		return
	}
	withValues := len(c.Args) == 4
	if withValues && (count < -math.MaxInt64/2 || count > math.MaxInt64/2) {
		c.Error(errRange)
		return
	}
	v, ok := c.readHash()
	if !ok {
		return
	}
	r := fieldReply{c: c, withValues: withValues}
	n := int64(v.Len())
	switch {
	case n == 0 || count == 0:
		c.Reply.Array(0)
	case c.Long(drawnOf(count, int(n))):
	case count < 0 || count == 1:
		r.begin(max(count, -count))
		r.repeat(&v, max(count, -count))
	default:
		count = min(count, n)
		r.begin(count)
		// Drawing without replacement takes about as long as a walk if a quarter is drawn.
		if count*4 > n || v.Packed() {
			v.Sample(int(count), r.add)
		} else {
			r.distinct(&v, count)
		}
	}
}

const errRange Error = "ERR value is out of range"

// randomCount returns argument 2, the count of a command that picks elements at random. Argument 3 may be an option.
func (c *Ctx) randomCount(option string) (count int64, ok bool) {
	count, ok = c.intArg(2)
	switch {
	case !ok:
		return 0, false
	case count == math.MinInt64:
		c.Error(ErrCountRange)
		return 0, false
	case len(c.Args) > 4 || len(c.Args) == 4 && !c.isOption(3, option):
		c.Error(ErrSyntax)
		return 0, false
	}
	return count, true
}

func (c *Ctx) replyRandomField(v *hash.Value) {
	if field, _, _, ok := v.Random(); ok {
		c.bulkElement(field)
	} else {
		c.Reply.Null()
	}
}

// fieldReply is a reply of fields, each with its value if that is asked for: in an array of its own in RESP3.
type fieldReply struct {
	c          *Ctx
	withValues bool
}

func (r *fieldReply) begin(n int64) {
	if r.withValues && r.c.Reply.Proto < 3 {
		n *= 2
	}
	r.c.Reply.Array(int(n))
}

func (r *fieldReply) add(field, value hash.Element) {
	if r.withValues && r.c.Reply.Proto >= 3 {
		r.c.Reply.Array(2)
	}
	r.c.bulkElement(field)
	if r.withValues {
		r.c.bulkElement(value)
	}
	r.c.Pause(1)
}

// repeat draws count fields, any of them any number of times.
func (r *fieldReply) repeat(v *hash.Value, count int64) {
	for ; count > 0; count-- {
		field, value, _, _ := v.Random()
		r.add(field, value)
	}
}

// distinct draws count different fields out of many more.
func (r *fieldReply) distinct(v *hash.Value, count int64) {
	drawn := make(map[uint32]struct{}, count)
	for int64(len(drawn)) < count {
		field, value, id, _ := v.Random()
		if _, again := drawn[id]; !again {
			drawn[id] = struct{}{}
			r.add(field, value)
		}
	}
}
