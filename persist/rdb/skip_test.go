package rdb

import (
	"bytes"
	"testing"
	"testing/iotest"
)

// TestRawGivesUpWithinAString: nothing of a value that is given up within a string is taken for what should follow it.
func TestRawGivesUpWithinAString(t *testing.T) {
	f := func(typ Type, value ...[]byte) {
		t.Helper()
		in := bytes.Join(value, nil)
		var d Decoder
		d.Reset(iotest.HalfReader(bytes.NewReader(in)))
		if raw, ok, err := d.Raw(typ, 50); ok || err != nil {
			t.Fatalf("type %d: %q, %v, %v", typ, raw, ok, err)
		}
		if err := d.Skip(typ); err != nil || d.Offset() != int64(len(in)) {
			t.Fatalf("type %d: %v at %d of %d", typ, err, d.Offset(), len(in))
		}
	}
	one := []byte{1}
	odd := AppendString(nil, bytes.Repeat([]byte{0xA1}, 1<<20), false) // no length begins so
	id := append([]byte{idBytes}, make([]byte, idBytes)...)
	f(Hash, one, odd, odd)
	f(ZSet, one, odd, []byte{255})
	f(ZSet2, one, odd, make([]byte, 8))
	f(HashTimedPre, one, one, odd, odd)
	f(ListQuicklist2, one, one, odd)
	f(StreamListpacks, one, id, odd, make([]byte, 3), one, odd, make([]byte, 2), make([]byte, 2))
}
