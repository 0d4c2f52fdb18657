package command

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"sync"

	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
	lists "github.com/shoaldb/shoal/types/list"
	"github.com/shoaldb/shoal/types/listpack"
	sets "github.com/shoaldb/shoal/types/set"
	"github.com/shoaldb/shoal/types/zset"
)

// SortCommands are SORT and its form that writes nothing.
var SortCommands = []Spec{
	{Name: "SORT", Arity: -2, Flags: Write | DenyOOM | LockAll, ACL: ACLSet | ACLSortedSet | ACLList | ACLDangerous,
		Keys: append(sortKeySpecs, KeySpec{Flags: OW | Update, Unknown: true, Notes: "For the optional STORE keyword. " +
			"It is marked 'unknown' because the keyword can appear anywhere in the argument array"}),
		GetKeys: sortKeys, NeedsAll: sortNeedsAll, Group: GroupGeneric, Since: "1.0.0", Complexity: sortcx,
		Summary: "Sorts the elements of a list, a set or a sorted set, or stores them sorted.",
		Args:    append(sortArgs, Arg{Name: "destination", Type: ArgKey, KeySpecIndex: 2, Token: "STORE", Optional: true}), Run: sortCommand},
	{Name: "SORT_RO", Arity: -2, Flags: ReadOnly | LockAll, ACL: ACLSet | ACLSortedSet | ACLList | ACLDangerous,
		Keys: sortKeySpecs, GetKeys: sortROKeys, NeedsAll: sortNeedsAll, Group: GroupGeneric, Since: "7.0.0", Complexity: sortcx,
		Summary: "Sorts the elements of a list, a set or a sorted set.",
		Args:    sortArgs, Run: sortROCommand},
}

const sortcx = "O(N+M*log(M)) where N is the number of elements and M that of those returned; O(N) if they are not sorted."

var (
	sortKeySpecs = []KeySpec{
		{Flags: RO | Access, Index: 1, Step: 1},
		{Flags: RO | Access, Unknown: true, Notes: "For the optional BY/GET keyword. " +
			"It is marked 'unknown' because the key names derive from the content of the key we sort"},
	}
	sortArgs = []Arg{argKey,
		{Name: "pattern", Type: ArgPattern, KeySpecIndex: 1, Token: "BY", Optional: true},
		{Name: "offset_count", Type: ArgBlock, Token: "LIMIT", Optional: true, Args: []Arg{
			{Name: "offset", Type: ArgInteger}, {Name: "count", Type: ArgInteger}}},
		{Name: "pattern", Type: ArgPattern, KeySpecIndex: 1, Token: "GET", Optional: true, Multiple: true, MultipleToken: true},
		{Name: "order", Type: ArgOneOf, Optional: true, Args: []Arg{
			{Name: "asc", Type: ArgPureToken, Token: "ASC"}, {Name: "desc", Type: ArgPureToken, Token: "DESC"}}},
		{Name: "sorting", Type: ArgPureToken, Token: "ALPHA", Optional: true}}
)

// sortKeys finds the key to sort and the one to store at, the last one if there are several.
func sortKeys(args [][]byte, dst []int) ([]int, error) {
	stored := 0
	for i := 2; i < len(args); i++ {
		switch {
		case EqualFold(args[i], "LIMIT"):
			i += 2
		case EqualFold(args[i], "GET") || EqualFold(args[i], "BY"):
			i++
		case EqualFold(args[i], "STORE") && i+1 < len(args):
			stored = i + 1
		}
	}
	dst = append(dst, 1)
	if stored > 0 {
		dst = append(dst, stored)
	}
	return dst, nil
}

func sortROKeys(_ [][]byte, dst []int) ([]int, error) { return append(dst, 1), nil }

// sortNeedsAll tells whether args look up keys that are not among them: by a pattern of BY or GET.
func sortNeedsAll(args [][]byte) bool {
	for i := 2; i+1 < len(args); i++ {
		if (EqualFold(args[i], "BY") || EqualFold(args[i], "GET")) && bytes.IndexByte(args[i+1], '*') >= 0 {
			return true
		}
	}
	return false
}

const errSortScore Error = "ERR One or more scores can't be converted into double"

// sorting is a SORT under way.
type sorting struct {
	by          []byte // pattern; nil: by the elements themselves
	get         [][]byte
	offset      int64
	count       int64
	descending  bool
	alpha       bool
	asIs        bool // no sorting: BY without an asterisk
	store       *shard.Key
	elems       sortElements
	texts       sortTexts
	order       []sortKey // of elems; empty: as they are
	dropOrder   func()    // gives back what order takes; nil: nothing has to
	from, to    int       // the part of elems that is wanted
	name        []byte    // of a key being looked up
	notANumber  bool
	long        bool // it will begin anew, and in steps
	scratch     [20]byte
	compareText func(a, b []byte) int
}

var sortings = sync.Pool{New: func() any { return new(sorting) }}

// end makes s ready for the next SORT. What a large one took is not kept.
func (s *sorting) end() {
	if s.dropOrder != nil {
		s.order = nil
		s.dropOrder()
	}
	*s = sorting{elems: s.elems.emptied(), texts: s.texts.emptied(), order: s.order[:0], name: s.name[:0]}
	sortings.Put(s)
}

func sortCommand(c *Ctx)   { c.sort(false) }
func sortROCommand(c *Ctx) { c.sort(true) }

func (c *Ctx) sort(readOnly bool) {
	s := sortings.Get().(*sorting)
	defer s.end()
	s.count, s.compareText = -1, collate
	if !s.parse(c, readOnly) {
		return
	}
	if s.store != nil {
		s.compareText = bytes.Compare
	}
	k := &c.Keys[0]
	e := c.lookup(k)
	if !s.load(c, k, e) {
		return
	}
	if s.long {
		return
	}
	if !s.asIs {
		s.weigh(c)
		s.arrange(c)
	}
	switch {
	case s.notANumber:
		c.Error(errSortScore)
	case s.store == nil:
		s.reply(c)
	default:
		s.keep(c)
	}
}

// parse reads the options. It replies and reports false if something is wrong with them.
func (s *sorting) parse(c *Ctx, readOnly bool) (ok bool) {
	for i := 2; i < len(c.Args); i++ {
		left := len(c.Args) - i - 1
		switch {
		case c.isOption(i, "ASC"):
			s.descending = false
		case c.isOption(i, "DESC"):
			s.descending = true
		case c.isOption(i, "ALPHA"):
			s.alpha = true
		case c.isOption(i, "LIMIT") && left >= 2:
			if s.offset, ok = c.intArg(i + 1); !ok {
				return false
			}
			if s.count, ok = c.intArg(i + 2); !ok {
				return false
			}
			i += 2
		case !readOnly && c.isOption(i, "STORE") && left >= 1:
			s.store = &c.Keys[1]
			i++
		case c.isOption(i, "BY") && left >= 1:
			s.by = c.Args[i+1]
			switch {
			case asterisk(s.by) < 0:
				s.asIs = true
			case !c.mayReadAll():
				c.Error("ERR BY option of SORT denied due to insufficient ACL permissions.")
				return false
			}
			i++
		case c.isOption(i, "GET") && left >= 1:
			if !c.mayReadAll() {
				c.Error("ERR GET option of SORT denied due to insufficient ACL permissions.")
				return false
			}
			s.get = append(s.get, c.Args[i+1])
			i++
		default:
			c.Error(ErrSyntax)
			return false
		}
	}
	return true
}

// asterisk returns where the asterisk of a pattern is, which ends at a zero byte for this, or -1.
func asterisk(pattern []byte) int {
	i := bytes.IndexByte(pattern, '*')
	if zero := bytes.IndexByte(pattern, 0); i >= 0 && zero >= 0 && zero < i {
		return -1
	}
	return i
}

// load reads the elements, all or, where they are not sorted, those that are wanted. It replies and reports false if e, the entry
// of k, has none.
func (s *sorting) load(c *Ctx, k *shard.Key, e shard.Entry) bool {
	if !e.Exists() {
		s.limit(0)
		return true
	}
	if e.Type() == types.String { // which has no root
		c.Error(ErrWrongType)
		return false
	}
	root := k.DB.Root(e)
	sp := k.DB.Space()
	switch e.Type() {
	case types.List:
		v := lists.Open(sp, root)
		s.loadList(c, &v)
	case types.Set:
		v := sets.Open(sp, root)
		s.loadSet(c, &v)
	case types.ZSet:
		v := zset.Open(sp, root)
		if err := v.Enlarge(); err != nil { // as Redis does it, for OBJECT ENCODING to tell
			c.Error(ErrNoMemory)
			return false
		}
		k.DB.KeepRoot(e, v.Root())
		s.loadZSet(c, &v)
	default:
		c.Error(ErrWrongType)
		return false
	}
	return true
}

// limit works out which of n elements are wanted.
func (s *sorting) limit(n int) {
	s.from = int(min(max(s.offset, 0), int64(n)))
	s.to = n
	if s.count >= 0 {
		s.to = s.from + int(min(s.count, int64(n-s.from)))
	}
}

// part works out which of n elements are to be read: all that will be sorted, or those that are wanted.
func (s *sorting) part(n int) (from, to int) {
	s.limit(n)
	if !s.asIs {
		return 0, n
	}
	from, to = s.from, s.to
	s.from, s.to = 0, to-from
	return from, to
}

// begins works with that many elements, if they are not so many that the command will run in steps.
func (s *sorting) begins(c *Ctx, elements int) bool {
	c.Beyond = s.beyond(c.Beyond[:0])
	s.long = c.Long(elements)
	return !s.long
}

// beyond appends what the patterns make of elements to dst: names of keys.
func (s *sorting) beyond(dst []shard.Pattern) []shard.Pattern {
	if s.by != nil {
		dst = appendNames(dst, s.by)
	}
	for _, pattern := range s.get {
		dst = appendNames(dst, pattern)
	}
	return dst
}

func appendNames(dst []shard.Pattern, pattern []byte) []shard.Pattern {
	if at := asterisk(pattern); at >= 0 {
		rest, _ := splitField(pattern[at+1:])
		dst = append(dst, shard.Pattern{Prefix: string(pattern[:at]), Suffix: string(rest)})
	}
	return dst
}

func (s *sorting) loadList(c *Ctx, v *lists.Value) {
	n := v.Len()
	from, to := s.part(n)
	if from == to || !s.begins(c, to-from) {
		return
	}
	it := v.From(from)
	if s.asIs && s.descending {
		it = v.BackFrom(n - 1 - from)
	}
	for range to - from {
		s.elems.add(s.texts.copied(it.Element())) // which dies when the iterator comes to another node
		it.Next()
		c.Pause(1)
	}
}

// loadSet sorts the members where an order is not asked for but the result is stored, by their bytes, or goes to a
// script: as they have no order, what is done with the result has to be the same everywhere.
func (s *sorting) loadSet(c *Ctx, v *sets.Value) {
	if s.asIs && (s.store != nil || c.Scripted) {
		s.asIs, s.alpha, s.by = false, true, nil
	}
	s.limit(v.Len())
	if !s.begins(c, v.Len()) {
		return
	}
	var b sets.Batch
	for it := v.Iter(); it.Next(&b); {
		for _, e := range b.Members() {
			s.elems.add(s.texts.kept(e))
		}
		c.Pause(len(b.Members()))
	}
}

func (s *sorting) loadZSet(c *Ctx, v *zset.Value) {
	n := v.Len()
	from, to := s.part(n)
	if !s.begins(c, to-from) {
		return
	}
	it := v.Ascend(from, to)
	if s.asIs && s.descending {
		it = v.Descend(n-to, n-from)
	}
	for e, _, ok := it.Next(); ok; e, _, ok = it.Next() {
		s.elems.add(s.texts.kept(e))
		c.Pause(1)
	}
}

// weigh finds out what each element is sorted by.
func (s *sorting) weigh(c *Ctx) {
	for i := range s.elems.n {
		c.Pause(1)
		x := s.elems.at(i)
		if s.by == nil && s.alpha && x.elem.kind != textInteger {
			x.weight = x.elem
			continue
		}
		weight := s.texts.element(x.elem)
		if s.by != nil {
			var ok bool
			if weight, ok = s.lookup(c, s.by, weight); !ok {
				continue
			}
		}
		switch {
		case !s.alpha:
			s.setScore(x, weight)
		case weight.IsInt:
			x.weight = s.texts.copied(listpack.Element{Bytes: shard.AppendInt(s.scratch[:0], weight.Int)})
		default:
			x.weight = s.texts.kept(weight)
		}
	}
}

// setScore makes x sorted by the number that weight is, to its first zero byte.
func (s *sorting) setScore(x *sortElement, weight listpack.Element) {
	if weight.IsInt {
		x.setScore(float64(weight.Int))
		return
	}
	f, n, inRange := strtod(weight.Bytes)
	x.setScore(f)
	ended := n == len(weight.Bytes) || weight.Bytes[n] == 0
	if !ended || !inRange || math.IsNaN(f) {
		s.notANumber = true
	}
}

// lookup returns the value of the key, or of the field of the hash, that pattern makes of elem.
func (s *sorting) lookup(c *Ctx, pattern []byte, elem listpack.Element) (value listpack.Element, ok bool) {
	if string(pattern) == "#" {
		return elem, true
	}
	at := asterisk(pattern)
	if at < 0 {
		return value, false
	}
	rest, field := splitField(pattern[at+1:])
	s.name = append(elem.Append(append(s.name[:0], pattern[:at]...)), rest...)
	k := c.KeyOf(c.DB, s.name)
	e := c.lookup(&k)
	switch {
	case !e.Exists():
		return value, false
	case field != nil:
		return c.fieldOf(&k, e, field)
	case e.Type() != types.String:
		return value, false
	}
	if n, ok := k.DB.Integer(e); ok {
		return listpack.Element{Int: n, IsInt: true}, true
	}
	return listpack.Element{Bytes: k.DB.Bytes(e, nil)}, true
}

// splitField splits what stands after a pattern's asterisk at the arrow that a field of a hash follows; field is nil
// if there is none.
func splitField(rest []byte) (suffix, field []byte) {
	if i := bytes.Index([]byte(cString(rest)), []byte("->")); i >= 0 && i+2 < len(rest) && rest[i+2] != 0 {
		return rest[:i], rest[i+2:]
	}
	return rest, nil
}

// fieldOf returns a field of the hash of e, if it is one.
func (c *Ctx) fieldOf(k *shard.Key, e shard.Entry, field []byte) (value listpack.Element, ok bool) {
	if e.Type() != types.Hash {
		return value, false
	}
	v := hash.Open(k.DB.Space(), k.DB.Root(e))
	v.NowMS = c.fieldsNow()
	return v.Get(field)
}

// sortKey stands for an element while they are sorted.
type sortKey struct {
	head uint64 // of which greater ones are greater, if they differ: the score, or the first bytes of the weight
	at   int    // in elems
}

func (s *sorting) headOf(x *sortElement) uint64 {
	if s.alpha {
		return s.textHead(s.texts.bytes(x.weight))
	}
	const sign = 1 << 63
	b := math.Float64bits(x.score() + 0) // 0 for -0
	if b&sign != 0 {
		return ^b
	}
	return b | sign
}

// textHead returns the first bytes that compareText looks at.
func (s *sorting) textHead(text []byte) uint64 {
	var b [8]byte
	n := copy(b[:], text)
	if s.store == nil {
		if i := bytes.IndexByte(b[:n], 0); i >= 0 {
			clear(b[i:])
		}
	}
	return binary.BigEndian.Uint64(b[:])
}

// makeOrder makes room for the keys of n elements. On the Go heap that of a million would be cleared in one step.
func (s *sorting) makeOrder(c *Ctx, n int) {
	if n >= longElements {
		if order, drop := shard.Scratch[sortKey](c.KS, n); drop != nil {
			s.order, s.dropOrder = order[:0], drop
			return
		}
	}
	s.order = slices.Grow(s.order, n)
}

// arrange sorts the elements, or as much of them as is wanted. Equal ones stay in their order, but for the case in which Redis
// has its own quicksort sort a part.
func (s *sorting) arrange(c *Ctx) {
	n := s.elems.n
	if s.from == s.to {
		return
	}
	s.makeOrder(c, n)
	for i := range n {
		s.order = append(s.order, sortKey{s.headOf(s.elems.at(i)), i})
		c.Pause(1)
	}
	compare := s.compare
	if c.Yield != nil {
		compare = func(a, b sortKey) int {
			c.Pause(1)
			return s.compare(a, b)
		}
	}
	stable := func(a, b sortKey) int {
		if r := compare(a, b); r != 0 {
			return r
		}
		return a.at - b.at
	}
	switch {
	case s.to-s.from == n:
		slices.SortFunc(s.order, stable)
	case s.by != nil:
		sortPart(s.order, s.from, s.to, func(a, b *sortKey) int { return compare(*a, *b) })
	default:
		sortPart(s.order, s.from, s.to, func(a, b *sortKey) int { return stable(*a, *b) })
	}
}

func (s *sorting) compare(a, b sortKey) (r int) {
	if r = cmp.Compare(a.head, b.head); r == 0 {
		r = s.compareWhole(s.elems.at(a.at), s.elems.at(b.at))
	}
	if s.descending {
		return -r
	}
	return r
}

// compareWhole compares elements whose keys have the same head.
func (s *sorting) compareWhole(a, b *sortElement) int {
	switch {
	case !s.alpha:
		return compareElements(s.texts.element(a.elem), s.texts.element(b.elem))
	case a.weight.kind != textNone && b.weight.kind != textNone:
		return s.compareText(s.texts.bytes(a.weight), s.texts.bytes(b.weight))
	case a.weight.kind != textNone:
		return 1
	case b.weight.kind != textNone:
		return -1
	}
	return 0
}

// compareElements compares the texts of two elements.
func compareElements(a, b listpack.Element) int {
	var room [2][20]byte
	x, y := a.Bytes, b.Bytes
	if a.IsInt {
		x = shard.AppendInt(room[0][:0], a.Int)
	}
	if b.IsInt {
		y = shard.AppendInt(room[1][:0], b.Int)
	}
	return bytes.Compare(x, y)
}

// collate compares as strcoll does in the C locale: up to the first zero byte.
func collate(a, b []byte) int {
	if i := bytes.IndexByte(a, 0); i >= 0 {
		a = a[:i]
	}
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return bytes.Compare(a, b)
}

// each calls visit with each element of the result; ok is false for a GET that finds nothing.
func (s *sorting) each(c *Ctx, visit func(e listpack.Element, ok bool)) {
	for i := s.from; i < s.to; i++ {
		x := i
		if len(s.order) > 0 {
			x = s.order[i].at
		}
		elem := s.texts.element(s.elems.at(x).elem)
		if len(s.get) == 0 {
			visit(elem, true)
		}
		for _, pattern := range s.get {
			visit(s.lookup(c, pattern, elem))
		}
		c.Pause(1)
	}
}

// resultLen returns how many elements the result has.
func (s *sorting) resultLen() int { return (s.to - s.from) * max(len(s.get), 1) }

func (s *sorting) reply(c *Ctx) {
	c.Reply.Array(s.resultLen())
	s.each(c, func(e listpack.Element, ok bool) {
		if !ok {
			c.Reply.Null()
			return
		}
		c.bulkElement(e)
	})
}

// keep makes the result, a list, the value of the key to store at.
func (s *sorting) keep(c *Ctx) {
	n := s.resultLen()
	if n == 0 {
		if s.store.DB.Delete(s.store) {
			c.Changed(1)
			c.Notify(NotifyGeneric, "del", s.store.Name)
		}
		c.Reply.Int(0)
		return
	}
	v := lists.New(s.store.DB.Space())
	room := true
	s.each(c, func(e listpack.Element, _ bool) {
		text := e.Bytes
		if e.IsInt {
			text = shard.AppendInt(s.scratch[:0], e.Int)
		}
		room = room && v.PushTail(c.Env.Limits, text)
	})
	c.notifyNew(s.store)
	if !room || !s.store.DB.Add(s.store, v.Root(), shard.SetMode{}) {
		s.store.DB.FreeRoot(v.Root())
		c.Error(ErrNoMemory)
		return
	}
	c.Changed(n)
	c.Notify(NotifyList, "sortstore", s.store.Name)
	c.Reply.Int(int64(n))
}
