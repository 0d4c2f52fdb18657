package command

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLookupComparesWholeNames asks for every command in any case, and for what differs from its name by a byte or by its length.
func TestLookupComparesWholeNames(t *testing.T) {
	table := NewTable(slices.Clone(StringCommands), slices.Clone(BitCommands), slices.Clone(ZSetCommands), slices.Clone(GeoCommands), slices.Clone(HashTTLCommands))
	names := map[string]*Spec{}
	for _, s := range table.Specs() {
		names[s.Name] = s
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for name, spec := range names {
		for range 50 {
			asked := []byte(name)
			for i := range asked {
				if rng.IntN(2) == 0 {
					asked[i] = bytes.ToLower(asked[i : i+1])[0]
				}
			}
			if got := table.Lookup(asked); got != spec {
				t.Fatalf("Lookup(%q) found %v", asked, got)
			}
			switch at := rng.IntN(len(asked)); rng.IntN(3) {
			case 0:
				asked[at] = byte(rng.Uint32())
			case 1:
				asked = asked[:at]
			case 2:
				asked = append(asked, byte(rng.Uint32()))
			}
			if got, want := table.Lookup(asked), names[string(bytes.ToUpper(asked))]; got != want && !bytes.ContainsFunc(asked, func(r rune) bool { return r >= 0x80 }) {
				t.Fatalf("Lookup(%q) found %v, want %v", asked, got, want)
			}
		}
	}
}

func FuzzUpperCase(f *testing.F) {
	f.Add([]byte("get"))
	f.Add([]byte("@[`{\xe1\xfaaz"))
	f.Fuzz(func(t *testing.T, name []byte) {
		var want uint64
		for i, c := range name[:min(len(name), 8)] {
			if c >= 'a' && c <= 'z' {
				c -= 'a' - 'A'
			}
			want |= uint64(c) << (8 * i)
		}
		if got := firstWord(name); got != want {
			t.Fatalf("firstWord(%q) = %#x, want %#x", name, got, want)
		}
	})
}
