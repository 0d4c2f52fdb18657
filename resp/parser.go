package resp

import "encoding/binary"

// Status is what Next found.
type Status uint8

const (
	// NeedMore: the input holds no further complete command. All of it has
	// been consumed or copied; the caller may reuse its receive buffer.
	NeedMore Status = iota
	// Command: one command's arguments were appended, at least one.
	Command
	// Error: the stream broke the protocol. The connection gets "-ERR " and
	// the error's text and is closed; Next repeats the error for ever.
	Error
)

// DefaultMaxBulk is proto-max-bulk-len's default, in bytes.
const DefaultMaxBulk = 512 << 20

// Limits bounds what a command may announce. A Limits may be shared by all
// connections in the same state.
type Limits struct {
	// MaxBulk is the longest argument allowed, in bytes (proto-max-bulk-len).
	MaxBulk int64
	// Unauthenticated allows at most 10 arguments of at most 16384 bytes, as
	// long as the client has yet to authenticate. AUTH lifts it, so a client
	// in this state must have each command executed before the next is parsed.
	Unauthenticated bool
}

const (
	unauthMaxArgs = 10
	unauthMaxBulk = 16384
)

// maxBulk returns the longest argument allowed, in bytes.
func (l *Limits) maxBulk() int64 {
	if l.Unauthenticated && l.MaxBulk > unauthMaxBulk {
		return unauthMaxBulk
	}
	return l.MaxBulk
}

// maxArgs returns the largest argument count that may be announced.
func (l *Limits) maxArgs() int {
	if l.Unauthenticated {
		return unauthMaxArgs
	}
	return maxArgs
}

// maxArgs is the largest argument count that redis 7.0 accepts (INT_MAX). It
// costs nothing to announce: memory is taken as arguments arrive.
const maxArgs = 1<<31 - 1

// Parser cuts one connection's input into commands. The zero Parser is ready
// to use. An idle one holds no memory but itself. See the package comment for
// states and ownership.
type Parser struct {
	// Big supplies the memory of large arguments; nil means the Go heap.
	Big BigBuffers

	in    []byte    // input not yet dropped; in[pos:] is not yet parsed
	pos   int       // next byte of in to parse
	fed   int       // Buffered at the last Feed or Release
	part  *assembly // the command begun and not complete, or nil
	done  *assembly // complete commands whose memory is ours, until Release
	owned bool      // in is our copy (Detach), not the caller's buffer
}

// Feed gives the parser the next received bytes, and invalidates every slice
// that Next has returned. The parser reads in until Next has returned NeedMore
// or Detach was called; until then in must not change. Feed must not be called
// before that, except to add to detached input.
func (p *Parser) Feed(in []byte) {
	p.Release()
	if p.pos == len(p.in) {
		p.in, p.pos, p.owned = in, 0, false
		p.fed = p.Buffered()
		return
	}
	p.feedDetached(in)
}

// feedDetached appends in to the detached input. Parsed bytes are squeezed out
// only when they are at least half, so that the cost per byte is constant.
func (p *Parser) feedDetached(in []byte) {
	if !p.owned {
		panic("resp: Feed before Next has returned NeedMore")
	}
	if p.pos >= len(p.in)-p.pos {
		p.in = p.in[:copy(p.in, p.in[p.pos:])]
		p.pos = 0
	}
	p.in = append(p.in, in...)
	p.fed = p.Buffered()
}

// Detach copies the input not parsed yet into memory of the parser, so that the
// caller may reuse its receive buffer although Next has not returned NeedMore:
// the client is blocked or paused. Next goes on from there without Feed.
// Arguments that alias the receive buffer live as long as that buffer does.
func (p *Parser) Detach() {
	if p.owned {
		return
	}
	rest := p.in[p.pos:]
	p.in, p.pos = nil, 0
	if len(rest) > 0 {
		p.in, p.owned = append(p.in, rest...), true
	}
}

// Release frees the memory of the commands parsed so far and invalidates their
// arguments. Call it when a batch has been executed, lest an idle connection
// hold memory; Feed does it too.
func (p *Parser) Release() {
	if p.done != nil {
		p.releaseDone()
	}
	p.fed = p.Buffered()
}

// Close frees everything the parser holds and readies it for another
// connection.
func (p *Parser) Close() {
	p.releaseDone()
	if p.part != nil {
		p.part.release(p.Big)
	}
	*p = Parser{Big: p.Big}
}

// Pending returns the input not parsed yet, without the bytes already taken
// into an incomplete command. It lives as long as the input does.
func (p *Parser) Pending() []byte { return p.in[p.pos:] }

// Buffered returns how many bytes wait for execution: the input not parsed yet
// and what is held for an incomplete command, each argument's bookkeeping
// included. client-query-buffer-limit bounds it.
func (p *Parser) Buffered() int {
	n := len(p.in) - p.pos
	if p.part != nil {
		n += p.part.held()
	}
	return n
}

// QueryLen returns the length of the query buffer as CLIENT LIST shows it in
// qbuf: what Buffered was before the first command was taken since the last
// Feed or Release.
func (p *Parser) QueryLen() int { return p.fed }

const (
	starCRLF    = '*' | '\r'<<16 | '\n'<<24 // "*?\r\n", little-endian
	dollarCRLF1 = '$' | '\r'<<16 | '\n'<<24 // "$?\r\n"
	dollarCRLF2 = '$' | '\r'<<24 | '\n'<<32 // "$??\r\n"
	oneDigit    = 0xffff00ff
	twoDigits   = 0xffff0000ff
	minArg      = len("$0\r\n\r\n")
)

// Next appends the arguments of the next command to dst. Unless it returns
// Command, dst comes back as it was. Empty commands are skipped.
//
// The arguments are valid until the next Feed or Release. Most alias the
// input; those of a command that began in an earlier Feed may lie in memory of
// the parser.
//
// Next itself takes commands in the one form clients write, complete in the
// input; assemble does whatever else there is.
func (p *Parser) Next(dst [][]byte, lim *Limits) ([][]byte, Status, error) {
	in, i := p.in, p.pos
	if p.part != nil || len(in)-i < 4+minArg {
		return p.assemble(dst, lim)
	}
	head := binary.LittleEndian.Uint32(in[i:])
	n := int(head>>8&0xff) - '0'
	if head&oneDigit == starCRLF && uint(n-1) < 9 {
		i += 4
	} else if in[i] != '*' {
		return p.assemble(dst, lim)
	} else {
		n, i = canonical(in, i+1)
	}
	if n <= 0 || n > (len(in)-i)/minArg || n > lim.maxArgs() {
		return p.assemble(dst, lim)
	}

	base := len(dst)
	if cap(dst)-base < n {
		dst = growArgs(dst, n)
	}
	args := dst[base : base+n]
	maxBulk := int(lim.maxBulk())
	for k := range args {
		var size int
		if len(in)-i < 8 {
			size, i = canonicalBulk(in, i)
		} else if w := binary.LittleEndian.Uint64(in[i:]); w&oneDigit == dollarCRLF1 {
			size = int(w>>8&0xff) - '0'
			i += 4
			if uint(size) > 9 {
				size = -1
			}
		} else if tens, ones := w>>8&0xff-'1', w>>16&0xff-'0'; w&twoDigits == dollarCRLF2 && tens < 9 && ones < 10 {
			size = int(tens*10 + ones + 10)
			i += 5
		} else {
			size, i = canonicalBulk(in, i)
		}
		// Malformed (negative) and too long are one comparison.
		if uint(size) > uint(maxBulk) || size > len(in)-i-2 {
			return p.assemble(dst[:base], lim)
		}
		args[k] = in[i : i+size : i+size]
		i += size + 2
	}
	p.pos = i
	return dst[:base+n], Command, nil
}

// growArgs makes room for n more arguments.
func growArgs(dst [][]byte, n int) [][]byte {
	return append(dst, make([][]byte, n)...)[:len(dst)]
}

// canonicalBulk reads "$<digits>\r\n" at in[i:] like canonical.
func canonicalBulk(in []byte, i int) (n, next int) {
	if i >= len(in) || in[i] != '$' {
		return -1, i
	}
	return canonical(in, i+1)
}

// canonical reads a number of up to ten digits without leading zeros and its
// "\r\n" at in[i:]. It returns the number and the index behind, or -1 when
// something else stands there or the line is incomplete.
func canonical(in []byte, i int) (n, next int) {
	const maxDigits = 10
	for start := i; i < len(in) && i-start <= maxDigits; i++ {
		d := in[i] - '0'
		if d < 10 {
			n = n*10 + int(d)
			continue
		}
		if i == start || in[start] == '0' && i-start > 1 {
			break
		}
		if in[i] != '\r' || i+1 >= len(in) || in[i+1] != '\n' {
			break
		}
		return n, i + 2
	}
	return -1, i
}
