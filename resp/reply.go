package resp

import (
	"bytes"
	"errors"
)

// Type is a reply's first byte.
type Type byte

// The types of RESP2 and RESP3.
const (
	TypeSimple    Type = '+'
	TypeError     Type = '-'
	TypeInt       Type = ':'
	TypeBulk      Type = '$'
	TypeArray     Type = '*'
	TypeNull      Type = '_'
	TypeBool      Type = '#'
	TypeDouble    Type = ','
	TypeBigNumber Type = '('
	TypeBulkError Type = '!'
	TypeVerbatim  Type = '='
	TypeMap       Type = '%'
	TypeSet       Type = '~'
	TypePush      Type = '>'
	TypeAttribute Type = '|'
)

// Value is one reply.
type Value struct {
	Type Type
	Null bool    // RESP3's null, or RESP2's: then Type is TypeBulk or TypeArray
	Int  int64   // of an integer; 1 for true
	Str  []byte  // text of anything but aggregates; aliases the input
	List []Value // elements of an aggregate; a map's keys and values in turn
	Attr []Value // attributes before the reply, keys and values in turn
}

var (
	// ErrIncomplete says that a reply goes on beyond the input.
	ErrIncomplete = errors.New("resp: incomplete reply")
	// ErrReply says that the input is not a reply.
	ErrReply = errors.New("resp: malformed reply")
)

// maxDepth bounds the nesting of replies, and so the stack that they take.
const maxDepth = 512

// ParseReply reads the reply at the beginning of in and returns it and its
// length. It begins anew each time; find the end with a ReplyScanner first
// where a reply comes in many pieces.
func ParseReply(in []byte) (v Value, n int, err error) {
	return parseReply(in, 0)
}

func parseReply(in []byte, depth int) (v Value, n int, err error) {
	line, n, err := replyLine(in)
	if err != nil {
		return v, 0, err
	}
	v.Type, v.Str = Type(in[0]), line
	switch v.Type {
	case TypeSimple, TypeError, TypeDouble, TypeBigNumber:
		return v, n, nil
	case TypeInt:
		v.Int, err = replyNumber(line)
		return v, n, err
	case TypeBool:
		return parseBool(v, n)
	case TypeNull:
		v.Null = true
		return v, n, nil
	case TypeBulk, TypeBulkError, TypeVerbatim:
		return parseBulk(in, v, n)
	case TypeArray, TypeSet, TypePush, TypeMap, TypeAttribute:
		if depth >= maxDepth {
			return Value{}, 0, ErrReply
		}
		return parseAggregate(in, v, n, depth+1)
	}
	return Value{}, 0, ErrReply
}

// replyLine returns what stands between the first byte and the "\r\n", and the
// length of all.
func replyLine(in []byte) (line []byte, n int, err error) {
	i := bytes.IndexByte(in, '\n')
	switch {
	case i < 0:
		return nil, 0, ErrIncomplete
	case i < 2 || in[i-1] != '\r':
		return nil, 0, ErrReply
	}
	return in[1 : i-1 : i-1], i + 1, nil
}

func replyNumber(line []byte) (int64, error) {
	n, ok := parseInt(line)
	if !ok {
		return 0, ErrReply
	}
	return n, nil
}

func parseBool(v Value, n int) (Value, int, error) {
	switch string(v.Str) {
	case "t":
		v.Int = 1
	case "f":
	default:
		return Value{}, 0, ErrReply
	}
	return v, n, nil
}

// parseBulk reads the body of a bulk string whose size is v.Str. n is the index
// after the header.
func parseBulk(in []byte, v Value, n int) (Value, int, error) {
	size, err := replyNumber(v.Str)
	switch {
	case err != nil || size < -1:
		return Value{}, 0, ErrReply
	case size == -1:
		v.Str, v.Null = nil, true
		return v, n, nil
	case size > int64(len(in)-n-2):
		return Value{}, 0, ErrIncomplete
	}
	end := n + int(size)
	if in[end] != '\r' || in[end+1] != '\n' {
		return Value{}, 0, ErrReply
	}
	v.Str = in[n:end:end]
	return v, end + 2, nil
}

// parseAggregate reads the elements of an aggregate whose count is v.Str. n is
// the index after the header.
func parseAggregate(in []byte, v Value, n, depth int) (Value, int, error) {
	count, err := replyNumber(v.Str)
	v.Str = nil
	switch {
	case err != nil || count < -1 || count > maxArgs:
		return Value{}, 0, ErrReply
	case count == -1:
		v.Null = true
		return v, n, nil
	}
	if v.Type == TypeMap || v.Type == TypeAttribute {
		count *= 2
	}
	// The shortest element has three bytes.
	v.List = make([]Value, 0, min(int(count), len(in)/3))
	for ; count > 0; count-- {
		elem, size, err := parseReply(in[n:], depth)
		if err != nil {
			return Value{}, 0, err
		}
		v.List = append(v.List, elem)
		n += size
	}
	if v.Type != TypeAttribute {
		return v, n, nil
	}
	attributed, size, err := parseReply(in[n:], depth)
	if err != nil {
		return Value{}, 0, err
	}
	attributed.Attr = append(v.List, attributed.Attr...)
	return attributed, n + size, nil
}
