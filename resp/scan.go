package resp

import "bytes"

// ReplyScanner finds the ends of replies in a stream that comes in pieces. It
// looks at every byte once and keeps none. The zero ReplyScanner stands before
// a reply.
type ReplyScanner struct {
	// Type is the type of the reply that was scanned last, or is being
	// scanned. Attributes do not count: what follows them does.
	Type Type

	todo   int64 // values to come in the current reply
	skip   int64 // bytes of a bulk string to come, "\r\n" included
	number int64 // of the header line being read
	stage  scanStage
	kind   Type // of the value being read
	neg    bool // number is negative
	inside bool // a reply has begun; todo counts
	typed  bool // Type is the current reply's
}

type scanStage uint8

const (
	scanType   scanStage = iota // before a value
	scanNumber                  // in a header's number
	scanLF                      // before a header's '\n'
	scanText                    // in a line that is a value
	scanBody                    // in a bulk string
)

// maxTodo bounds the values announced and not seen.
const maxTodo = 1 << 40

// ScanReply finds the end of the reply at the beginning of in: its length, and
// whether it is complete.
func ScanReply(in []byte) (n int, ok bool, err error) {
	var s ReplyScanner
	return s.Scan(in)
}

// Scan goes on scanning, at most to the end of one reply. It returns how many
// bytes that took, and whether the reply is complete; if not, all were taken.
// After an error the scanner is of no more use.
func (s *ReplyScanner) Scan(in []byte) (n int, ok bool, err error) {
	if !s.inside {
		s.inside, s.typed, s.todo = true, false, 1
	}
	for n < len(in) {
		switch s.stage {
		case scanType:
			err = s.begin(Type(in[n]))
			n++
		case scanNumber:
			n, err = s.readNumber(in, n)
		case scanLF:
			if in[n] != '\n' {
				return n, false, ErrReply
			}
			n++
			err = s.header()
		case scanText:
			end := bytes.IndexByte(in[n:], '\n')
			if end < 0 {
				return len(in), false, nil
			}
			n += end + 1
			s.value()
		case scanBody:
			step := min(s.skip, int64(len(in)-n))
			n += int(step)
			if s.skip -= step; s.skip == 0 {
				s.value()
			}
		}
		if err != nil {
			return n, false, err
		}
		if s.todo == 0 {
			s.inside = false
			return n, true, nil
		}
	}
	return n, false, nil
}

// begin notes a value's type.
func (s *ReplyScanner) begin(kind Type) error {
	s.kind = kind
	// Attributes come before the reply's own value, which is then the last.
	if !s.typed && s.todo == 1 && kind != TypeAttribute {
		s.Type, s.typed = kind, true
	}
	switch kind {
	case TypeBulk, TypeBulkError, TypeVerbatim, TypeArray, TypeSet, TypePush, TypeMap, TypeAttribute:
		s.stage, s.number, s.neg = scanNumber, 0, false
	case TypeSimple, TypeError, TypeInt, TypeNull, TypeBool, TypeDouble, TypeBigNumber:
		s.stage = scanText
	default:
		return ErrReply
	}
	return nil
}

// readNumber reads digits at in[n:] up to the '\r', and returns the index
// after what it read.
func (s *ReplyScanner) readNumber(in []byte, n int) (int, error) {
	for ; n < len(in); n++ {
		c := in[n]
		switch {
		case c-'0' < 10 && s.number < maxTodo:
			s.number = s.number*10 + int64(c-'0')
		case c == '\r':
			s.stage = scanLF
			return n + 1, nil
		case c == '-' && s.number == 0 && !s.neg:
			s.neg = true
		default:
			return n, ErrReply
		}
	}
	return n, nil
}

// header acts on a header line.
func (s *ReplyScanner) header() error {
	if s.neg {
		s.value() // null
		return nil
	}
	switch s.kind {
	case TypeBulk, TypeBulkError, TypeVerbatim:
		s.skip, s.stage = s.number+2, scanBody
		return nil
	case TypeMap:
		s.todo += 2 * s.number
	case TypeAttribute:
		// They come on top of the reply: its own value is still to come.
		s.todo += 2*s.number + 1
	default:
		s.todo += s.number
	}
	if s.todo > maxTodo {
		return ErrReply
	}
	s.value()
	return nil
}

// value notes that one value is done.
func (s *ReplyScanner) value() {
	s.todo--
	s.stage = scanType
}
