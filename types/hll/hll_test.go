package hll

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

const defaultSparseMax = 3000

// registers returns what a valid b holds.
func registers(t testing.TB, b []byte) (r Union) {
	t.Helper()
	if !Valid(b) {
		t.Fatalf("invalid: %.40q", b)
	}
	if err := r.Add(b); err != nil {
		t.Fatalf("%v: %s", err, AppendOpcodes(nil, b))
	}
	return r
}

// set is Set for b that must be intact.
func set(t testing.TB, b []byte, index, rank, sparseMax int) ([]byte, bool) {
	t.Helper()
	lacks, err := Lacks(b, index, rank)
	if err != nil {
		t.Fatal(err)
	}
	b, changed, err := Set(b, index, rank, sparseMax)
	if err != nil {
		t.Fatal(err)
	}
	if lacks != changed {
		t.Fatalf("Lacks says %v, Set says %v", lacks, changed)
	}
	return b, changed
}

func TestAgainstPlainRegisters(t *testing.T) {
	for _, sparseMax := range []int{0, 20, 300, defaultSparseMax, 100000} {
		for seed := range uint64(8) {
			rng := rand.New(rand.NewPCG(seed, 0))
			width := []int{Registers, 5, 100}[seed%3] // neighbours meet
			top := []int{51, 3, 1, 32}[seed%4]
			b := AppendEmpty(nil)
			var want Union
			for i := range 5000 {
				index, rank := rng.IntN(width), 1+rng.IntN(top)
				wasDense := IsDense(b)
				next, changed := set(t, b, index, rank, sparseMax)
				b = next
				if more := rank > int(want[index]); changed != more {
					t.Fatalf("register %d is %d, rank %d: changed %v", index, want[index], rank, changed)
				}
				want[index] = max(want[index], uint8(rank))
				if IsDense(b) && !wasDense && rank <= maxSparse && len(b) <= sparseMax {
					t.Fatal("dense too early")
				}
				if !IsDense(b) && len(b) > max(sparseMax, 20) {
					t.Fatalf("%d bytes", len(b))
				}
				if i%97 == 0 && registers(t, b) != want {
					t.Fatal("registers differ")
				}
			}
			checkCounts(t, b, &want)
		}
	}
}

// checkCounts compares all ways to the cardinality of the registers.
func checkCounts(t *testing.T, b []byte, want *Union) {
	t.Helper()
	if registers(t, b) != *want {
		t.Fatal("registers differ")
	}
	n, err := Count(b)
	if err != nil || n != want.Count() {
		t.Fatalf("%d of the bytes, %d of the union; %v", n, want.Count(), err)
	}
	if !IsDense(b) {
		dense, err := ToDense(b)
		if err != nil {
			t.Fatal(err)
		}
		checkCounts(t, dense, want)
	}
}

func TestEstimates(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	b := AppendEmpty(nil)
	if n, _ := Count(b); n != 0 {
		t.Errorf("%d of none", n)
	}
	for n := 1; n <= 300000; n++ {
		var elem [8]byte
		binary.LittleEndian.PutUint64(elem[:], rng.Uint64())
		index, rank := Hash(elem[:])
		b, _ = set(t, b, index, rank, defaultSparseMax)
		if n == 10 || n == 1000 || n == 30000 || n == 300000 {
			got, _ := Count(b)
			if off := math.Abs(float64(got)-float64(n)) / float64(n); off > 0.05 {
				t.Errorf("%d of %d", got, n)
			}
		}
	}
	if !IsDense(b) {
		t.Error("still sparse")
	}
}

func TestHash(t *testing.T) {
	f := func(elem string, want uint64) {
		t.Helper()
		if got := murmur([]byte(elem), 0); got != want {
			t.Errorf("%q: %#x, not %#x", elem, got, want)
		}
	}
	f("", 0)
	f("a", 0x071717d2d36b6b11)
	var seen [64]bool
	for i := range 1 << 18 {
		index, rank := Hash(strconv.AppendInt(nil, int64(i), 10))
		if index < 0 || index >= Registers || rank < 1 || rank > rankBits+1 {
			t.Fatal(index, rank)
		}
		seen[rank] = true
	}
	if !seen[1] || !seen[15] {
		t.Error("ranks are missing")
	}
}

// TestOpcodes goes through the forms that a change may take.
func TestOpcodes(t *testing.T) {
	b := AppendEmpty(nil)
	f := func(index, rank int, want string) {
		t.Helper()
		b, _ = set(t, b, index, rank, defaultSparseMax)
		if got := string(AppendOpcodes(nil, b)); got != want {
			t.Errorf("register %d to %d: %s, not %s", index, rank, got, want)
		}
	}
	f(1000, 2, "Z:1000 v:2,1 Z:15383")
	f(1020, 3, "Z:1000 v:2,1 z:19 v:3,1 Z:15363")
	f(1021, 3, "Z:1000 v:2,1 z:19 v:3,2 Z:15362")
	f(1022, 3, "Z:1000 v:2,1 z:19 v:3,3 Z:15361")
	f(1023, 3, "Z:1000 v:2,1 z:19 v:3,4 Z:15360")
	f(1024, 3, "Z:1000 v:2,1 z:19 v:3,4 v:3,1 Z:15359")
	f(1021, 32, "Z:1000 v:2,1 z:19 v:3,1 v:32,1 v:3,3 Z:15359")
	f(1021, 5, "Z:1000 v:2,1 z:19 v:3,1 v:32,1 v:3,3 Z:15359")
	f(0, 1, "v:1,1 Z:999 v:2,1 z:19 v:3,1 v:32,1 v:3,3 Z:15359")
	f(16383, 1, "v:1,1 Z:999 v:2,1 z:19 v:3,1 v:32,1 v:3,3 Z:15358 v:1,1")
	f(1001, 2, "v:1,1 Z:999 v:2,2 z:18 v:3,1 v:32,1 v:3,3 Z:15358 v:1,1")
}

func TestUnion(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for round := range 60 {
		var u, want Union
		var list [][]byte
		dense := false
		for range 1 + rng.IntN(4) {
			b := AppendEmpty(nil)
			for range rng.IntN([]int{2, 50, 1000, 20000}[round%4] + 1) {
				b, _ = set(t, b, rng.IntN(Registers), 1+rng.IntN(5), defaultSparseMax)
			}
			list = append(list, b)
			dense = dense || IsDense(b)
			for i, r := range registers(t, b) {
				want[i] = max(want[i], r)
			}
			if err := u.Add(b); err != nil {
				t.Fatal(err)
			}
		}
		// One register after the other comes to the same bytes.
		plain := slices.Clone(list[0])
		for i, r := range u {
			if r > 0 {
				plain, _ = set(t, plain, i, int(r), defaultSparseMax)
			}
		}
		Invalidate(plain)
		b := u.Store(list[0], dense, defaultSparseMax)
		checkCounts(t, b, &want)
		if !dense && !bytes.Equal(b, plain) {
			t.Fatalf("%s\nnot\n%s", AppendOpcodes(nil, b), AppendOpcodes(nil, plain))
		}
	}
}

func TestCached(t *testing.T) {
	b := AppendEmpty(nil)
	if n, ok := Cached(b); n != 0 || !ok {
		t.Error(n, ok)
	}
	for _, sparseMax := range []int{defaultSparseMax, 0} {
		b, _, _ = Set(b, 1, 10+len(b)%7, sparseMax)
		if _, ok := Cached(b); ok {
			t.Error("still valid")
		}
		SetCached(b, 77)
		if n, ok := Cached(b); n != 77 || !ok {
			t.Error(n, ok)
		}
	}
}

func TestCorrupt(t *testing.T) {
	head := AppendEmpty(nil)[:HeaderBytes]
	f := func(runs string) {
		t.Helper()
		b := append(slices.Clone(head), runs...)
		if _, err := Count(b); err != ErrCorrupt {
			t.Errorf("Count of %q: %v", runs, err)
		}
		if _, err := ToDense(b); err != ErrCorrupt {
			t.Errorf("ToDense of %q: %v", runs, err)
		}
		if err := new(Union).Add(b); err != ErrCorrupt {
			t.Errorf("Union of %q: %v", runs, err)
		}
		if _, _, err := Set(slices.Clone(b), Registers-1, maxSparse+1, 100); err != ErrCorrupt {
			t.Errorf("Set in %q: %v", runs, err)
		}
	}
	f("")
	f("\x00")
	f("\x7f\xff\x00")
	f("\x7f\xfe")
	f("\x7f\xfd\x82")
	f("\x7f\xfc\xff\xff")
	f("\x7f")
	for _, b := range []string{"", "HYLL", "HYLL\x01", "HYLL\x00" + string(make([]byte, DenseBytes-6)), "hyll\x01" + string(make([]byte, 20)),
		"HYLL\x02" + string(make([]byte, DenseBytes-5))} {
		if Valid([]byte(b)) {
			t.Errorf("%.20q is valid", b)
		}
	}
}

func TestSelfTest(t *testing.T) {
	s := NewSelfTest(1, defaultSparseMax)
	s.cycles = 3
	s.added = selfTestElements - 5_000
	s.checkpoint = selfTestElements * 10
	for {
		more, err := s.Step()
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			break
		}
	}
	s = NewSelfTest(1, defaultSparseMax)
	for s.added < 200_000 {
		if _, err := s.Step(); err != nil {
			t.Fatal(err)
		}
		s.cycles = 0
		if s.added == 0 {
			clear(s.dense)
		}
	}
	clear(s.dense[HeaderBytes : HeaderBytes+3]) // four registers, which hold 12 elements each
	if s.check() == nil {
		t.Error("wrong registers are not noticed")
	}
}

// FuzzForeign gives every function bytes that only claim to be a HyperLogLog.
func FuzzForeign(f *testing.F) {
	f.Add([]byte("\x7f\xff"), uint16(0), byte(1), uint16(3000))
	f.Add([]byte("\x7f"), uint16(16128), byte(1), uint16(3000))
	f.Add([]byte("\x7f\xf0\x8f\x8b\x7f"), uint16(16384-16), byte(4), uint16(3000))
	f.Fuzz(func(t *testing.T, runs []byte, index uint16, rank byte, sparseMax uint16) {
		b := append(AppendEmpty(nil)[:HeaderBytes], runs...)
		i, r := int(index)%Registers, 1+int(rank)%(rankBits+1)
		AppendOpcodes(nil, b)
		n, countErr := Count(b)
		var u Union
		unionErr := u.Add(b)
		if countErr == nil && unionErr == nil && n != u.Count() {
			t.Errorf("%d and %d", n, u.Count())
		}
		Lacks(b, i, r)
		after, changed, err := Set(slices.Clone(b), i, r, int(sparseMax))
		if countErr != nil {
			return
		}
		if err != nil {
			t.Fatalf("%v in an intact one", err)
		}
		var v Union
		if !Valid(after) {
			t.Fatal("invalid now")
		}
		if err := v.Add(after); err == nil {
			u[i] = max(u[i], uint8(r))
			if u != v {
				t.Error("registers differ")
			}
		} else if runs[len(runs)-1]&0xc0 != opXZero { // else its last byte may have been missing
			t.Errorf("%v now; changed %v", err, changed)
		}
		u.Store(slices.Clone(b), false, int(sparseMax))
	})
}

func benchmarkAdd(b *testing.B, elems int) {
	h := AppendEmpty(nil)
	var elem [8]byte
	for i := range elems {
		binary.LittleEndian.PutUint64(elem[:], uint64(i))
		index, rank := Hash(elem[:])
		h, _, _ = Set(h, index, rank, defaultSparseMax)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(h)))
	for i := range b.N {
		binary.LittleEndian.PutUint64(elem[:], uint64(i%elems))
		index, rank := Hash(elem[:])
		if lacks, _ := Lacks(h, index, rank); lacks {
			b.Fatal("new")
		}
	}
}

func BenchmarkLacks(b *testing.B) {
	b.Run("elems=100", func(b *testing.B) { benchmarkAdd(b, 100) })
	b.Run("elems=1000", func(b *testing.B) { benchmarkAdd(b, 1000) })
	b.Run("elems=100K", func(b *testing.B) { benchmarkAdd(b, 100000) })
}

func BenchmarkCount(b *testing.B) {
	for _, elems := range []int{1000, 100000} {
		b.Run("elems="+strconv.Itoa(elems), func(b *testing.B) {
			h := AppendEmpty(nil)
			for i := range elems {
				index, rank := Hash(strconv.AppendInt(nil, int64(i), 10))
				h, _, _ = Set(h, index, rank, defaultSparseMax)
			}
			b.ReportAllocs()
			for b.Loop() {
				Count(h)
			}
		})
	}
}

func BenchmarkUnion(b *testing.B) {
	h, _ := ToDense(AppendEmpty(nil))
	var u Union
	b.ReportAllocs()
	for b.Loop() {
		u.Add(h)
	}
}
