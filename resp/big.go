package resp

// BigBuffers supplies the memory of large arguments: those of which at least 64
// KiB are still missing when they begin. A server backs it with memory that
// costs nothing until it is touched, and that its store can adopt.
type BigBuffers interface {
	// Get returns a buffer of at least n bytes (its length). It is asked for
	// as soon as a client has announced n bytes, so it must be lazy.
	Get(n int) []byte
	// Put takes back a buffer from Get, same slice. It is called for each one
	// that TakeBig has not given away.
	Put(b []byte)
}

// On the Go heap a large argument's buffer grows in few steps, so that a client
// which only announces holds little: 1 MiB, then 32 times that, then all.
const (
	heapFirst  = 1 << 20
	heapFactor = 32
)

// getBig returns a buffer for an argument of size bytes, n of them at hand.
func getBig(big BigBuffers, size, n int) []byte {
	if big != nil {
		return big.Get(size)
	}
	return make([]byte, min(size, max(n, heapFirst)))
}

// growBig moves body into a larger buffer on the Go heap, with room for n more
// bytes. Buffers from BigBuffers never need it.
func growBig(body []byte, size, n int) []byte {
	need := max(len(body)+n, heapFactor*cap(body))
	if need > size/2 {
		need = size
	}
	buf := make([]byte, need)
	copy(buf, body)
	return buf
}

func putBig(big BigBuffers, b []byte) {
	if big != nil {
		big.Put(b)
	}
}

// TakeBig hands the buffer that holds arg, an argument from Next, over to the
// caller, if arg is the whole content of a large one. The caller then owns buf;
// arg is its beginning, and stays valid. Otherwise it returns nil.
func (p *Parser) TakeBig(arg []byte) (buf []byte) {
	if p.done == nil || len(arg) == 0 {
		return nil
	}
	for a := p.done; a != nil; a = a.next {
		for i, b := range a.bigs {
			if &b[0] == &arg[0] {
				last := len(a.bigs) - 1
				a.bigs[i], a.bigs[last] = a.bigs[last], nil
				a.bigs = a.bigs[:last]
				return b
			}
		}
	}
	return nil
}
