package sketch

import "github.com/shoaldb/shoal/alloc"

const (
	keysPerBlock = 16 // of the keys that there are; a block has 128 counters of 4 bits
	maxCount     = 15

	// agePeriod is after how many accesses for each key all counters have been halved once.
	agePeriod = 10
)

// Frequency counts accesses: a count-min sketch with conservative update whose four counters of a key lie in one block, and which forgets:
// every so many accesses a block's counters are halved, one block after the other. (G. Einziger, R. Friedman and B. Manes, TinyLFU: A Highly
// Efficient Cache Admission Policy, ACM Transactions on Storage 13, 2017.)
type Frequency struct {
	blocks
	age  int    // accesses since a block was aged
	hand uint32 // the block that is aged next
}

// Bytes returns the memory that f takes.
func (f *Frequency) Bytes() int { return f.bytes() }

// Address returns where the counters of the key of hash h lie, for prefetching, or 0.
func (f *Frequency) Address(a *alloc.Arena, h uint64) uintptr { return f.address(a, mix(h)) }

// Fit adapts the table, one block at a time, to the number of keys there are.
func (f *Frequency) Fit(a *alloc.Arena, keys int) { f.fit(a, keys/keysPerBlock+1) }

// Clear gives back memory, some 1 KiB for each of limit, and returns whether none is left.
func (f *Frequency) Clear(a *alloc.Arena, limit int) bool {
	f.age, f.hand = 0, 0
	return f.clear(a, limit)
}

// counters of a key: each of the four is one of 32 in two words.
func slots(m uint64) (word [4]uint32, shift [4]uint32) {
	for i := range word {
		at := uint32(m>>(5*i)) & 31
		word[i] = uint32(2*i) + at>>4
		shift[i] = at & 15 * 4
	}
	return word, shift
}

// Add counts an access to the key of hash h.
func (f *Frequency) Add(a *alloc.Arena, h uint64) {
	if f.n == 0 {
		return
	}
	m := mix(h)
	b := f.at(a, f.number(m))
	word, shift := slots(m)
	least := b.least(word, shift)
	if least < maxCount {
		for i := range word {
			if b[word[i]&7]>>shift[i]&maxCount == least {
				b[word[i]&7] += 1 << shift[i]
			}
		}
	}
	if f.age++; f.age >= agePeriod*keysPerBlock {
		f.age = 0
		f.halve(a)
	}
}

func (b *block) least(word, shift [4]uint32) uint64 {
	least := uint64(maxCount)
	for i := range word {
		least = min(least, b[word[i]&7]>>shift[i]&maxCount)
	}
	return least
}

// halve halves the counters of one block.
func (f *Frequency) halve(a *alloc.Arena) {
	if f.hand >= f.n {
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
	if f.n == 0 {
		return 0
	}
	m := mix(h)
	word, shift := slots(m)
	return int(f.at(a, f.number(m)).least(word, shift))
}
