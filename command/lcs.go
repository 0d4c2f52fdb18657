package command

import (
	"math"
	"math/bits"
	"slices"

	"github.com/shoaldb/shoal/types"
)

// lcsOptions are the options of LCS.
type lcsOptions struct {
	length, ranges, matchLen bool
	minMatch                 int64
}

// lcs looks at the keys before its options, as redis does: a wrong type wins over a wrong option.
func lcs(c *Ctx) {
	var scratch [2][20]byte
	var text [2][]byte
	bad := false
	for i := range text {
		k := &c.Keys[i]
		e := c.lookup(k)
		switch {
		case !e.Exists():
		case e.Type() != types.String:
			bad = true
		default:
			text[i] = k.DB.Bytes(e, scratch[i][:])
		}
	}
	if bad {
		c.Error(ErrLCSTypes)
		return
	}
	o, ok := c.parseLCSOptions()
	if !ok {
		return
	}
	a, b := text[0], text[1]
	if len(a) >= math.MaxUint32-1 || len(b) >= math.MaxUint32-1 {
		c.Error(ErrLCSLength)
		return
	}
	// What redis' table of 32-bit lengths would take; ours takes a sixteenth of it.
	if bytes := uint64(len(a)+1) * uint64(len(b)+1); bytes > uint64(c.Env.MaxBulk)/4 {
		c.Error(ErrLCSMemory)
		return
	}
	if words := (len(b) + 63) / 64; c.Long((len(a)*words + len(a) + len(b)) / wordsPerElement) {
		return
	}
	t := newLCSTable(c, a, b)
	switch {
	case o.ranges:
		c.replyLCSRanges(t, o)
	case o.length:
		c.Reply.Int(int64(t.length))
	case c.Yield != nil: // what has been replied is sent at the end of a step
		text := make([]byte, t.length)
		t.subsequence(text)
		c.Reply.Bulk(text)
	default:
		t.subsequence(c.Reply.ReserveBulk(t.length))
	}
}

func (c *Ctx) parseLCSOptions() (o lcsOptions, ok bool) {
	for i := 3; i < len(c.Args); i++ {
		switch {
		case c.isOption(i, "IDX"):
			o.ranges = true
		case c.isOption(i, "LEN"):
			o.length = true
		case c.isOption(i, "WITHMATCHLEN"):
			o.matchLen = true
		case c.isOption(i, "MINMATCHLEN") && i+1 < len(c.Args):
			i++
			if o.minMatch, ok = c.intArg(i); !ok {
				return o, false
			}
		default:
			c.Error(ErrSyntax)
			return o, false
		}
	}
	if o.length && o.ranges {
		c.Error(ErrLCSOptions)
		return o, false
	}
	return o, true
}

func (c *Ctx) replyLCSRanges(t *lcsTable, o lcsOptions) {
	c.Reply.Map(2)
	c.Reply.BulkString("matches")
	list := c.beginArray(1)
	n := 0
	t.runs(func(endA, endB, length int) {
		if int64(length) < o.minMatch {
			return
		}
		n++
		if o.matchLen {
			c.Reply.Array(3)
		} else {
			c.Reply.Array(2)
		}
		for _, end := range [2]int{endA, endB} {
			c.Reply.Array(2)
			c.Reply.Int(int64(end - length + 1))
			c.Reply.Int(int64(end))
		}
		if o.matchLen {
			c.Reply.Int(int64(length))
		}
	})
	c.endArray(list, n)
	c.Reply.BulkString("len")
	c.Reply.Int(int64(t.length))
}

// lcsTable holds the lengths L(i,j) of the longest common subsequences of a[:i] and b[:j] as bits: bit j of row i
// is clear if L(i+1,j+1) is one more than L(i+1,j). A row follows from the one before by a few operations on
// words (Hyyrö, "Bit-parallel LCS-length computation revisited", 2004).
type lcsTable struct {
	c      *Ctx
	a, b   []byte
	words  int        // per row
	rows   [][]uint64 // len(a) of them
	length int        // of the longest common subsequence of a and b
}

// wordsPerElement is how many words of the table take about as long as an element of a collection.
const wordsPerElement = 64

func newLCSTable(c *Ctx, a, b []byte) *lcsTable {
	t := &lcsTable{c: c, a: a, b: b, words: (len(b) + 63) / 64}
	if len(a) == 0 || len(b) == 0 {
		return t
	}
	t.rows = make([][]uint64, len(a))
	match := t.matchMasks()
	above := slices.Repeat([]uint64{math.MaxUint64}, t.words)
	var room []uint64 // for rows: not all are allocated, and cleared, at once
	for i, ch := range a {
		if len(room) < t.words {
			const atOnce = 8192 // words
			room = make([]uint64, t.words*min(max(atOnce/t.words, 1), len(a)-i))
		}
		t.rows[i], room = room[:t.words], room[t.words:]
		nextLCSRow(t.rows[i], above, match[ch])
		above = t.rows[i]
		c.Pause(t.words/wordsPerElement + 1)
	}
	// Bits after len(b) match nothing, so they stay set.
	for _, w := range above {
		t.length += bits.OnesCount64(^w)
	}
	return t
}

// matchMasks tells for each byte of a where it is in b.
func (t *lcsTable) matchMasks() *[256][]uint64 {
	var masks [256][]uint64
	for _, ch := range t.a {
		if masks[ch] == nil {
			masks[ch] = make([]uint64, t.words)
			t.c.Pause(t.words/wordsPerElement + 1)
		}
	}
	for j, ch := range t.b {
		if j%wordsPerElement == 0 {
			t.c.Pause(1)
		}
		if m := masks[ch]; m != nil {
			m[j/64] |= 1 << (j % 64)
		}
	}
	return &masks
}

// nextLCSRow computes a row from the one above it and the places of the row's byte.
func nextLCSRow(row, above, match []uint64) {
	above, match = above[:len(row)], match[:len(row)]
	carry := uint64(0)
	for w := range row {
		v := above[w]
		u := v & match[w]
		var sum uint64
		sum, carry = bits.Add64(v, u, carry)
		row[w] = sum | v&^u
	}
}

// grows tells whether L(i+1,j+1) is more than L(i+1,j).
func (t *lcsTable) grows(i, j int) bool {
	return t.rows[i][j/64]>>(j%64)&1 == 0
}

// walk visits the pairs of offsets that make up the longest common subsequence, from the last to the first. Where there
// are several subsequences, it prefers going back in b, as redis does.
func (t *lcsTable) walk(visit func(i, j int)) {
	i, j := len(t.a)-1, len(t.b)-1
	for i >= 0 && j >= 0 {
		if (i+j)%wordsPerElement == 0 {
			t.c.Pause(1)
		}
		switch {
		case t.a[i] == t.b[j]:
			visit(i, j)
			i--
			j--
		case t.grows(i, j):
			i--
		default:
			j--
		}
	}
}

// subsequence writes the longest common subsequence to dst, which has its length.
func (t *lcsTable) subsequence(dst []byte) {
	n := len(dst)
	t.walk(func(i, _ int) {
		n--
		dst[n] = t.a[i]
	})
}

// runs visits the maximal runs of neighbouring pairs from the last to the first: where they end in a and b, both
// included, and their length.
func (t *lcsTable) runs(visit func(endA, endB, length int)) {
	endA, endB, length := 0, 0, 0
	t.walk(func(i, j int) {
		if length > 0 && i == endA-length && j == endB-length {
			length++
			return
		}
		if length > 0 {
			visit(endA, endB, length)
		}
		endA, endB, length = i, j, 1
	})
	if length > 0 {
		visit(endA, endB, length)
	}
}
