package hll

import "encoding/binary"

// denseRegister returns register i of a dense b.
func denseRegister(b []byte, i int) int {
	bit := i * registerBits
	at := HeaderBytes + bit/8
	w := uint(b[at])
	if at+1 < len(b) {
		w |= uint(b[at+1]) << 8
	}
	return int(w >> (bit % 8) & maxRegister)
}

// setDense sets register i of a dense b.
func setDense(b []byte, i, value int) {
	bit := i * registerBits
	at, shift := HeaderBytes+bit/8, bit%8
	b[at] = b[at]&^byte(maxRegister<<shift) | byte(value<<shift)
	if shift > 8-registerBits {
		shift = 8 - shift
		b[at+1] = b[at+1]&^byte(maxRegister>>shift) | byte(value>>shift)
	}
}

// eightRegisters returns registers 8i to 8i+7 of a dense b, 6 bits each from the lowest on; the rest of the word is 0. It reads
// two bytes in front of them, so that it stays within b at the end; the header makes that good at the beginning.
func eightRegisters(b []byte, i int) uint64 {
	return binary.LittleEndian.Uint64(b[HeaderBytes-2+8*registerBits/8*i:]) >> 16
}

// histogram counts the registers of each value.
type histogram [maxRegister + 1]int32

func (h *histogram) addDense(b []byte) {
	b = b[:DenseBytes]
	var odd histogram // two counters in turn: neighbours are often equal, and would wait for each other
	for i := range Registers / 8 {
		w := eightRegisters(b, i)
		h[w&63]++
		odd[w>>6&63]++
		h[w>>12&63]++
		odd[w>>18&63]++
		h[w>>24&63]++
		odd[w>>30&63]++
		h[w>>36&63]++
		odd[w>>42&63]++
	}
	for i, n := range odd {
		h[i] += n
	}
}

// EachRegister calls f with the value of each register of a dense b.
func EachRegister(b []byte, f func(value int)) {
	for i := range Registers {
		f(denseRegister(b, i))
	}
}

// ToDense returns the sparse b as a new dense one.
func ToDense(b []byte) ([]byte, error) {
	dense := make([]byte, DenseBytes)
	copy(dense, b[:HeaderBytes])
	dense[formAt] = formDense
	err := walk(b, func(first, n, value int) {
		for i := first; i < first+n; i++ {
			setDense(dense, i, value)
		}
	})
	if err != nil {
		return nil, err
	}
	return dense, nil
}
