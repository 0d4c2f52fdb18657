package glob

import "bytes"

// Pattern is a pattern made ready for matching many strings: cut at its stars, and with a set of bytes in the place of
// what matches more than one. The zero Pattern matches the empty string only.
type Pattern struct {
	text  []byte
	parts []part // what stands before, between and behind stars; none: text tells
	least int    // bytes of the shortest string that matches, if that is not empty
	never bool   // none matches
}

// part is a run of elements, each of which matches one byte.
type part struct {
	text []byte     // a byte that each element matches
	sets []*byteSet // what they match; nil: just that byte. All are nil if sets is
}

// byteSet has a bit for each byte.
type byteSet [4]uint64

func (s *byteSet) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

const (
	// compiledBytes is how long a pattern may be that is compiled, and compiledSets how many brackets it may have: others are
	// left as they are, so that many of them take neither much memory nor much time.
	compiledBytes = 256
	compiledSets  = 4
)

// Compile returns text as a Pattern, which keeps text.
func Compile(text []byte) *Pattern {
	p := &Pattern{text: text}
	if len(text) > compiledBytes || bytes.Count(text, []byte{'['}) > compiledSets {
		return p
	}
	p.parts = make([]part, 1, 2)
	for i := 0; i < len(text); {
		if text[i] == '*' {
			i = skipStars(text, i)
			p.parts = append(p.parts, part{})
			continue
		}
		i += p.add(text[i:])
	}
	return p
}

// add adds the first element of text, which is not a star, and returns its length.
func (p *Pattern) add(text []byte) (n int) {
	x := &p.parts[len(p.parts)-1]
	p.least++
	if c := text[0]; c != '?' && c != '[' && c != '\\' {
		x.add(c, nil)
		return 1
	}
	var set byteSet
	var member byte
	size := 0
	for c := range 256 {
		var ok bool
		if n, ok = matchByte(text, byte(c), false); ok {
			set[c>>6] |= 1 << (c & 63)
			member = byte(c)
			size++
		}
	}
	switch size {
	case 0:
		p.never = true
	case 1:
		x.add(member, nil)
	default:
		x.add(member, &set)
	}
	return n
}

func (x *part) add(c byte, set *byteSet) {
	if set != nil && x.sets == nil {
		x.sets = make([]*byteSet, len(x.text), len(x.text)+1)
	}
	x.text = append(x.text, c)
	if x.sets != nil {
		x.sets = append(x.sets, set)
	}
}

// Match reports the same as the function Match for the pattern's text and s, with regard to case. It does not allocate.
func (p *Pattern) Match(s []byte) bool {
	if len(s) == 0 || p.parts == nil || p.never {
		return p.matchOdd(s)
	}
	if len(s) < p.least {
		return false
	}
	first, last := &p.parts[0], len(p.parts)-1
	if !first.begins(s) {
		return false
	}
	if last == 0 {
		return len(s) == p.least
	}
	s = s[len(first.text):]
	end := len(s) - len(p.parts[last].text)
	if !p.parts[last].begins(s[end:]) {
		return false
	}
	s = s[:end]
	for i := 1; i < last; i++ {
		x := &p.parts[i]
		at := x.index(s) // the first one will do: a later one leaves less to the others
		if at < 0 {
			return false
		}
		s = s[at+len(x.text):]
	}
	return true
}

func (p *Pattern) matchOdd(s []byte) bool {
	switch {
	case len(s) == 0:
		return len(p.text) == 0
	case p.never:
		return false
	}
	return Match(p.text, s, false)
}

// begins tells whether s, which is as long at least, begins with what x matches.
func (x *part) begins(s []byte) bool {
	if x.sets == nil {
		return string(s[:len(x.text)]) == string(x.text)
	}
	s = s[:len(x.text)]
	for i, c := range x.text {
		if s[i] != c {
			if set := x.sets[i]; set == nil || !set.has(s[i]) {
				return false
			}
		}
	}
	return true
}

// index returns where in s the first run begins that x matches, or -1.
func (x *part) index(s []byte) int {
	if x.sets == nil {
		if len(x.text) == 1 {
			return bytes.IndexByte(s, x.text[0])
		}
		return bytes.Index(s, x.text)
	}
	for i := 0; i+len(x.text) <= len(s); i++ {
		if x.begins(s[i:]) {
			return i
		}
	}
	return -1
}
