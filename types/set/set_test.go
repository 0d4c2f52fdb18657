package set

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/internal/invariants"
	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
)

func newSpace(seed uint64) *types.Space {
	return types.NewSpace(alloc.NewArena(alloc.NewHeap()), seed)
}

// limits returns limits with that many integers in an intset.
func limits(ints int) *types.Limits {
	l := types.DefaultLimits
	l.SetIntsetEntries = ints
	return &l
}

func str(e listpack.Element) string { return string(e.Append(nil)) }

// list returns the members of v in ascending order.
func list(v *Value) []string {
	var out []string
	var b Batch
	for it := v.Iter(); it.Next(&b); {
		for _, e := range b.Members() {
			out = append(out, str(e))
		}
	}
	slices.Sort(out)
	return out
}

func check(t testing.TB, v *Value, want map[string]bool) {
	t.Helper()
	if got, want := list(v), slices.Sorted(maps.Keys(want)); !slices.Equal(got, want) {
		t.Fatalf("members %.300q\nwant %.300q", got, want)
	}
	if v.Len() != len(want) {
		t.Fatalf("Len() = %d, want %d", v.Len(), len(want))
	}
	if v.Len() > 0 {
		if err := Check(v.sp, v.Root()); err != nil {
			t.Fatal(err)
		}
	}
	if used := v.sp.Arena.Stats().Allocated; used != Bytes(v.sp, v.Root(), 0) {
		t.Fatalf("the arena has %d bytes, the set %d", used, Bytes(v.sp, v.Root(), 0))
	}
}

// model is a set beside a Go map.
type model struct {
	t    testing.TB
	v    Value
	lim  *types.Limits
	want map[string]bool
}

func newModel(t testing.TB, lim *types.Limits) *model {
	return &model{t: t, v: New(newSpace(1)), lim: lim, want: map[string]bool{}}
}

// reopen makes m.v a new view of the same set.
func (m *model) reopen() { m.v = Open(m.v.sp, m.v.Root()) }

func (m *model) add(member string) {
	m.t.Helper()
	m.reopen()
	if added, err := m.v.Add(m.lim, []byte(member)); added == m.want[member] || err != nil {
		m.t.Fatalf("Add(%.100q) = %v, %v", member, added, err)
	}
	m.want[member] = true
}

func (m *model) remove(member string) {
	m.t.Helper()
	m.reopen()
	if m.v.Remove([]byte(member)) != m.want[member] {
		m.t.Fatalf("Remove(%.100q) = %v", member, !m.want[member])
	}
	delete(m.want, member)
}

func (m *model) pop(n int) {
	m.t.Helper()
	m.reopen()
	before := len(m.want)
	m.v.Pop(n, func(e listpack.Element) {
		if !m.want[str(e)] {
			m.t.Fatalf("popped %.100q, which is no member", str(e))
		}
		delete(m.want, str(e))
	}, func(int) {})
	if before-len(m.want) != n {
		m.t.Fatalf("popped %d of %d", before-len(m.want), n)
	}
}

func (m *model) sample(n int) {
	m.t.Helper()
	seen := map[string]bool{}
	m.v.Sample(n, func(e listpack.Element) {
		if s := str(e); !m.want[s] || seen[s] {
			m.t.Fatalf("sampled %.100q: member %v, seen %v", s, m.want[s], seen[s])
		}
		seen[str(e)] = true
	})
	if len(seen) != n {
		m.t.Fatalf("sampled %d of %d", len(seen), n)
	}
}

func (m *model) scan() {
	m.t.Helper()
	seen := map[string]bool{}
	for cursor := uint32(0); ; {
		cursor = m.v.Scan(cursor, func(e listpack.Element) { seen[str(e)] = true })
		if cursor == 0 {
			break
		}
	}
	if !maps.Equal(seen, m.want) {
		m.t.Fatalf("a scan met %d members of %d", len(seen), len(m.want))
	}
}

func memberName(kind, n uint16) string {
	switch kind % 8 {
	case 0, 1, 2, 3:
		return strconv.Itoa(int(n%512) - 256)
	case 4:
		return strconv.FormatInt(int64(n)<<(n%48), 10)
	case 5:
		return strings.Repeat("long", int(n%300))
	}
	return "m" + strconv.Itoa(int(n%1024))
}

// run does random operations, integers first, so that the set is an intset for a while.
func run(m *model, rng *rand.Rand, steps int) {
	for i := range steps {
		kind := uint16(rng.IntN(5))
		if i > steps/3 {
			kind = uint16(rng.IntN(8))
		}
		name := memberName(kind, uint16(rng.Uint32()))
		up := i/500%2 == 0
		switch r := rng.IntN(100); {
		case r < 25, up && r < 70:
			m.add(name)
		case r < 90:
			m.remove(name)
		case r < 92:
			if n := len(m.want); rng.IntN(10) > 0 {
				m.pop(rng.IntN(min(n, 20) + 1))
			} else {
				m.pop(rng.IntN(n + 1))
			}
		case r < 94:
			m.sample(rng.IntN(len(m.want) + 1))
		case r < 95:
			m.scan()
		default:
			if m.v.Contains([]byte(name)) != m.want[name] {
				m.t.Fatalf("Contains(%.100q) = %v", name, !m.want[name])
			}
		}
		if len(m.want) > 0 {
			if e := m.v.Random(); !m.want[str(e)] {
				m.t.Fatalf("Random() = %.100q", str(e))
			}
		}
		if i%50 == 0 {
			check(m.t, &m.v, m.want)
		}
	}
	check(m.t, &m.v, m.want)
	m.v.Free()
	if n := m.v.sp.Arena.Stats().Allocated; n != 0 {
		m.t.Fatalf("%d bytes left", n)
	}
}

func TestRandomOperationsAgreeWithModel(t *testing.T) {
	for seed := range uint64(6) {
		m := newModel(t, limits([]int{512, 0, 20}[seed%3]))
		run(m, rand.New(rand.NewPCG(seed, 0)), 5000)
	}
}

func TestEncoding(t *testing.T) {
	f := func(ints int, want types.Encoding, members ...string) {
		t.Helper()
		v := New(newSpace(1))
		for _, m := range members {
			if _, err := v.Add(limits(ints), []byte(m)); err != nil {
				t.Fatal(err)
			}
		}
		if v.Encoding() != want {
			t.Errorf("%q are encoded as %v, want %v", members, v.Encoding(), want)
		}
		if got := list(&v); !slices.Equal(got, slices.Sorted(slices.Values(members))) {
			t.Errorf("%q instead of %q", got, members)
		}
	}
	f(3, types.Intset, "1", "2", "-3")
	f(3, types.Hashtable, "1", "2", "-3", "4")
	f(3, types.Hashtable, "1", "a")
	f(3, types.Hashtable, "01")
	f(3, types.Hashtable, "")
	f(3, types.Hashtable, "9223372036854775808")
	f(3, types.Intset, "9223372036854775807", "-9223372036854775808")
	f(0, types.Hashtable, "1")
}

// A set above a limit that has been lowered stays what it is until a member is really added.
func TestLoweredLimit(t *testing.T) {
	v := New(newSpace(1))
	for i := range 10 {
		v.Add(limits(512), strconv.AppendInt(nil, int64(i), 10))
	}
	v.Add(limits(5), []byte("3"))
	if v.Encoding() != types.Intset {
		t.Fatal("converted without need")
	}
	v.Add(limits(5), []byte("10"))
	if v.Encoding() != types.Hashtable || v.Len() != 11 {
		t.Fatal("not converted")
	}
}

func FuzzSet(f *testing.F) {
	f.Add(uint8(3), []byte{0, 1, 2, 3, 4, 5, 250, 2, 8, 6, 9, 9})
	f.Fuzz(func(t *testing.T, ints uint8, ops []byte) {
		m := newModel(t, limits(int(ints)))
		for ; len(ops) >= 3; ops = ops[3:] {
			name := memberName(uint16(ops[0]>>4), uint16(ops[1])<<8|uint16(ops[2]))
			switch ops[0] & 7 {
			case 0, 1, 2, 3:
				m.add(name)
			case 4, 5:
				m.remove(name)
			case 6:
				m.pop(int(ops[1]) % (len(m.want) + 1))
			case 7:
				m.sample(int(ops[1]) % (len(m.want) + 1))
			}
			check(t, &m.v, m.want)
		}
		m.v.Free()
	})
}

// fill returns a set of the members, with at most ints of them in an intset.
func fill(t testing.TB, sp *types.Space, ints int, members []string) Value {
	t.Helper()
	v := New(sp)
	for _, m := range members {
		if _, err := v.Add(limits(ints), []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	return v
}

// randomMembers returns up to n members out of some 2n.
func randomMembers(rng *rand.Rand, n int, ints bool) []string {
	var out []string
	for range rng.IntN(n + 1) {
		name := strconv.Itoa(rng.IntN(2*n) - n/2)
		if !ints && rng.IntN(2) == 0 {
			name = "member:" + name
		}
		out = append(out, name)
	}
	return out
}

func TestAlgebraAgreesWithMaps(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 0))
		size := []int{10, 100, 1000, 20000}[min(rng.IntN(13)/4, 3)]
		spaces := []*types.Space{newSpace(1), newSpace(2)}
		var sets []Value
		var want []map[string]bool
		onlyInts := rng.IntN(3) == 0
		for range 1 + rng.IntN(12) {
			n := size
			if rng.IntN(2) == 0 {
				n = rng.IntN(size)
			}
			members := randomMembers(rng, n, onlyInts || rng.IntN(3) == 0)
			limit := []int{0, 512, 1 << 20}[rng.IntN(3)]
			sets = append(sets, fill(t, spaces[rng.IntN(2)], limit, members))
			want = append(want, map[string]bool{})
			for _, m := range members {
				want[len(want)-1][m] = true
			}
			if size == 20000 && len(sets) == 5 {
				break
			}
		}
		checkAlgebra(t, sets, want)
	}
}

func checkAlgebra(t *testing.T, sets []Value, want []map[string]bool) {
	t.Helper()
	inter, union, diff := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range want {
		maps.Copy(union, m)
	}
	for m := range want[0] {
		others := 0
		for _, o := range want[1:] {
			if o[m] {
				others++
			}
		}
		if others == len(want)-1 {
			inter[m] = true
		}
		if others == 0 {
			diff[m] = true
		}
	}
	compare := func(op string, want map[string]bool, begin func(r *Result, sets []Value, temp *Value) error) {
		t.Helper()
		temp, got := New(sets[0].sp), map[string]bool{}
		var r Result
		if err := begin(&r, slices.Clone(sets), &temp); err != nil {
			t.Fatal(err)
		}
		for r.Next() {
			for _, e := range r.Members() {
				if got[str(e)] {
					t.Fatalf("%s: %q came twice", op, str(e))
				}
				got[str(e)] = true
			}
		}
		temp.Free()
		if !maps.Equal(got, want) {
			t.Fatalf("%s of %d sets: %d members, want %d", op, len(sets), len(got), len(want))
		}
	}
	compare("Inter", inter, func(r *Result, sets []Value, _ *Value) error { r.Inter(sets); return nil })
	compare("Union", union, func(r *Result, sets []Value, temp *Value) error { return r.Union(sets, limits(512), temp) })
	compare("Diff", diff, func(r *Result, sets []Value, temp *Value) error { return r.Diff(sets, limits(512), temp) })
	all := New(newSpace(7))
	if err := all.AddAll(sets, limits(512), nil); err != nil {
		t.Fatal(err)
	}
	check(t, &all, union)
}

func TestUnionOfIntsetsAscends(t *testing.T) {
	sp := newSpace(1)
	sets := []Value{
		fill(t, sp, 512, []string{"5", "-70000", "1"}), fill(t, sp, 512, []string{"2", "5", "9"}), New(sp),
		fill(t, sp, 512, []string{"9223372036854775807"}),
	}
	var got []string
	temp := New(sp)
	var r Result
	if err := r.Union(sets, limits(512), &temp); err != nil {
		t.Fatal(err)
	}
	for r.Next() {
		for _, e := range r.Members() {
			got = append(got, str(e))
		}
	}
	if want := []string{"-70000", "1", "2", "5", "9", "9223372036854775807"}; !slices.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
}

func TestRandomSampleAndPopAreFair(t *testing.T) {
	for _, n := range []int{7, 60, 500} {
		for name, build := range map[string]func(i int) string{
			"intset": strconv.Itoa,
			"table":  func(i int) string { return "m" + strconv.Itoa(i) },
		} {
			var members []string
			for i := range n {
				members = append(members, build(i))
			}
			v := fill(t, newSpace(3), 512, members)
			even(t, name+" Random", n, 1, func(visit func(listpack.Element)) { visit(v.Random()) })
			for _, count := range []int{2, n / 5, n/2 + 1, n - 1} {
				even(t, fmt.Sprint(name, " Sample ", count), n, count, func(visit func(listpack.Element)) { v.Sample(count, visit) })
			}
		}
		for _, prefix := range []string{"", "m"} {
			for _, count := range []int{1, n / 5, n / 2} {
				v := fill(t, newSpace(3), 512, numbered(prefix, 0, n))
				even(t, fmt.Sprint(v.Encoding(), " Pop ", count), n, count, func(visit func(listpack.Element)) {
					var gone []string
					v.Pop(count, func(e listpack.Element) { visit(e); gone = append(gone, str(e)) }, func(int) {})
					for _, m := range gone {
						v.Add(limits(512), []byte(m))
					}
				})
			}
		}
	}
}

// even fails unless n members, of which draw visits count, are drawn nearly equally often.
func even(t *testing.T, what string, n, count int, draw func(visit func(listpack.Element))) {
	t.Helper()
	got := map[string]int{}
	draws := 600*n/max(count, 1) + 1
	for range draws {
		draw(func(e listpack.Element) { got[str(e)]++ })
	}
	if len(got) != n {
		t.Errorf("%s of %d: only %d were ever drawn", what, n, len(got))
	}
	want := draws * count / n
	for m, c := range got {
		if c < want*7/10 || c > want*13/10 {
			t.Errorf("%s of %d: %q was drawn %d times, want about %d", what, n, m, c, want)
		}
	}
}

func TestCopyToAnotherSpace(t *testing.T) {
	for _, ints := range []int{0, 512} {
		v := New(newSpace(1))
		want := map[string]bool{}
		for i := range 300 {
			v.Add(limits(ints), []byte(strconv.Itoa(i)))
			want[strconv.Itoa(i)] = true
		}
		to := newSpace(2)
		r, err := Copy(v.sp, v.Root(), to)
		if err != nil || r.Encoding != v.Encoding() {
			t.Fatalf("%v, %v instead of %v", err, r.Encoding, v.Encoding())
		}
		v.Free()
		c := Open(to, r)
		check(t, &c, want)
	}
}

func TestFreeStepIsBounded(t *testing.T) {
	v := New(newSpace(1))
	for i := range 10000 {
		v.Add(limits(512), []byte("member:"+strconv.Itoa(i)))
	}
	r := v.Root()
	for left := 10000; left > 0; {
		done := FreeStep(v.sp, &r, 100)
		now := Len(v.sp, r)
		if left-now > 400 || done != (now == 0) {
			t.Fatalf("a step from %d to %d members, done %v", left, now, done)
		}
		left = now
	}
	if n := v.sp.Arena.Stats().Allocated; n != 0 {
		t.Fatalf("%d bytes left", n)
	}
}

func TestNoGarbage(t *testing.T) {
	if invariants.Enabled {
		return // the arena keeps books on the Go heap
	}
	sp, lim := newSpace(1), limits(512)
	var members [][]byte
	var names []string
	for i := range 100 {
		names = append(names, "member:"+strconv.Itoa(i))
		members = append(members, []byte(names[i]))
	}
	other, ints := fill(t, sp, 512, names[50:]), fill(t, sp, 512, []string{"1", "2", "3"})
	root := New(sp)
	kept := root.Root()
	var found int
	r, sets := new(Result), make([]Value, 0, 3)
	f := func() {
		v := Open(sp, kept)
		for _, m := range members {
			v.Add(lim, m)
		}
		for _, m := range members {
			if v.Contains(m) {
				found++
			}
		}
		temp := New(sp)
		r.Inter(append(sets[:0], v, other, v))
		for r.Next() {
			found += len(r.Members())
		}
		r.Union(append(sets[:0], v, other, ints), lim, &temp)
		for r.Next() {
			found += len(r.Members())
		}
		r.Diff(append(sets[:0], v, other, ints), lim, &temp)
		for r.Next() {
			found += len(r.Members())
		}
		v.Sample(10, func(e listpack.Element) { found += len(e.Bytes) })
		v.Pop(10, func(e listpack.Element) { found += len(e.Bytes) }, func(int) {})
		for _, m := range members {
			v.Remove(m)
		}
		kept = v.Root()
	}
	f()
	if n := testing.AllocsPerRun(10, f); n != 0 {
		t.Fatalf("%v allocations", n)
	}
}
