package sketch

import "github.com/shoaldb/shoal/alloc"

const (
	keysPerBlock = 16 // of the keys that there are; a block has 128 counters of 4 bits
	maxCount     = 15

	// agePeriod is after how many accesses for each key all counters have been halved once.
	agePeriod = 5
)

// Frequency counts accesses: a count-min sketch with conservative update whose four counters of a key lie in one block,
// and which forgets: every so many accesses a block's counters are halved, one block after the other. (G. Einziger, R.
// Friedman and B. Manes, TinyLFU: A Highly Efficient Cache Admission Policy, ACM Transactions on Storage 13, 2017.)
type Frequency struct {
	blocks
	age  int    // accesses since a block was aged
	hand uint32 // the block that is aged next
}

// Bytes returns the memory that f takes.
func (f *Frequency) Bytes() int { return f.bytes() }

// Peek returns where the counters of the key of hash h lie, for prefetching, or 0. It needs no lock.
func (f *Frequency) Peek(a *alloc.Arena, h uint64) uintptr { return f.peek(a, mix(h)) }

// Fit adapts the table, one block at a time, to the number of keys there are.
func (f *Frequency) Fit(a *alloc.Arena, keys int) { f.fit(a, keys/keysPerBlock+1) }

// Clear gives back memory, some 1 KiB for each of limit, and returns whether none is left.
func (f *Frequency) Clear(a *alloc.Arena, limit int) bool {
	f.age, f.hand = 0, 0
	return f.clear(a, limit)
}

// counter is one of the four of a key: one of 32 in two words of the block.
type counter struct {
	word  *uint64
	shift uint64
}

func (c counter) value() uint64 { return *c.word >> (c.shift & 63) & maxCount }

// addIf adds 1 if the value is least. It has no branch, as which of the four are is anybody's guess.
func (c counter) addIf(least uint64) {
	differs := c.value() ^ least
	*c.word += (differs - 1) >> 63 << (c.shift & 63)
}

// counters returns those of a mixed hash.
func (b *block) counters(m uint64) (c0, c1, c2, c3 counter) {
	c0 = counter{&b[m>>4&1], m & 15 * 4}
	c1 = counter{&b[2+m>>9&1], m >> 5 & 15 * 4}
	c2 = counter{&b[4+m>>14&1], m >> 10 & 15 * 4}
	c3 = counter{&b[6+m>>19&1], m >> 15 & 15 * 4}
	return c0, c1, c2, c3
}

// Add counts an access to the key of hash h.
func (f *Frequency) Add(a *alloc.Arena, h uint64) {
	if f.n.Load() == 0 {
		return
	}
	m := mix(h)
	c0, c1, c2, c3 := f.find(a, m).counters(m)
	if least := min(c0.value(), c1.value(), c2.value(), c3.value()); least < maxCount {
		c0.addIf(least)
		c1.addIf(least)
		c2.addIf(least)
		c3.addIf(least)
	}
	if f.age++; f.age >= agePeriod*keysPerBlock {
		f.age = 0
		f.halve(a)
	}
}

// halve halves the counters of one block.
func (f *Frequency) halve(a *alloc.Arena) {
	if f.hand >= f.n.Load() {
		f.hand = 0
	}
	b := f.at(a, f.hand)
	for i := range b {
		b[i] = b[i] >> 1 & 0x7777777777777777
	}
	f.hand++
}

// Count returns about how often the key of hash h was accessed lately: at most 15, never much too low.
func (f *Frequency) Count(a *alloc.Arena, h uint64) int {
	if f.n.Load() == 0 {
		return 0
	}
	m := mix(h)
	c0, c1, c2, c3 := f.find(a, m).counters(m)
	return int(min(c0.value(), c1.value(), c2.value(), c3.value()))
}
