package netio

// Sizes of pooled out-buffers, and how many of each an idle reactor keeps. A buffer that outgrew its class goes to the
// garbage collector. The largest takes a whole segment and the reply that ends it.
var bufClasses = [...]struct{ size, keep int }{
	{2 << 10, 4096}, // for messages: see Conn.OutShort
	{16 << 10, 256},
	{64 << 10, 64},
	{sealBytes + sealBytes/4, 16},
}

// A bufPool keeps a reactor's idle out-buffers, last used first: those are still in the cache. It belongs to the
// reactor's goroutine.
type bufPool struct {
	idle [len(bufClasses)][][]byte
	low  [len(bufClasses)]int // fewest idle since the last trim
}

// replyClass is the class of buffer that a conn begins with.
const replyClass = 1

// classFor is the class of buffer for replies of n bytes.
func classFor(n int) uint8 {
	for i := replyClass; i < len(bufClasses)-1; i++ {
		if n <= bufClasses[i].size {
			return uint8(i)
		}
	}
	return uint8(len(bufClasses) - 1)
}

func (p *bufPool) get(class uint8) []byte {
	idle := p.idle[class]
	n := len(idle) - 1
	if n < 0 {
		return make([]byte, 0, bufClasses[class].size)
	}
	b := idle[n]
	idle[n] = nil
	p.idle[class] = idle[:n]
	p.low[class] = min(p.low[class], n)
	return b
}

// put takes a buffer back, whoever made it.
func (p *bufPool) put(b []byte) {
	for i, class := range bufClasses {
		if c := cap(b); c >= class.size && c < class.size+class.size/2 {
			if len(p.idle[i]) < class.keep {
				p.idle[i] = append(p.idle[i], b[:0])
			}
			return
		}
	}
}

// trim lets go of half of the buffers that were not needed since the last trim.
func (p *bufPool) trim() {
	for i := range p.idle {
		n := len(p.idle[i])
		for range (p.low[i] + 1) / 2 {
			n--
			p.idle[i][n] = nil
		}
		p.idle[i] = p.idle[i][:n]
		p.low[i] = n
	}
}
