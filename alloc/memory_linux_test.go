package alloc

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
	"testing"

	"github.com/shoaldb/shoal/internal/invariants"
)

// residentBytes reads the process's RSS after the Go heap has been given back: the sum over the page tables, where the
// kernel shows it, as its other figures lag behind by some pages on each CPU.
func residentBytes(t testing.TB) int {
	debug.FreeOSMemory()
	b, err := os.ReadFile("/proc/self/smaps_rollup")
	_, rest, found := bytes.Cut(b, []byte("\nRss:"))
	if !found {
		b, err = os.ReadFile("/proc/self/status")
		_, rest, _ = bytes.Cut(b, []byte("\nVmRSS:"))
	}
	if err != nil {
		t.Fatal(err)
	}
	kilobytes, err := strconv.Atoi(string(bytes.Fields(rest)[0]))
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

func TestMemoryReturnsToOS(t *testing.T) {
	const size, n = 1000, 200 << 20 / 1024
	h := NewHeap()
	a := NewArena(h)
	refs := make([]Ref, n)
	before := residentBytes(t)
	for i := range refs {
		refs[i] = a.AllocZero(size)
	}
	full := residentBytes(t)
	if full-before < 190<<20 {
		t.Fatalf("200 MiB written, RSS grew by %d", full-before)
	}
	for _, r := range refs {
		a.Free(r, size)
	}
	for h.Scavenge(8<<20) > 0 {
	}
	if left := residentBytes(t) - before; left > 20<<20 {
		t.Fatalf("all freed, RSS still %d above the start", left)
	}
}

func TestDetachedMemoryReturnsToOS(t *testing.T) {
	h := NewHeap()
	a := NewArena(h)
	for range 100 << 10 {
		a.AllocZero(1000)
	}
	a.AllocZero(5 << 20)
	old := a.Detach()
	if st := a.Stats(); st != (Stats{}) {
		t.Fatalf("detached arena: %+v", st)
	}
	r := a.AllocZero(10)
	for !old.ReleaseStep(100) {
	}
	if st := old.Stats(); st != (Stats{}) {
		t.Fatalf("released arena: %+v", st)
	}
	if got := h.Stats().InUse; got != PageSize {
		t.Fatalf("heap has %d bytes in use", got)
	}
	a.Free(r, 10)
	a.Trim()
	if got := h.Stats().InUse; got != 0 {
		t.Fatalf("heap has %d bytes in use after Trim", got)
	}
}

func TestOverheadIsSmall(t *testing.T) {
	const arenas, objects, size = 64, 2_000_000, 64
	h := NewHeap()
	shards := make([]*Arena, arenas)
	for i := range shards {
		shards[i] = NewArena(h)
	}
	before := residentBytes(t)
	for i := range 25 * arenas {
		clear(shards[i%arenas].Bytes(shards[i%arenas].Alloc(size), size))
	}
	few := residentBytes(t)
	if few-before > 1<<20 && !invariants.Enabled {
		t.Errorf("1,600 objects cost %d KiB", (few-before)>>10)
	}
	for i := 25 * arenas; i < objects; i++ {
		clear(shards[i%arenas].Bytes(shards[i%arenas].Alloc(size), size))
	}
	grown := residentBytes(t) - before
	// A chunk on a huge page is resident as a whole, so up to 2 MiB come on top.
	if limit := objects*size*1015/1000 + chunkSize; grown > limit && !invariants.Enabled {
		t.Errorf("%d MiB of objects cost %d KiB, want at most %d", objects*size>>20, grown>>10, limit>>10)
	}
	t.Logf("1,600 objects: %d KiB; %d: %.3f of their size", (few-before)>>10, objects, float64(grown)/objects/size)
}
