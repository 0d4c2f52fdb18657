package command

import (
	"github.com/shoaldb/shoal/shard"
)

// BitCommands are the commands on the bits of strings. Bit 0 is the highest bit of the first byte.
var BitCommands = []Spec{
	{Name: "BITCOUNT", Arity: -2, Flags: ReadOnly, ACL: ACLBitmap,
		Keys: OneKey(1, RO|Access), Group: GroupBitmap, Since: "2.6.0", Complexity: "O(N)",
		Summary: "Counts the bits that are set in a string or a range of it.",
		History: []Change{{"7.0.0", "The option `BYTE|BIT`."}},
		Args: []Arg{argKey, {Name: "index", Type: ArgBlock, Optional: true, Args: []Arg{
			{Name: "start", Type: ArgInteger}, {Name: "end", Type: ArgInteger}, argBitUnit,
		}}}, Run: bitcount},
	{Name: "BITFIELD", Arity: -2, Flags: Write | DenyOOM, ACL: ACLBitmap,
		Keys: []KeySpec{{Flags: RW | Access | Update | VariableFlags, Index: 1, Step: 1,
			Notes: "This command allows both access and modification of the key", VaryFlags: bitfieldKeyFlags}},
		Group: GroupBitmap, Since: "3.2.0", Complexity: "O(1) for each operation",
		Summary: "Reads, sets and increments integers of any width at any bit of a string.",
		Args: []Arg{argKey, {Name: "operation", Type: ArgOneOf, Optional: true, Multiple: true, Args: []Arg{
			{Name: "encoding_offset", Type: ArgBlock, Token: "GET", Args: bitfieldPlace},
			{Name: "write", Type: ArgBlock, Args: []Arg{
				{Name: "wrap_sat_fail", Type: ArgOneOf, Token: "OVERFLOW", Optional: true, Args: []Arg{
					{Name: "wrap", Type: ArgPureToken, Token: "WRAP"},
					{Name: "sat", Type: ArgPureToken, Token: "SAT"},
					{Name: "fail", Type: ArgPureToken, Token: "FAIL"},
				}},
				{Name: "write_operation", Type: ArgOneOf, Args: []Arg{
					{Name: "encoding_offset_value", Type: ArgBlock, Token: "SET", Args: []Arg{
						{Name: "encoding", Type: ArgString}, {Name: "offset", Type: ArgInteger},
						{Name: "value", Type: ArgInteger},
					}},
					{Name: "encoding_offset_increment", Type: ArgBlock, Token: "INCRBY", Args: []Arg{
						{Name: "encoding", Type: ArgString}, {Name: "offset", Type: ArgInteger},
						{Name: "increment", Type: ArgInteger},
					}},
				}},
			}},
		}}}, Run: bitfield},
	{Name: "BITFIELD_RO", Arity: -2, Flags: ReadOnly | Fast, ACL: ACLBitmap,
		Keys: OneKey(1, RO|Access), Group: GroupBitmap, Since: "6.0.0", Complexity: "O(1) for each operation",
		Summary: "Reads integers of any width at any bit of a string.",
		Args: []Arg{argKey, {Name: "encoding_offset", Type: ArgBlock, Token: "GET",
			Optional: true, Multiple: true, MultipleToken: true, Args: bitfieldPlace}},
		Run: bitfieldRO},
	{Name: "BITOP", Arity: -4, Flags: Write | DenyOOM, ACL: ACLBitmap,
		Keys: []KeySpec{
			{Flags: OW | Update, Index: 2, Step: 1},
			{Flags: RO | Access, Index: 3, Last: -1, Step: 1},
		},
		Group: GroupBitmap, Since: "2.6.0", Complexity: "O(N)",
		Summary: "Combines strings bit by bit and stores the result.",
		Args: []Arg{{Name: "operation", Type: ArgString}, {Name: "destkey", Type: ArgKey},
			{Name: "key", Type: ArgKey, KeySpecIndex: 1, Multiple: true}}, Run: bitop},
	{Name: "BITPOS", Arity: -3, Flags: ReadOnly, ACL: ACLBitmap,
		Keys: OneKey(1, RO|Access), Group: GroupBitmap, Since: "2.8.7", Complexity: "O(N)",
		Summary: "Finds the first bit that is set, or clear, in a string or a range of it.",
		History: []Change{{"7.0.0", "The option `BYTE|BIT`."}},
		Args: []Arg{argKey, {Name: "bit", Type: ArgInteger},
			{Name: "index", Type: ArgBlock, Optional: true, Args: []Arg{
				{Name: "start", Type: ArgInteger},
				{Name: "end_index", Type: ArgBlock, Optional: true, Args: []Arg{
					{Name: "end", Type: ArgInteger}, argBitUnit,
				}},
			}}}, Run: bitpos},
	{Name: "GETBIT", Arity: 3, Flags: ReadOnly | Fast, ACL: ACLBitmap,
		Keys: OneKey(1, RO|Access), Group: GroupBitmap, Since: "2.2.0", Complexity: "O(1)",
		Summary: "Reads one bit of a string.",
		Args:    []Arg{argKey, {Name: "offset", Type: ArgInteger}}, Run: getbit},
	{Name: "SETBIT", Arity: 4, Flags: Write | DenyOOM, ACL: ACLBitmap,
		Keys: OneKey(1, RW|Access|Update), Group: GroupBitmap, Since: "2.2.0", Complexity: "O(1)",
		Summary: "Sets or clears one bit of a string, lengthening it with zero bytes where needed.",
		Args: []Arg{argKey, {Name: "offset", Type: ArgInteger},
			{Name: "value", Type: ArgInteger}}, Run: setbit},
}

var (
	argBitUnit = Arg{Name: "index_unit", Type: ArgOneOf, Since: "7.0.0", Optional: true, Args: []Arg{
		{Name: "byte", Type: ArgPureToken, Token: "BYTE"},
		{Name: "bit", Type: ArgPureToken, Token: "BIT"},
	}}
	bitfieldPlace = []Arg{{Name: "encoding", Type: ArgString}, {Name: "offset", Type: ArgInteger}}
)

// bitcount looks at the key before its other arguments, as redis does: without a key the reply is 0 whatever they are.
func bitcount(c *Ctx) {
	k := &c.Keys[0]
	e := c.lookup(k)
	if !e.Exists() {
		c.Reply.Int(0)
		return
	}
	if !c.isString(e) {
		return
	}
	v := k.DB.Bytes(e, c.scratch[:])
	if len(c.Args) == 2 {
		if !c.Long(len(v) / bytesPerElement) {
			c.Reply.Int(c.countBits(v, 0, int64(len(v))*8))
		}
		return
	}
	if len(c.Args) != 4 && len(c.Args) != 5 {
		c.Error(ErrSyntax)
		return
	}
	start, ok := c.intArg(2)
	if !ok {
		return
	}
	end, ok := c.intArg(3)
	if !ok {
		return
	}
	if start < 0 && end < 0 && start > end {
		c.Reply.Int(0)
		return
	}
	perIndex, ok := c.bitUnit(4)
	if !ok {
		return
	}
	from, to := clampRange(start, end, int64(len(v))*8/perIndex)
	if from >= to {
		c.Reply.Int(0)
		return
	}
	if !c.Long(int((to-from)*perIndex) / 8 / bytesPerElement) {
		c.Reply.Int(c.countBits(v, from*perIndex, to*perIndex))
	}
}

// bytesPerElement is how many bytes of a string take about as long as an element of a collection.
const bytesPerElement = 256

// bitsPerStep is how many bits are looked at between two calls of Pause.
const bitsPerStep = 8 * 64 * bytesPerElement

// countBits returns how many of the bits [from, to) of b, in which they lie, are set.
func (c *Ctx) countBits(b []byte, from, to int64) (n int64) {
	for from < to {
		end := min(from+bitsPerStep, to)
		n += countBitRange(b, from, end)
		from = end
		c.Pause(bitsPerStep / 8 / bytesPerElement)
	}
	return n
}

// findBit returns the offset of the first of the bits [from, to) of b, in which they lie, that is set, or clear, or -1.
func (c *Ctx) findBit(b []byte, from, to int64, set bool) int64 {
	for from < to {
		end := min(from+bitsPerStep, to)
		if pos := findBit(b, from, end, set); pos >= 0 {
			return pos
		}
		from = end
		c.Pause(bitsPerStep / 8 / bytesPerElement)
	}
	return -1
}

// bitUnit returns how many bits an index counts: 1 if argument i is BIT, 8 if it is BYTE or there is none.
func (c *Ctx) bitUnit(i int) (bits int64, ok bool) {
	switch {
	case i >= len(c.Args) || c.isOption(i, "BYTE"):
		return 8, true
	case c.isOption(i, "BIT"):
		return 1, true
	}
	c.Error(ErrSyntax)
	return 0, false
}

// bitpos takes the string as followed by zeros unless an end is given.
func bitpos(c *Ctx) {
	bit, ok := c.intArg(2)
	if !ok {
		return
	}
	if bit != 0 && bit != 1 {
		c.Error(ErrBitPosBit)
		return
	}
	k := &c.Keys[0]
	e := c.lookup(k)
	if !e.Exists() {
		c.Reply.Int(-bit)
		return
	}
	if !c.isString(e) {
		return
	}
	v := k.DB.Bytes(e, c.scratch[:])
	from, to, ok := c.bitposRange(int64(len(v)))
	if !ok {
		return
	}
	if from >= to {
		c.Reply.Int(-1)
		return
	}
	if c.Long(int(to-from) / 8 / bytesPerElement) {
		return
	}
	pos := c.findBit(v, from, to, bit == 1)
	if pos < 0 && bit == 0 && len(c.Args) < 5 {
		pos = to
	}
	c.Reply.Int(pos)
}

// bitposRange returns the range of bits to search in a string of n bytes.
func (c *Ctx) bitposRange(n int64) (from, to int64, ok bool) {
	if len(c.Args) == 3 {
		return 0, n * 8, true
	}
	if len(c.Args) > 6 {
		c.Error(ErrSyntax)
		return 0, 0, false
	}
	start, ok := c.intArg(3)
	if !ok {
		return 0, 0, false
	}
	perIndex, ok := c.bitUnit(5)
	if !ok {
		return 0, 0, false
	}
	n = n * 8 / perIndex
	end := n - 1
	if len(c.Args) >= 5 {
		if end, ok = c.intArg(4); !ok {
			return 0, 0, false
		}
	}
	if from, to = clampRange(start, end, n); from >= to {
		return 0, 0, true
	}
	return from * perIndex, to * perIndex, true
}

// parseBitOffset parses a bit's offset. With width > 0 it may be "#n": n fields of that many bits.
func (c *Ctx) parseBitOffset(arg []byte, width int64) (int64, bool) {
	factor := int64(1)
	if width > 0 && len(arg) > 0 && arg[0] == '#' {
		arg, factor = arg[1:], width
	}
	n, ok := shard.ParseInt(arg)
	n *= factor
	if !ok || n < 0 || n>>3 >= c.Env.MaxBulk {
		c.Error(ErrBitOffset)
		return 0, false
	}
	return n, true
}

func getbit(c *Ctx) {
	offset, ok := c.parseBitOffset(c.Args[2], 0)
	if !ok {
		return
	}
	k := &c.Keys[0]
	e := c.lookup(k)
	if !e.Exists() {
		c.Reply.Int(0)
		return
	}
	if !c.isString(e) {
		return
	}
	v := k.DB.Bytes(e, c.scratch[:])
	bit := byte(0)
	if i := offset >> 3; i < int64(len(v)) {
		bit = v[i] >> (7 - offset&7) & 1
	}
	c.Reply.Int(int64(bit))
}

func setbit(c *Ctx) {
	offset, ok := c.parseBitOffset(c.Args[2], 0)
	if !ok {
		return
	}
	on, ok := c.intArgOr(3, ErrBit)
	if !ok {
		return
	}
	if on != 0 && on != 1 {
		c.Error(ErrBit)
		return
	}
	k := &c.Keys[0]
	v, grown := c.growForBits(k, offset)
	if v == nil {
		return
	}
	p, shift := &v[offset>>3], 7-offset&7
	was := *p >> shift & 1
	if grown || was != byte(on) {
		k.Changing(int(offset>>3), int(offset>>3)+1)
		*p = *p&^(1<<shift) | byte(on)<<shift
		k.DB.Modified(k)
		c.Changed(1)
		c.Notify(NotifyString, "setbit", k.Name)
	}
	c.Reply.Int(int64(was))
}

// growForBits makes string k long enough for the bit at offset last and returns its bytes for writing, and whether it
// was shorter. It replies with an error and returns nil if k is no string or there is no memory.
func (c *Ctx) growForBits(k *shard.Key, last int64) (v []byte, grown bool) {
	e := k.DB.LookupWrite(k)
	was := -1
	if e.Exists() {
		if !c.isString(e) {
			return nil, false
		}
		was = k.DB.StrLen(e)
	}
	c.notifyNew(k)
	v = k.DB.Grow(k, e, int(last>>3)+1)
	if v == nil {
		c.Error(ErrNoMemory)
	}
	return v, len(v) != was
}

// bitfieldKeyFlags returns what BITFIELD does with its key: it writes only with SET or INCRBY.
func bitfieldKeyFlags(args [][]byte) KeyFlags {
	for _, a := range args[2:] {
		if EqualFold(a, "SET") || EqualFold(a, "INCRBY") {
			return RW | Access | Update
		}
	}
	return RO | Access
}
