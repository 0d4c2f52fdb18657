package resp

import (
	"bytes"
	"math"
	"sync"
)

const (
	maxLine      = 64 << 10 // longest line without its end, in bytes
	bigThreshold = 64 << 10 // an argument missing that much gets its own buffer
	firstChunk   = 512      // bytes
	lastChunk    = 81 << 10 // chunks double up to this: bigThreshold, a receive buffer of 16 KiB, and some
	keepArgs     = 64       // largest argument list kept in the pool
	sliceBytes   = 24       // bookkeeping of one argument
)

type stage uint8

const (
	atStart    stage = iota // before a command's first byte
	inInline                // in an inline command's line
	inCount                 // in the line "*<count>"
	inBulkLine              // in a line "$<size>"
	inBody                  // in an argument's bytes
	inTail                  // in the two bytes after an argument
	failed                  // the protocol was broken
)

// assembly puts together one command that the fast path does not take: one that
// goes on over several Feeds, an inline one, an odd one. It goes through every
// byte once. Arguments alias the input until Next has to return NeedMore.
type assembly struct {
	next  *assembly // in Parser.done
	stage stage
	sawCR bool // the line lacks only the byte after '\r'
	stuck bool // the line holds a NUL: as in redis, its end is never found

	left    int      // arguments to come, the current one included
	args    [][]byte // arguments complete so far
	aliased int      // args[aliased:] alias the input

	line    []byte // the current line's bytes from earlier Feeds
	lineLen int    // the current line's length so far, also when stuck

	body []byte // the current argument's bytes from earlier Feeds
	size int    // the current argument's announced size
	tail int    // bytes to skip after it

	chunk  []byte   // memory of small arguments; chunk[len:cap] is free
	argSum int      // bytes of args
	bigs   [][]byte // large arguments' buffers, as they came
	err    error
}

var assemblies = sync.Pool{New: func() any { return new(assembly) }}

// release empties a and gives it back to the pool.
func (a *assembly) release(big BigBuffers) {
	for i, b := range a.bigs {
		putBig(big, b)
		a.bigs[i] = nil
	}
	clear(a.args)
	args, line, chunk, bigs := a.args[:0], a.line[:0], a.chunk[:0], a.bigs[:0]
	if cap(args) > keepArgs {
		args = nil
	}
	if cap(line) > firstChunk {
		line = nil
	}
	if cap(chunk) > lastChunk {
		chunk = nil
	}
	if cap(bigs) > keepArgs {
		bigs = nil
	}
	*a = assembly{args: args, line: line, chunk: chunk, bigs: bigs}
	assemblies.Put(a)
}

func (p *Parser) releaseDone() {
	for a := p.done; a != nil; {
		next := a.next
		a.release(p.Big)
		a = next
	}
	p.done = nil
}

// assemble is Next for everything that Next does not take itself.
func (p *Parser) assemble(dst [][]byte, lim *Limits) ([][]byte, Status, error) {
	if p.part == nil {
		if p.pos == len(p.in) {
			p.dropInput()
			return dst, NeedMore, nil
		}
		p.part = assemblies.Get().(*assembly)
	}
	a := p.part
	st := a.run(p, lim)
	switch st {
	case Command:
		dst = append(dst, a.args...)
		p.part = nil
		a.next, p.done = p.done, a
	case NeedMore:
		if a.stage == atStart {
			p.part = nil
			a.release(p.Big)
		} else {
			a.keep()
		}
		p.dropInput()
	}
	return dst, st, a.err
}

// dropInput forgets the input, all of which has been parsed.
func (p *Parser) dropInput() { p.in, p.pos, p.owned = nil, 0, false }

// run works off the input until a command is complete or the input ends.
func (a *assembly) run(p *Parser, lim *Limits) Status {
	for a.stage != failed {
		in := p.in[p.pos:]
		if len(in) == 0 {
			return NeedMore
		}
		var used int
		switch a.stage {
		case atStart:
			a.stage = inInline
			switch {
			case in[0] == '*':
				a.stage = inCount
			case bytes.HasPrefix(in, clientHello):
				a.fail(ErrTLS)
			}
		case inInline:
			used = a.inline(in)
		case inCount:
			used = a.count(in, lim)
		case inBulkLine:
			used = a.bulkLine(in, lim)
		case inBody:
			used = a.fill(p.Big, in)
		case inTail:
			used = min(a.tail, len(in))
			a.tail -= used
			if a.tail == 0 {
				a.stage = inBulkLine
			}
		}
		if a.stage == failed {
			break
		}
		p.pos += used
		if a.left == 0 && len(a.args) > 0 && a.tail == 0 {
			return Command
		}
	}
	return Error
}

// fail notes a protocol error.
func (a *assembly) fail(err ProtocolError) {
	a.stage, a.err = failed, err
}

// readLine looks for the current line's end, the byte end, in new input. It
// returns the line without that byte, whether it is complete, and how much input
// it took. A NUL hides the end, as it does in redis, which searches with strchr.
// Beyond 64 KiB, tooLong is the error.
func (a *assembly) readLine(in []byte, end byte, tooLong ProtocolError) (line []byte, ok bool, used int) {
	seg := in[:min(len(in), maxLine+1-a.lineLen)]
	if !a.stuck {
		i := bytes.IndexByte(seg, end)
		head := seg
		if i >= 0 {
			head = seg[:i]
		}
		switch {
		case bytes.IndexByte(head, 0) >= 0:
			a.stuck, a.line = true, a.line[:0]
		case i >= 0 && a.lineLen == 0:
			return head, true, i + 1
		default:
			a.line = append(a.line, head...)
			if i >= 0 {
				return a.line, true, i + 1
			}
		}
	}
	a.lineLen += len(seg)
	if a.lineLen > maxLine {
		a.fail(tooLong)
	}
	return nil, false, len(seg)
}

// readHeader is readLine for the lines of multibulk commands. They end with
// '\r' and one byte more, whatever it is.
func (a *assembly) readHeader(in []byte, tooLong ProtocolError) (line []byte, ok bool, used int) {
	if a.sawCR {
		return a.line, true, 1
	}
	line, ok, used = a.readLine(in, '\r', tooLong)
	if !ok {
		return nil, false, used
	}
	if used < len(in) {
		return line, true, used + 1
	}
	if a.lineLen == 0 {
		a.line = append(a.line[:0], line...)
	}
	a.sawCR = true
	a.lineLen = len(line) + 1
	return nil, false, used
}

// endLine forgets the line just read.
func (a *assembly) endLine() {
	a.line, a.lineLen, a.sawCR = a.line[:0], 0, false
}

// count reads "*<count>\r\n".
func (a *assembly) count(in []byte, lim *Limits) (used int) {
	line, ok, used := a.readHeader(in, errBigCount)
	if !ok {
		return used
	}
	n, ok := parseInt(line[1:])
	switch {
	case !ok || n > maxArgs:
		a.fail(errCount)
	case lim.Unauthenticated && n > unauthMaxArgs:
		a.fail(errUnauthCount)
	case n <= 0:
		a.stage = atStart
	default:
		a.left, a.stage = int(n), inBulkLine
	}
	a.endLine()
	return used
}

// bulkLine reads "$<size>\r\n".
func (a *assembly) bulkLine(in []byte, lim *Limits) (used int) {
	line, ok, used := a.readHeader(in, errBigSize)
	if !ok {
		return used
	}
	if len(line) == 0 || line[0] != '$' {
		got := byte('\r')
		if len(line) > 0 {
			got = line[0]
		}
		a.fail(errExpected(got))
		return used
	}
	n, ok := parseInt(line[1:])
	switch {
	case !ok || n < 0 || n > lim.MaxBulk || n > math.MaxInt-2:
		a.fail(errSize)
	case lim.Unauthenticated && n > unauthMaxBulk:
		a.fail(errUnauthSize)
	default:
		a.size, a.stage = int(n), inBody
	}
	a.endLine()
	return used
}

// fill takes the current argument's bytes. It aliases the input if all are
// there and none came before.
func (a *assembly) fill(big BigBuffers, in []byte) (used int) {
	used = min(len(in), a.size-len(a.body))
	if len(a.body) == 0 && used == a.size {
		a.complete(in[:used:used])
		return used
	}
	a.reserve(big, used)
	a.body = append(a.body, in[:used]...)
	if len(a.body) == a.size {
		body := a.body[:a.size:a.size]
		a.body = nil
		a.complete(body)
		// It is the first to complete in this Feed: none before it aliases.
		a.aliased = len(a.args)
	}
	return used
}

// unended returns the length of an argument that is there but for the end of its line, or 0. As in Redis it counts as
// input still.
func (a *assembly) unended() int {
	if a.stage != inTail {
		return 0
	}
	return len(a.args[len(a.args)-1])
}

// complete adds the current argument to the list.
func (a *assembly) complete(arg []byte) {
	a.args = append(a.args, arg)
	a.argSum += len(arg)
	a.left--
	a.tail, a.stage = 2, inTail
}

// reserve makes room for n more bytes in body. A chunk or a buffer from
// BigBuffers takes the whole argument; on the Go heap a big one grows with what
// has arrived.
func (a *assembly) reserve(big BigBuffers, n int) {
	need := len(a.body) + n
	if cap(a.body) >= need {
		return
	}
	switch {
	case len(a.body) == 0 && a.size-n < bigThreshold:
		a.body = a.alloc(a.size)
	case len(a.body) == 0:
		buf := getBig(big, a.size, n)
		a.bigs = append(a.bigs, buf)
		a.body = buf[:0]
	default:
		buf := growBig(a.body, a.size, n)
		a.bigs[len(a.bigs)-1] = buf
		a.body = buf[:len(a.body)]
	}
}

// alloc cuts n bytes off the chunk and returns them, empty but not nil.
func (a *assembly) alloc(n int) []byte {
	if cap(a.chunk)-len(a.chunk) < max(n, 1) {
		size := min(max(2*cap(a.chunk), firstChunk), lastChunk)
		// With some room left, or short arguments would cost a chunk more.
		a.chunk = make([]byte, 0, max(size, n+firstChunk))
	}
	from := len(a.chunk)
	a.chunk = a.chunk[:from+n]
	return a.chunk[from : from : from+n]
}

// keep moves what aliases the input into memory of the parser.
func (a *assembly) keep() {
	for i := a.aliased; i < len(a.args); i++ {
		a.args[i] = append(a.alloc(len(a.args[i])), a.args[i]...)
	}
	a.aliased = len(a.args)
}
