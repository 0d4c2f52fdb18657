package rdb

// skipper goes through a value without building it.
type skipper struct {
	*Decoder
	limit int // bytes of the value, if positive; longer ones are given up
	from  int64
	over  bool // one was
}

// Skip reads a value of type t and forgets it.
func (d *Decoder) Skip(t Type) error {
	s := skipper{Decoder: d}
	s.value(t)
	return d.err
}

// Raw returns the bytes of a value of type t, if they are at most limit; if not, nothing has been read. They are valid until the
// next call, and what is within them has not been checked.
func (d *Decoder) Raw(t Type, limit int) (raw []byte, ok bool, err error) {
	d.mark = d.pos
	s := skipper{Decoder: d, limit: limit, from: d.Offset()}
	s.value(t)
	s.check(0)
	mark := d.mark
	d.mark = -1
	switch {
	case d.err != nil:
		return nil, false, d.err
	case s.over:
		d.pos = mark
		return nil, false, nil
	}
	return d.buf[mark:d.pos], true, nil
}

// more tells whether to go on.
func (s *skipper) more() bool {
	s.check(0)
	return s.err == nil && !s.over
}

// check gives the value up if it is too long with n more bytes.
func (s *skipper) check(n int) {
	if s.limit > 0 && s.Offset()-s.from+int64(n) > int64(s.limit) {
		s.over = true
	}
}

// byte and length read no more of a value that has been given up: what stands there is not what it would be taken for.
func (s *skipper) byte() byte {
	if s.over {
		return 0
	}
	return s.Decoder.byte()
}

func (s *skipper) length() uint64 {
	if s.over {
		return 0
	}
	return s.Decoder.length()
}

// bytes skips n bytes.
func (s *skipper) bytes(n int) {
	if n <= len(s.buf)-s.pos {
		s.pos += n
		return
	}
	if s.check(n); s.over {
		return
	}
	for n > 0 && s.err == nil {
		k := min(n, windowBytes)
		if s.mark >= 0 {
			k = n
		}
		s.take(k)
		n -= k
	}
}

// text skips a string.
func (s *skipper) text() {
	switch b := s.byte(); {
	case b < encInt8:
		s.bytes(s.size(b))
	case b == encLZF:
		n := s.size(s.byte())
		s.length()
		s.bytes(n)
	default:
		s.integer(b)
	}
}

func (s *skipper) lengths(n int) {
	for range n {
		s.length()
	}
}

func (s *skipper) value(t Type) {
	switch t {
	case List, Set:
		s.each(s.text)
	case ZSet:
		s.each(func() { s.text(); s.decimal() })
	case ZSet2:
		s.each(func() { s.text(); s.bytes(8) })
	case Hash:
		s.each(func() { s.text(); s.text() })
	case HashTimed:
		s.bytes(8)
		s.timedFields()
	case HashTimedPre:
		s.timedFields()
	case HashListpackEx:
		s.bytes(8)
		s.text()
	case ListQuicklist:
		s.each(s.text)
	case ListQuicklist2:
		s.each(func() { s.length(); s.text() })
	case StreamListpacks, StreamListpacks2, StreamListpacks3:
		s.stream(t)
	case Module2:
		s.length()
		s.module()
	case Module:
		s.Decoder.module()
	case String, HashZipmap, ListZiplist, SetIntset, ZSetZiplist, HashZiplist, HashListpack, ZSetListpack, SetListpack, HashListpackPre:
		s.text()
	default:
		s.corrupt("unknown type %d", t)
	}
}

func (s *skipper) each(skip func()) {
	for n := s.length(); n > 0 && s.more(); n-- {
		skip()
	}
}

func (s *skipper) timedFields() {
	s.each(func() { s.length(); s.text(); s.text() })
}

// decimal skips a score in decimal.
func (s *skipper) decimal() {
	if n := s.byte(); n < 253 {
		s.bytes(int(n))
	}
}

func (s *skipper) stream(t Type) {
	s.each(func() { s.text(); s.text() })
	numbers, group := 3, 2
	if t != StreamListpacks {
		numbers, group = 8, 3
	}
	times := 8
	if t == StreamListpacks3 {
		times = 16
	}
	s.lengths(numbers)
	s.each(func() {
		s.text()
		s.lengths(group)
		s.each(func() { s.bytes(idBytes + 8); s.length() })
		s.each(func() {
			s.text()
			s.bytes(times)
			s.each(func() { s.bytes(idBytes) })
		})
	})
}

// What a field of a module's data is.
const (
	moduleEOF = iota
	moduleInt
	moduleUint
	moduleFloat
	moduleDouble
	moduleString
)

// module skips data of a module up to its end.
func (s *skipper) module() {
	for s.more() {
		switch op := s.length(); op {
		case moduleEOF:
			return
		case moduleInt, moduleUint:
			s.length()
		case moduleFloat:
			s.bytes(4)
		case moduleDouble:
			s.bytes(8)
		case moduleString:
			s.text()
		default:
			s.corrupt("unknown field %d of a module's data", op)
		}
	}
}
