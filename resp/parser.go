package resp

import (
	"encoding/binary"
	"slices"
)

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
	head  head
	again bool // see SameHead
}

// head is how the last command began: the number of arguments and the first of these, as far as 8 to 16 bytes hold it.
type head struct {
	first, last uint64 // its first and last 8 bytes
	len         int    // bytes; 0: nothing is known
	args        int
	name        int // where the first argument begins
}

// SameHead tells whether the last command that Next returned begins as the one before it did: with the same number of
// arguments, the first of which, the command's name, is the same.
func (p *Parser) SameHead() bool { return p.again }

// note remembers the head of a command of n arguments at in, which ends after the first one, name.
func (h *head) note(in []byte, n int, name []byte) {
	const digits = len("*1\r\n$1\r\n") // as far as the name has 9 bytes at most
	h.len = 0
	if size := digits + len(name) + 2; size <= 16 && in[digits-1] == '\n' {
		*h = head{binary.LittleEndian.Uint64(in), binary.LittleEndian.Uint64(in[size-8:]), size, n, digits}
	}
}

// repeated tells whether in begins with h.
func (h *head) repeated(in []byte) bool {
	return len(in) >= h.len && h.len >= 8 && binary.LittleEndian.Uint64(in) == h.first && binary.LittleEndian.Uint64(in[h.len-8:]) == h.last
}

// Feed gives the parser the next received bytes, and invalidates every slice
// that Next has returned. The parser reads in until Next has returned NeedMore
// or Detach was called; until then in must not change. Feed must not be called
// before that, except to add to detached input.
func (p *Parser) Feed(in []byte) {
	p.Release()
	switch {
	case p.part != nil && p.part.stage == failed:
		// Nothing is parsed any more.
	case p.pos == len(p.in):
		p.in, p.pos, p.owned = in, 0, false
		p.fed = p.Buffered()
	default:
		p.feedDetached(in)
	}
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
// into an incomplete command. After Error it begins with what broke the protocol,
// or what is left of that. It lives as long as the input does.
func (p *Parser) Pending() []byte { return p.in[p.pos:] }

// Buffered returns how many bytes of input the client makes us hold: input not
// parsed yet, and the line or argument that is still incomplete. Redis bounds
// the same by client-query-buffer-limit.
func (p *Parser) Buffered() int {
	n := len(p.in) - p.pos
	if p.part != nil {
		n += p.part.lineLen + len(p.part.body) + p.part.unended()
	}
	return n
}

// ArgvMem returns how many bytes the complete arguments of an incomplete command
// take, bookkeeping included: CLIENT LIST's argv-mem between commands.
func (p *Parser) ArgvMem() int {
	if p.part == nil {
		return 0
	}
	return p.part.argSum - p.part.unended() + len(p.part.args)*sliceBytes
}

// QueryLen returns the length of the query buffer as CLIENT LIST shows it in
// qbuf: what Buffered was before the first command was taken since the last
// Feed or Release.
func (p *Parser) QueryLen() int { return p.fed }

// A header as clients write it, loaded as a little-endian word: what is left
// under the mask when its digits are blanked out.
const (
	count1     = '*' | crlf<<16 // "*?\r\n"
	size1      = '$' | crlf<<16 // "$?\r\n"
	size2      = '$' | crlf<<24 // "$??\r\n"
	size3      = '$' | crlf<<32
	size4      = '$' | crlf<<40
	mask1      = 0xff | 0xffff<<16
	mask2      = 0xff | 0xffff<<24
	mask3      = 0xff | 0xffff<<32
	mask4      = 0xff | 0xffff<<40
	shortMax   = 9999 // longest argument shortArgs takes; below unauthMaxBulk
	minArg     = len("$0\r\n\r\n")
	minCommand = len("*1\r\n") + minArg
)

// Next appends the arguments of the next command to dst. Unless it returns
// Command, dst comes back as it was. Empty commands are skipped.
//
// The arguments are valid until the next Feed or Release. Most alias the
// input; those of a command that began in an earlier Feed may lie in memory of
// the parser.
//
// Next itself takes a command in the one form that clients write, complete in the
// input: the rest goes to assemble.
func (p *Parser) Next(dst [][]byte, lim *Limits) ([][]byte, Status, error) {
	in, i := p.in, p.pos
	p.again = false
	if p.part != nil || len(in)-i < minCommand {
		p.head.len = 0
		return p.assemble(dst, lim)
	}
	if h := &p.head; h.repeated(in[i:]) && lim.MaxBulk >= shortMax && cap(dst)-len(dst) >= h.args {
		base := len(dst)
		args := dst[base : base+h.args]
		if next := shortArgs(args[1:], in, i+h.len); next >= 0 {
			args[0] = in[i+h.name : i+h.len-2 : i+h.len-2]
			p.pos, p.again = next, true
			return dst[:base+h.args], Command, nil
		}
	}
	return p.nextOther(dst, lim)
}

// nextOther is Next for a command that begins otherwise than the last one.
func (p *Parser) nextOther(dst [][]byte, lim *Limits) ([][]byte, Status, error) {
	in, i := p.in, p.pos
	begin := i
	p.head.len = 0
	head := binary.LittleEndian.Uint32(in[i:])
	n := int(head>>8&0xff) - '0'
	if head&mask1 == count1 && uint(n-1) < 9 {
		i += 4
	} else {
		n, i = canonical(in, i, '*')
		if n <= 0 || n > (len(in)-i)/minArg || n > lim.maxArgs() {
			return p.assemble(dst, lim)
		}
	}
	base := len(dst)
	if cap(dst)-base < n {
		dst = slices.Grow(dst, n)
	}
	args, next := dst[base:base+n], -1
	if lim.MaxBulk >= shortMax {
		next = shortArgs(args, in, i)
	}
	if next < 0 {
		next = longArgs(args, in, i, int(lim.maxBulk()))
	}
	if next < 0 {
		return p.assemble(dst, lim)
	}
	p.pos = next
	if n < 10 {
		p.head.note(in[begin:], n, args[0])
	}
	return dst[:base+n], Command, nil
}

// shortArgs fills args with the arguments at in[i:], of up to 9999 bytes, and
// returns the index after them, or -1 when that is not for it. It is apart from Next, calls nothing and
// knows no limits, so that all it works on stays in registers: 17 instead of 25
// ns for three arguments.
func shortArgs(args [][]byte, in []byte, i int) (next int) {
	for k := range args {
		j := i + 8
		if j > len(in) {
			return -1
		}
		w := binary.LittleEndian.Uint64(in[i:j:j])
		size := uint(w>>8&0xff) - '0'
		i += 4
		if w&mask1 == size1 {
			if size > 9 {
				return -1
			}
		} else {
			if size-1 > 8 {
				return -1
			}
			digit2 := uint(w>>16&0xff) - '0'
			size = size*10 + digit2
			i++
			if w&mask2 != size2 {
				digit3 := uint(w>>24&0xff) - '0'
				size = size*10 + digit3
				i++
				if w&mask3 != size3 {
					digit4 := uint(w>>32&0xff) - '0'
					size = size*10 + digit4
					i++
					if w&mask4 != size4 || digit4 > 9 {
						return -1
					}
				}
				if digit3 > 9 {
					return -1
				}
			}
			if digit2 > 9 {
				return -1
			}
		}
		end := i + int(size)
		if end > len(in)-2 {
			return -1
		}
		args[k] = in[i:end:end]
		i = end + 2
	}
	return i
}

// longArgs is shortArgs for arguments of any length.
func longArgs(args [][]byte, in []byte, i, maxBulk int) (next int) {
	for k := range args {
		var size int
		size, i = canonical(in, i, '$')
		if size < 0 || size > maxBulk || size > len(in)-i-2 {
			return -1
		}
		args[k] = in[i : i+size : i+size]
		i += size + 2
	}
	return i
}

// canonical reads "<kind><digits>\r\n" at in[i:]: up to ten digits, without
// leading zeros. It returns the number and the index after the line, or -1 when
// something else stands there or the line is incomplete.
func canonical(in []byte, i int, kind byte) (n, next int) {
	const maxDigits = 10
	if i+4 > len(in) || in[i] != kind {
		return -1, i
	}
	i++
	lead := in[i]
	for start := i; i < len(in) && i-start <= maxDigits; i++ {
		d := in[i] - '0'
		if d < 10 {
			n = n*10 + int(d)
			continue
		}
		if in[i] != '\r' || i+1 >= len(in) || in[i+1] != '\n' || i == start || lead == '0' && i-start > 1 {
			break
		}
		return n, i + 2
	}
	return -1, i
}
