package listpack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
)

func newArena() *alloc.Arena { return alloc.NewArena(alloc.NewHeap()) }

// texts are elements on both sides of every boundary of the format.
func texts() []string {
	var t []string
	for _, n := range []int{0, 1, 2, 5, 62, 63, 64, 65, 124, 125, 126, 127, 4094, 4095, 4096, 16376, 16377, 16378, 16379, 70000, 1<<21 - 8, 1<<21 - 7, 1<<21 - 6, 1<<21 - 5} {
		t = append(t, strings.Repeat("x", n))
	}
	for _, v := range []int64{0, 1, 127, 128, 4095, 4096, math.MaxInt16, math.MaxInt16 + 1, 1<<23 - 1, 1 << 23, math.MaxInt32, math.MaxInt32 + 1, math.MaxInt64} {
		t = append(t, strconv.FormatInt(v, 10), strconv.FormatInt(-v, 10), strconv.FormatInt(-v-1, 10))
	}
	return append(t, "-", "-0", "00", "01", "+1", "1 ", " 1", "1a", "9223372036854775808", "-9223372036854775809",
		"18446744073709551615", "18446744073709551616", "99999999999999999999", "100000000000000000000", "1.5", "\x00", "\xff")
}

func TestElements(t *testing.T) {
	a := newArena()
	for _, text := range texts() {
		var b Block
		if !b.Append(a, []byte(text)) {
			t.Fatal("no memory")
		}
		lp := b.Bytes(a)
		if err := Validate(lp, true); err != nil {
			t.Fatalf("%.30q: %v", text, err)
		}
		e := Get(lp, First(lp))
		v, err := strconv.ParseInt(text, 10, 64)
		isInt := err == nil && strconv.FormatInt(v, 10) == text
		if e.IsInt != isInt || e.Int != v && isInt {
			t.Errorf("%.30q is stored as %.30v", text, e)
		}
		if got := e.Append(nil); string(got) != text || e.Len() != len(text) || !e.Equal([]byte(text)) {
			t.Errorf("%.30q comes back as %.30q with length %d", text, got, e.Len())
		}
		if len(lp) != minSize+EncodedLen([]byte(text)) || !bytes.Equal(lp[headerSize:len(lp)-1], AppendElement(nil, []byte(text))) {
			t.Errorf("%.30q takes %d bytes", text, len(lp))
		}
		if Next(lp, headerSize) != 0 || Prev(lp, headerSize) != 0 || Last(lp) != headerSize {
			t.Errorf("%.30q: a single element has neighbours", text)
		}
		b.Free(a)
	}
	if n := a.CountObjects(); n != 0 {
		t.Errorf("%d blocks are left", n)
	}
}

// The bytes are those that redis-server 7.0.15 has in a DUMP of the same list.
func TestFormat(t *testing.T) {
	f := func(want string, elems ...string) {
		t.Helper()
		a := newArena()
		var b Block
		b.Append(a, list(elems)...)
		if got := fmt.Sprintf("%x", b.Bytes(a)); got != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%q: %s, want %s", elems, got, want)
		}
	}
	f("07000000 0000 ff")
	f("0d000000 0200 0101 82686903 ff", "1", "hi")
	f("13000000 0400 0001 dfff02 c08002 f1102703 ff", "0", "-1", "128", "10000")
	f("1c000000 0300 f2ffff7f04 f30000008005 f4ffffffffffffff7f09 ff", "8388607", "-2147483648", "9223372036854775807")
}

func list(s []string) (b [][]byte) {
	for _, e := range s {
		b = append(b, []byte(e))
	}
	return b
}

// model is a listpack beside the plain list it must be equal to.
type model struct {
	t     testing.TB
	a     *alloc.Arena
	b     Block
	plain []string
}

func (m *model) pos(i int) int {
	if i == len(m.plain) {
		return len(m.b.Bytes(m.a)) - 1
	}
	return Seek(m.b.Bytes(m.a), i)
}

func (m *model) insert(i int, elems ...string) {
	var ok bool
	switch {
	case i == len(m.plain):
		ok = m.b.Append(m.a, list(elems)...)
	case i == 0:
		ok = m.b.Prepend(m.a, list(elems)...)
	default:
		ok = m.b.Insert(m.a, m.pos(i), list(elems)...)
	}
	if !ok {
		m.t.Fatal("no memory")
	}
	m.plain = slices.Insert(m.plain, i, elems...)
}

func (m *model) replace(i int, elem string) {
	if !m.b.Replace(m.a, m.pos(i), []byte(elem)) {
		m.t.Fatal("no memory")
	}
	m.plain[i] = elem
}

func (m *model) remove(i, n int) {
	next := m.b.Delete(m.a, m.pos(i), n)
	m.plain = slices.Delete(m.plain, i, min(i+n, len(m.plain)))
	if want := m.pos(i); i < len(m.plain) && next != want || i == len(m.plain) && next != 0 {
		m.t.Fatalf("Delete leads to %d, want %d", next, want)
	}
}

// check compares everything that can be read.
func (m *model) check() {
	m.t.Helper()
	lp := m.b.Bytes(m.a)
	if err := Validate(lp, true); err != nil {
		m.t.Fatal(err)
	}
	if Len(lp) != len(m.plain) || (m.b.Ref == 0) != (len(m.plain) == 0) {
		m.t.Fatalf("Len is %d, want %d", Len(lp), len(m.plain))
	}
	pos := First(lp)
	for i, want := range m.plain {
		if e := Get(lp, pos); string(e.Append(nil)) != want {
			m.t.Fatalf("element %d is %.30q, want %.30q", i, e.Append(nil), want)
		}
		if len(m.plain) < 200 && (Seek(lp, i) != pos || Seek(lp, i-len(m.plain)) != pos) {
			m.t.Fatalf("Seek(%d) = %d, Seek(%d) = %d, want %d", i, Seek(lp, i), i-len(m.plain), Seek(lp, i-len(m.plain)), pos)
		}
		pos = Next(lp, pos)
	}
	if pos != 0 || Seek(lp, len(m.plain)) != 0 || Seek(lp, -len(m.plain)-1) != 0 {
		m.t.Fatal("there are elements beyond the end")
	}
	pos = Last(lp)
	for i := len(m.plain) - 1; i >= 0; i-- {
		if e := Get(lp, pos); !e.Equal([]byte(m.plain[i])) {
			m.t.Fatalf("element %d from the end is %.30q, want %.30q", i, e.Append(nil), m.plain[i])
		}
		pos = Prev(lp, pos)
	}
	if pos != 0 {
		m.t.Fatal("there are elements before the beginning")
	}
}

// find compares Find with a search of the plain list.
func (m *model) find(from int, elem string, skip int) {
	m.t.Helper()
	lp := m.b.Bytes(m.a)
	want := 0
	for i := from; i < len(m.plain); i += skip + 1 {
		if m.plain[i] == elem {
			want = Seek(lp, i)
			break
		}
	}
	if got := Find(lp, Seek(lp, from), []byte(elem), skip); got != want {
		m.t.Fatalf("Find(%d, %q, %d) = %d, want %d", from, elem, skip, got, want)
	}
}

func (m *model) close() {
	m.b.Free(m.a)
	if n := m.a.CountObjects(); n != 0 {
		m.t.Fatalf("%d blocks are left", n)
	}
}

func randomText(r *rand.Rand) string {
	switch r.IntN(4) {
	case 0:
		return strconv.FormatInt(int64(r.Uint64())>>r.IntN(64), 10)
	case 1:
		return strconv.Itoa(r.IntN(20))
	case 2:
		return strings.Repeat("y", r.IntN(20))
	}
	return strings.Repeat(string(rune('a'+r.IntN(26))), r.IntN(1<<r.IntN(13)))
}

func TestChangesLikeAPlainList(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := &model{t: t, a: newArena()}
		for range 300 {
			i := r.IntN(len(m.plain) + 1)
			switch op := r.IntN(10); {
			case op < 5:
				elems := make([]string, 1+r.IntN(3))
				for j := range elems {
					elems[j] = randomText(r)
				}
				m.insert([]int{0, i, len(m.plain)}[r.IntN(3)], elems...)
			case op < 7 && i < len(m.plain):
				m.replace(i, randomText(r))
			case op == 7 && i < len(m.plain):
				m.remove(i, 1+r.IntN(4))
			case op == 8 && i < len(m.plain) && r.IntN(10) == 0:
				m.remove(i, 1+r.IntN(len(m.plain)))
			case i < len(m.plain):
				m.find(i, m.plain[r.IntN(len(m.plain))], r.IntN(3))
				m.find(i, randomText(r), r.IntN(3))
			}
			m.check()
		}
		m.close()
	}
}

func TestMoreElementsThanTheHeaderCounts(t *testing.T) {
	m := &model{t: t, a: newArena()}
	for i := range 65540 / 4 {
		s := strconv.Itoa(i)
		m.insert(len(m.plain), s, "a", "b", s)
	}
	m.check()
	m.find(0, "16384", 0)
	for i := range 3 {
		m.remove(i*1000, 3)
	}
	m.insert(7, "z")
	m.replace(9, "yy")
	m.check()
	lp := m.b.Bytes(m.a)
	for _, i := range []int{0, 1, 40000, 65000} {
		if e := Get(lp, Seek(lp, i)); !e.Equal([]byte(m.plain[i])) {
			t.Errorf("element %d is %q", i, e.Append(nil))
		}
	}
	m.remove(0, len(m.plain))
	m.insert(0, "x")
	m.check()
	m.close()
}

func TestIntsAndStretches(t *testing.T) {
	a := newArena()
	var b Block
	for v := range int64(10) {
		b.AppendInt(a, v*1000)
	}
	b.InsertInt(a, headerSize, -1)
	b.ReplaceInt(a, Seek(b.Bytes(a), 1), 77777)
	lp := b.Bytes(a)
	var got []int64
	for pos := First(lp); pos != 0; pos = Next(lp, pos) {
		got = append(got, Get(lp, pos).Int)
	}
	if want := []int64{-1, 77777, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	whole, _ := New(a, lp)
	from, to := Seek(lp, 2), Seek(lp, 4)
	part, _ := FromElements(a, lp[from:to], 2)
	if lp := part.Bytes(a); Validate(lp, true) != nil || Len(lp) != 2 || Get(lp, First(lp)).Int != 1000 {
		t.Errorf("stretch: %x", lp)
	}
	if next := b.Cut(a, from, to, 2); next != from || Len(b.Bytes(a)) != 9 || Validate(b.Bytes(a), true) != nil {
		t.Errorf("after Cut: %x", b.Bytes(a))
	}
	b.InsertElements(a, from, part.Bytes(a)[headerSize:part.Size-1], 2)
	if !bytes.Equal(b.Bytes(a), whole.Bytes(a)) {
		t.Errorf("%x, want %x", b.Bytes(a), whole.Bytes(a))
	}
}

// Strings of digits that somebody else did not store as integers are found too.
func TestForeignDigits(t *testing.T) {
	lp := []byte{0, 0, 0, 0, 2, 0, 0x82, '1', '2', 3, 0x81, '5', 2, end}
	binary.LittleEndian.PutUint32(lp, uint32(len(lp)))
	if err := Validate(lp, true); err != nil {
		t.Fatal(err)
	}
	if pos := Find(lp, First(lp), []byte("5"), 0); pos != Last(lp) || !Get(lp, pos).Equal([]byte("5")) {
		t.Errorf("found at %d", pos)
	}
}

func TestReadingDoesNotAllocate(t *testing.T) {
	if invariants.Enabled {
		return // its checks allocate
	}
	a := newArena()
	var b Block
	b.Append(a, list(texts()[:40])...)
	x, y := []byte("hello"), []byte("12345")
	n := testing.AllocsPerRun(100, func() {
		lp := b.Bytes(a)
		for pos := First(lp); pos != 0; pos = Next(lp, pos) {
			_ = Get(lp, pos).Equal(x)
		}
		Find(lp, First(lp), y, 0)
		b.Append(a, x, y)
		b.Prepend(a, y)
		b.Replace(a, First(b.Bytes(a)), x)
		b.Delete(a, First(b.Bytes(a)), 1)
		b.Delete(a, Seek(b.Bytes(a), -2), 2)
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzValidate(f *testing.F) {
	a := newArena()
	for _, text := range texts()[:60] {
		var b Block
		b.Append(a, []byte(text), []byte("a"), []byte("77"))
		if b.Size < 5000 {
			f.Add(bytes.Clone(b.Bytes(a)))
		}
	}
	f.Fuzz(func(t *testing.T, lp []byte) {
		if len(lp) >= minSize {
			binary.LittleEndian.PutUint32(lp, uint32(len(lp)))
		}
		if Validate(lp, true) != nil {
			return
		}
		var forth, back []int
		for pos := First(lp); pos != 0; pos = Next(lp, pos) {
			forth = append(forth, pos)
			e := Get(lp, pos)
			if text := e.Append(nil); !e.Equal(text) || e.Len() != len(text) {
				t.Fatalf("element at %d differs from its text %q", pos, text)
			}
		}
		for pos := Last(lp); pos != 0; pos = Prev(lp, pos) {
			back = append(back, pos)
		}
		slices.Reverse(back)
		if !slices.Equal(forth, back) || Len(lp) != len(forth) {
			t.Fatalf("forth %v, back %v, Len %d", forth, back, Len(lp))
		}
	})
}

func FuzzChanges(f *testing.F) {
	f.Add([]byte("\x00\x00\x05hello\x01\x00\x0212\x02\x00\x00\x03\x00\x01"))
	f.Add([]byte("\x00\x00\x02-1\x00\x01\x03xyz\x02\x01\x04\x00\x00\x03abc\x03\x00\x09"))
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := &model{t: t, a: newArena()}
		for steps := 0; len(ops) >= 3 && steps < 50; steps++ {
			op, i, n := ops[0], int(ops[1])%(len(m.plain)+1), int(ops[2])
			ops = ops[3:]
			elem := string(ops[:min(n, len(ops))])
			switch {
			case op%4 == 0:
				m.insert(i, elem, strconv.Itoa(n*n*n*n))
			case op%4 == 1:
				m.insert(i, strings.Repeat(elem, n))
			case op%4 == 2 && i < len(m.plain):
				m.replace(i, elem)
			case op%4 == 3 && i < len(m.plain):
				m.remove(i, n)
			}
			m.find(0, elem, n%3)
			m.check()
		}
		m.close()
	})
}

func TestTake(t *testing.T) {
	a := alloc.NewArena(alloc.NewHeap())
	var b Block
	for _, elem := range []string{"", "x", "0", "127", "128", "-4096", "4095", "40000", "-8388608", "2147483647", "-9223372036854775808",
		strings.Repeat("s", 63), strings.Repeat("m", 64), strings.Repeat("n", 4095), strings.Repeat("l", 4096)} {
		if !b.Append(a, []byte(elem)) {
			t.Fatal("no memory")
		}
	}
	lp := b.Bytes(a)
	for pos := First(lp); pos != 0; pos = Next(lp, pos) {
		e, end := Take(lp, pos)
		if want := Get(lp, pos); !reflect.DeepEqual(e, want) {
			t.Errorf("Take gives %v, Get %v", e, want)
		}
		if next := Next(lp, pos); end != next && (next != 0 || end != len(lp)-1) {
			t.Errorf("the element at %d ends at %d, the next one is at %d", pos, end, next)
		}
	}
}

func TestTakeInt(t *testing.T) {
	for _, text := range []string{"0", "127", "128", "-1", "4095", "-4096", "4096", "32767", "-32768", "32768", "8388607", "-8388608", "8388608",
		"2147483647", "-2147483648", "2147483648", "9223372036854775807", "-9223372036854775808", "", "a", strings.Repeat("b", 64), strings.Repeat("c", 5000)} {
		lp := pack(text, "behind")
		e, end := Take(lp, First(lp))
		v, after, ok := TakeInt(lp, First(lp))
		if ok != e.IsInt || ok && (v != e.Int || after != end) {
			t.Errorf("%.20s is %d, %v, up to %d of %d", text, v, ok, after, end)
		}
	}
}
