package hll

import "encoding/binary"

// Union is the registers of several HyperLogLogs, the highest of each. The zero Union is that of none.
type Union [Registers]uint8

// Add adds b. After ErrCorrupt u is of no use.
func (u *Union) Add(b []byte) error {
	if IsDense(b) {
		u.addDense(b)
		return nil
	}
	return walk(b, func(first, n, value int) {
		for i := first; i < first+n; i++ {
			u[i] = max(u[i], uint8(value))
		}
	})
}

// addDense takes the maxima of eight registers at once (BenchmarkUnion: 3 times faster than one by one).
func (u *Union) addDense(b []byte) {
	const high = 0x8080808080808080
	b = b[:DenseBytes]
	for i := range Registers / 8 {
		r := u[8*i : 8*i+8]
		was, is := binary.LittleEndian.Uint64(r), spread(eightRegisters(b, i))
		more := ((is | high) - was) & high // the bytes in which is >= was
		mask := more<<1 - more>>7
		binary.LittleEndian.PutUint64(r, is&mask|was&^mask)
	}
}

// spread gives each of eight numbers of 6 bits a byte.
func spread(w uint64) uint64 {
	w = w&0xffffff | w<<8&0xffffff00000000
	w = w&0x00000fff00000fff | w<<4&0x0fff00000fff0000
	return w&0x003f003f003f003f | w<<2&0x3f003f003f003f00
}

// Count estimates how many different elements the union has.
func (u *Union) Count() uint64 {
	var h histogram
	for _, r := range u {
		h[r&maxRegister]++
	}
	return h.estimate()
}

// Store writes the registers to b, one of the HyperLogLogs of the union. The result is b, changed in place, or a new slice; it
// is dense if b or dense says so, or as for [Set].
func (u *Union) Store(b []byte, dense bool, sparseMax int) []byte {
	var w writer
	for i := 0; i < Registers && !dense && !IsDense(b); i++ {
		if u[i] == 0 {
			continue
		}
		next, _, err := w.set(b, i, int(u[i]), sparseMax)
		if err != nil {
			break // the union would have refused b
		}
		b = next
	}
	if dense && !IsDense(b) {
		header := b[:HeaderBytes]
		b = make([]byte, DenseBytes)
		copy(b, header)
		b[formAt] = formDense
	}
	if IsDense(b) {
		for i, r := range u {
			setDense(b, i, int(r))
		}
	}
	Invalidate(b)
	return b
}
