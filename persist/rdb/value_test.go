package rdb

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
	"github.com/shoaldb/shoal/types/list"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/set"
	"github.com/shoaldb/shoal/types/stream"
	"github.com/shoaldb/shoal/types/zset"
)

var limits = &types.DefaultLimits

func newSpace() *types.Space { return types.NewSpace(alloc.NewArena(alloc.NewHeap()), 1) }

func check(sp *types.Space, r types.Root) error {
	switch r.Type {
	case types.List:
		return list.Check(sp, r)
	case types.Set:
		return set.Check(sp, r)
	case types.ZSet:
		return zset.Check(sp, r)
	case types.Hash:
		return hash.Check(sp, r)
	case types.Stream:
		return stream.Check(sp, r)
	}
	return fmt.Errorf("a %v", r.Type)
}

func free(sp *types.Space, r types.Root) {
	step := map[types.Type]func(*types.Space, *types.Root, int) bool{
		types.List: list.FreeStep, types.Set: set.FreeStep, types.ZSet: zset.FreeStep, types.Hash: hash.FreeStep,
		types.Stream: stream.FreeStep,
	}[r.Type]
	for !step(sp, &r, 1000) {
	}
}

// made is a value for a test, with the type as which it is to be written.
type made struct {
	name string
	typ  Type
	make func(sp *types.Space) types.Root
}

func fillHash(n, timed int, value string) func(sp *types.Space) types.Root {
	return func(sp *types.Space) types.Root {
		v := hash.New(sp)
		for i := range n {
			expireMS := int64(0)
			if i < timed {
				expireMS = 1900000000000 + int64(7919*i%1000)
			}
			if _, err := v.Set(limits, fmt.Append(nil, "field", i), fmt.Append(nil, value, i), expireMS); err != nil {
				panic(err)
			}
		}
		return v.Root()
	}
}

// untimed makes a hash of n fields that had a time to live each.
func untimed(n int, value string) func(sp *types.Space) types.Root {
	return func(sp *types.Space) types.Root {
		v := hash.Open(sp, fillHash(n, n, value)(sp))
		for i := range n {
			if err := v.SetExpire(fmt.Append(nil, "field", i), 0); err != nil {
				panic(err)
			}
		}
		return v.Root()
	}
}

func fillList(depth int, elements ...string) func(sp *types.Space) types.Root {
	return func(sp *types.Space) types.Root {
		l := *limits
		l.ListCompressDepth = depth
		v := list.New(sp)
		for _, e := range elements {
			v.PushTail(&l, []byte(e))
		}
		return v.Root()
	}
}

func fillSet(members ...string) func(sp *types.Space) types.Root {
	return func(sp *types.Space) types.Root {
		v := set.New(sp)
		for _, m := range members {
			if _, err := v.Add(limits, []byte(m)); err != nil {
				panic(err)
			}
		}
		return v.Root()
	}
}

func fillZSet(scores func(i int) float64, members ...string) func(sp *types.Space) types.Root {
	return func(sp *types.Space) types.Root {
		v := zset.New(sp)
		for i, m := range members {
			if _, _, err := v.Add(limits, []byte(m), scores(i), 0); err != nil {
				panic(err)
			}
		}
		return v.Root()
	}
}

func fillStream(entries, groups, consumers int) func(sp *types.Space) types.Root {
	return func(sp *types.Space) types.Root {
		v, _ := stream.New(sp)
		for i := range entries {
			pairs := [][]byte{[]byte("field"), fmt.Append(nil, i), []byte("other"), []byte("value")}
			if err := v.Append(limits, stream.ID{MS: uint64(i/3 + 1), Seq: uint64(i)}, pairs[:2+i%2*2]); err != nil {
				panic(err)
			}
		}
		if entries > 10 {
			v.Delete(stream.ID{MS: 2, Seq: 4})
			v.SetMaxDeleted(stream.ID{MS: 2, Seq: 4})
		}
		for i := range groups {
			g, _ := v.AddGroup(fmt.Append(nil, "group", i), stream.ID{MS: uint64(i)}, int64(i-1))
			for j := range consumers {
				c, _ := g.AddConsumer(fmt.Append(nil, "consumer", j), 1700000000000)
				c.SetActive(1700000000000)
				for k := j; k < entries; k += consumers {
					d, _ := g.Deliver(stream.ID{MS: uint64(k/3 + 1), Seq: uint64(k)}, c, 1700000000000)
					d.Set(1700000000000+int64(k), int64(k))
				}
			}
		}
		return v.Root()
	}
}

func numbered(format string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i)
	}
	return list
}

func half(i int) float64 { return float64(i) / 2 }

var values = []made{
	{"list", ListQuicklist2, fillList(0, "a", "17", "-5", strings.Repeat("x", 100))},
	{"list of nodes", ListQuicklist2, fillList(0, numbered("element:%d", 3000)...)},
	{"compressed list", ListQuicklist2, fillList(1, numbered("element:%d", 3000)...)},
	{"list of large elements", ListQuicklist2, fillList(0, strings.Repeat("ab", 50_000), "c", strings.Repeat("d", 9000))},
	{"intset", SetIntset, fillSet("1", "-7", "1000000000000")},
	{"set", Set, fillSet(append(numbered("member:%d", 1000), "1", "2", "")...)},
	{"zset", ZSetListpack, fillZSet(half, numbered("member:%d", 50)...)},
	{"zset of infinities", ZSetListpack, fillZSet(func(i int) float64 { return []float64{math.Inf(1), math.Inf(-1), 1e300, 0.1}[i%4] }, "a", "b", "c", "d", "e")},
	{"skiplist", ZSet2, fillZSet(half, numbered("member:%d", 3000)...)},
	{"skiplist of one", ZSet2, fillZSet(half, strings.Repeat("m", 100))},
	{"hash", HashListpack, fillHash(20, 0, "value")},
	{"table", Hash, fillHash(1000, 0, "value")},
	{"hash with times", HashListpackEx, fillHash(20, 7, "value")},
	{"table with times", HashTimed, fillHash(1000, 100, "value")},
	{"table of few with times", HashTimed, fillHash(10, 5, strings.Repeat("v", 100))},
	{"hash without times", HashListpack, untimed(20, "value")},
	{"table without times", Hash, untimed(20, strings.Repeat("v", 100))},
	{"empty stream", StreamListpacks2, fillStream(0, 0, 0)},
	{"stream", StreamListpacks2, fillStream(500, 0, 0)},
	{"stream with groups", StreamListpacks2, fillStream(500, 3, 2)},
	{"stream with many consumers", StreamListpacks2, fillStream(20, 1, 50)},
}

// encode writes a value in steps of about limit bytes.
func encode(sp *types.Space, r types.Root, compress bool, limit int) []byte {
	e := Encoder{Compress: compress}
	out := []byte{byte(e.Start(sp, r))}
	for more := true; more; {
		out, more = e.Step(out, limit)
	}
	return out
}

// decode reads a type and a value.
func decode(sp *types.Space, b []byte) (Value, error) { return decodeWith(sp, limits, b) }

func decodeWith(sp *types.Space, lim *types.Limits, b []byte) (Value, error) {
	var d Decoder
	d.ResetBytes(b)
	t, err := d.Type()
	if err != nil {
		return Value{}, err
	}
	return d.Value(sp, lim, t)
}

func TestValues(t *testing.T) {
	for _, m := range values {
		t.Run(m.name, func(t *testing.T) {
			sp := newSpace()
			r := m.make(sp)
			for _, compress := range []bool{false, true} {
				b := encode(sp, r, compress, math.MaxInt/2)
				if Type(b[0]) != m.typ {
					t.Errorf("type %d, not %d", b[0], m.typ)
				}
				if small := encode(sp, r, compress, 1); !bytes.Equal(small, b) {
					t.Errorf("in steps of one byte it is %d bytes, at once %d", len(small), len(b))
				}
				testDecode(t, b, r)
			}
		})
	}
}

// testDecode reads b and compares the value with r by what it is written as.
func testDecode(t *testing.T, b []byte, r types.Root) {
	t.Helper()
	sp := newSpace()
	v, err := decode(sp, b)
	if err != nil {
		t.Fatal(err)
	}
	if err := check(sp, v.Root); err != nil {
		t.Fatal(err)
	}
	timeless := r.Encoding == types.ListpackEx && v.Root.Encoding == types.Listpack || r.Encoding == types.HashtableEx && v.Root.Encoding == types.Hashtable
	if v.Kind != r.Type || v.Root.Encoding != r.Encoding && !timeless {
		t.Errorf("a %v, %v became a %v, %v", r.Type, r.Encoding, v.Kind, v.Root.Encoding)
	}
	again := encode(sp, v.Root, false, 100)
	free(sp, v.Root)
	if n := sp.Arena.CountObjects(); n != 0 {
		t.Errorf("%d blocks are left", n)
	}
	v2, err := decode(sp, again)
	if err != nil {
		t.Fatal(err)
	}
	if Type(b[0]) != Set && Type(b[0]) != Hash && Type(b[0]) != HashTimed {
		if third := encode(sp, v2.Root, false, 100); !bytes.Equal(third, again) {
			t.Errorf("read and written it differs")
		}
	}
	if err := check(sp, v2.Root); err != nil {
		t.Error(err)
	}
}

// TestTruncated cuts values at every byte, or nearly, and reads them in pieces.
func TestTruncated(t *testing.T) {
	for _, m := range values {
		t.Run(m.name, func(t *testing.T) {
			sp := newSpace()
			b := encode(sp, m.make(sp), false, 1000)
			to := newSpace()
			for n := 0; n < len(b); n += 1 + len(b)/500 {
				if v, err := decode(to, b[:n:n]); err == nil {
					t.Fatalf("%d of %d bytes are a %v", n, len(b), v.Kind)
				} else if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("%d of %d bytes: %v", n, len(b), err)
				}
			}
			if n := to.Arena.CountObjects(); n != 0 {
				t.Fatalf("%d blocks are left", n)
			}
			d := NewDecoder(iotest.HalfReader(bytes.NewReader(b)))
			typ, err := d.Type()
			if err != nil {
				t.Fatal(err)
			}
			v, err := d.Value(to, limits, typ)
			if err != nil || check(to, v.Root) != nil {
				t.Fatal(err, check(to, v.Root))
			}
			if d.Offset() != int64(len(b)) {
				t.Errorf("%d of %d bytes read", d.Offset(), len(b))
			}
		})
	}
}

// TestSkip skips and cuts out what is read elsewhere.
func TestSkip(t *testing.T) {
	for _, m := range values {
		t.Run(m.name, func(t *testing.T) {
			sp := newSpace()
			b := encode(sp, m.make(sp), true, 1000)
			in := append(bytes.Clone(b), "tail"...)
			d := NewDecoder(iotest.HalfReader(bytes.NewReader(in)))
			typ, _ := d.Type()
			if raw, ok, err := d.Raw(typ, len(b)-2); ok || err != nil {
				t.Errorf("%d bytes where %d were allowed, %v", len(raw), len(b)-2, err)
			}
			raw, ok, err := d.Raw(typ, len(b)-1)
			if err != nil || !ok || !bytes.Equal(raw, b[1:]) {
				t.Fatalf("%d of %d bytes, %v", len(raw), len(b)-1, err)
			}
			d = NewDecoder(iotest.HalfReader(bytes.NewReader(in)))
			typ, _ = d.Type()
			if err := d.Skip(typ); err != nil || d.Offset() != int64(len(b)) {
				t.Fatalf("skipped %d of %d bytes, %v", d.Offset(), len(b), err)
			}
		})
	}
}

// TestLimits reads values with other settings than they were written with.
func TestLimits(t *testing.T) {
	small := *limits
	small.HashListpackEntries, small.SetIntsetEntries, small.ZSetListpackEntries = 2, 2, 2
	for _, c := range []struct {
		value string
		want  types.Encoding
	}{{"hash", types.Hashtable}, {"hash with times", types.HashtableEx}, {"intset", types.Hashtable}, {"zset", types.Skiplist}} {
		for _, m := range values {
			if m.name != c.value {
				continue
			}
			sp := newSpace()
			var d Decoder
			d.ResetBytes(encode(sp, m.make(sp), false, 1000))
			typ, _ := d.Type()
			v, err := d.Value(sp, &small, typ)
			if err != nil || v.Root.Encoding != c.want || check(sp, v.Root) != nil {
				t.Errorf("%s became %v, %v, %v", c.value, v.Root.Encoding, err, check(sp, v.Root))
			}
		}
	}
}

func TestPayload(t *testing.T) {
	p := AppendFooter(append([]byte("before"), 0, 1, 'x'), 6)[6:]
	if v, err := OpenPayload(p, false, func(int) {}); err != nil || string(v) != "\x00\x01x" {
		t.Errorf("%q, %v", v, err)
	}
	broken := bytes.Clone(p)
	broken[2]++
	if _, err := OpenPayload(broken, false, nil); err == nil {
		t.Error("a broken payload is taken")
	}
	if _, err := OpenPayload(broken, true, nil); err != nil {
		t.Error("a trusted payload is not")
	}
	broken[3] = 13
	if _, err := OpenPayload(broken, true, nil); err == nil {
		t.Error("a payload of version 13 is taken")
	}
	if _, err := OpenPayload(p[:9], true, nil); err == nil {
		t.Error("a payload of 9 bytes is taken")
	}
}

func TestStrings(t *testing.T) {
	for _, s := range []string{"", "a", "0", "-1", "127", "128", "-129", "32768", "2147483647", "2147483648", "-2147483648", "-2147483649", "007", "+1", "-0",
		strings.Repeat("a", 20), strings.Repeat("a", 21), strings.Repeat("b", 63), strings.Repeat("b", 64), strings.Repeat("abc", 6000),
		strings.Repeat("long", 1<<18)} {
		for _, compress := range []bool{false, true} {
			b := AppendString([]byte("x"), []byte(s), compress)
			var d Decoder
			pauses := 0
			d.ResetBytes(AppendLongString(nil, []byte(s), compress, func() { pauses++ }))
			if got, err := d.Text(); err != nil || string(got) != s || compress && pauses < len(s)/pieceBytes {
				t.Errorf("with %d pauses %.40q became %.40q, %v", pauses, s, got, err)
			}
			if len(s) > 30 && compress != (len(b) < len(s)/2) {
				t.Errorf("%d bytes for %d", len(b), len(s))
			}
			d.ResetBytes(b[1:])
			if got, err := d.Text(); err != nil || string(got) != s || d.Offset() != int64(len(b)-1) {
				t.Errorf("%.40q became %.40q, %v", s, got, err)
			}
		}
	}
}

// TestBombs reads values that claim to be large.
func TestBombs(t *testing.T) {
	for _, bad := range []string{
		"\x00\x81\x7f\xff\xff\xff\xff\xff\xff\xff", "\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff", "\x00\x80\xff\xff\xff\xff",
		"\x00\xc3\x02\x81\x00\x00\x00\xff\xff\xff\xff\xffaa", "\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff", "\x02\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01a",
		"\x04\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01a", "\x05\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01a", "\x12\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01",
		"\x13\x81\xff\xff\xff\xff\xff\xff\xff\xff\x10", "\x18\x00\x00\x00\x00\x00\x00\x00\x00\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01",
	} {
		sp := newSpace()
		if _, err := decode(sp, []byte(bad)); err == nil {
			t.Errorf("%q is a value", bad)
		}
		if n := sp.Arena.CountObjects(); n != 0 {
			t.Errorf("%q: %d blocks are left", bad, n)
		}
	}
}

// TestEncodeAllocatesNothing goes through values with an encoder and a buffer that have been used before.
func TestEncodeAllocatesNothing(t *testing.T) {
	for _, m := range values {
		if invariants.Enabled {
			break // which allocates itself
		}
		sp := newSpace()
		r := m.make(sp)
		var e Encoder
		buf := encode(sp, r, false, 1000)
		run := func() {
			buf = append(buf[:0], byte(e.Start(sp, r)))
			for more := true; more; {
				buf, more = e.Step(buf, 1000)
			}
		}
		run()
		if n := testing.AllocsPerRun(10, run); n > 0 && !strings.HasPrefix(m.name, "stream with") {
			t.Errorf("%s: %v allocations", m.name, n)
		}
	}
}

// TestLaterTypes reads what only later versions of Redis write.
func TestLaterTypes(t *testing.T) {
	pack := func(elements ...string) []byte {
		lp := beginListpack(nil)
		for _, e := range elements {
			lp = listpack.AppendElement(lp, []byte(e))
		}
		return AppendString(nil, finishListpack(lp, len(elements)), true)
	}
	f := func(b []byte, want types.Encoding) (*types.Space, types.Root) {
		t.Helper()
		sp := newSpace()
		v, err := decode(sp, b)
		if err != nil {
			t.Errorf("%q: %v", b, err)
			return sp, types.Root{}
		}
		if err := check(sp, v.Root); err != nil || v.Root.Encoding != want {
			t.Errorf("%q: %v, %v", b, v.Root.Encoding, err)
		}
		if err := NewDecoder(bytes.NewReader(b[1:])).Skip(Type(b[0])); err != nil {
			t.Errorf("%q cannot be skipped: %v", b, err)
		}
		return sp, v.Root
	}
	f(append([]byte{byte(SetListpack)}, pack("a", "1", "b")...), types.Hashtable)
	f(append([]byte{byte(SetListpack)}, pack("3", "1", "2")...), types.Intset)

	for _, b := range [][]byte{
		append([]byte{byte(HashListpackPre)}, pack("a", "1", "1900000000000", "b", "2", "0")...),
		append(appendMS([]byte{byte(HashListpackEx)}, 1900000000000), pack("a", "1", "1900000000000", "b", "2", "0")...),
	} {
		sp, r := f(b, types.ListpackEx)
		v := hash.Open(sp, r)
		if ms, _ := v.ExpireMS([]byte("a")); ms != 1900000000000 || v.Size() != 2 {
			t.Errorf("a expires at %d", ms)
		}
	}
	b := AppendLen([]byte{byte(HashTimedPre)}, 2)
	b = AppendString(AppendString(AppendLen(b, 1900000000000), []byte("a"), false), []byte(strings.Repeat("v", 100)), false)
	b = AppendString(AppendString(AppendLen(b, 0), []byte("b"), false), []byte("2"), false)
	sp, r := f(b, types.HashtableEx)
	v := hash.Open(sp, r)
	if ms, _ := v.ExpireMS([]byte("a")); ms != 1900000000000 {
		t.Errorf("a expires at %d", ms)
	}

	sp = newSpace()
	old := encode(sp, fillStream(3, 1, 1)(sp), false, 1000)
	// The consumer's active time stands behind the time at which it was seen.
	at := bytes.Index(old, []byte("consumer0")) + len("consumer0") + 8
	with := append(appendMS(append([]byte{byte(StreamListpacks3)}, old[1:at]...), 1600000000000), old[at:]...)
	sp, r = f(with, types.StreamEnc)
	s := stream.Open(sp, r)
	g, _ := s.Group([]byte("group0"))
	if c, ok := g.Consumer([]byte("consumer0")); !ok || c.ActiveMS() != 1600000000000 || c.SeenMS() != 1700000000000 || c.Pending() != 3 {
		t.Errorf("the consumer is %v", ok)
	}
	if _, err := decode(newSpace(), []byte("\x07\x81\x00\x00\x00\x00\x00\x00\x04\x00\x00")); !errors.As(err, new(ModuleError)) {
		t.Errorf("a module's value: %v", err)
	}
}
