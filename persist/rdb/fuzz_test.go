package rdb

import (
	"bytes"
	"testing"

	"github.com/shoaldb/shoal/types"
)

// FuzzValue reads a type and a value that may be anything. What is taken for a value must be one, and nothing may be left behind.
func FuzzValue(f *testing.F) {
	for _, m := range values {
		sp := newSpace()
		r := m.make(sp)
		for _, compress := range []bool{false, true} {
			if b := encode(sp, r, compress, 1000); len(b) < 4000 {
				f.Add(b)
			}
		}
	}
	sp, to := newSpace(), newSpace()
	f.Fuzz(func(t *testing.T, b []byte) {
		lim := limits
		if len(b)%2 != 0 { // few elements make a table, too
			lim = &types.Limits{ListListpackSize: -2, StreamNodeBytes: 4096, StreamNodeEntries: 100}
		}
		v, err := decodeWith(sp, lim, b)
		if most := 64<<10 + 2*maxExpansion*len(b); sp.Arena.Stats().Allocated > most {
			t.Fatalf("%d bytes of a payload take %d", len(b), sp.Arena.Stats().Allocated)
		}
		skipLike(t, b, err)
		if err == nil && v.Kind != types.String {
			if err := check(sp, v.Root); err != nil {
				t.Fatal(err)
			}
			writeAndRead(t, sp, v.Root, to)
			free(sp, v.Root)
		}
		if n := sp.Arena.CountObjects() + to.Arena.CountObjects(); n != 0 {
			t.Fatalf("%d blocks are left", n)
		}
	})
}

// skipLike skips what was read, with err, and expects to find its end.
func skipLike(t *testing.T, b []byte, err error) {
	var d Decoder
	d.ResetBytes(b)
	typ, _ := d.Type()
	if err == nil {
		if err := d.Skip(typ); err != nil {
			t.Fatalf("was read, but cannot be skipped: %v", err)
		}
	}
	d.Reset(bytes.NewReader(b))
	typ, _ = d.Type()
	if _, ok, rawErr := d.Raw(typ, len(b)); err == nil && (rawErr != nil || !ok) {
		t.Fatalf("was read, but is not raw: %v", rawErr)
	}
}

// writeAndRead writes a value of sp and expects to read one of the same kind, in to.
func writeAndRead(t *testing.T, sp *types.Space, r types.Root, to *types.Space) {
	b := encode(sp, r, r.Type%2 == 0, 64)
	v, err := decode(to, b)
	if err != nil {
		t.Fatalf("what was written cannot be read: %v", err)
	}
	if err := check(to, v.Root); err != nil {
		t.Fatal(err)
	}
	if v.Kind != r.Type {
		t.Fatalf("a %v became a %v", r.Type, v.Kind)
	}
	free(to, v.Root)
}
