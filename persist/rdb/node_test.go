package rdb

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/stream"
)

// decodeAhead is decode with help: of other goroutines, or of a Go that is as late as it may be.
func decodeAhead(sp *types.Space, b []byte, elsewhere bool) (Value, error) {
	var d Decoder
	d.Reset(bytes.NewReader(b))
	d.Go = func(f func()) { f() }
	if elsewhere {
		d.Go = func(f func()) { go f() }
	}
	t, err := d.Type()
	if err != nil {
		return Value{}, err
	}
	return d.Value(sp, limits, t)
}

// Whoever opens the nodes, the value is the same, and so is what is wrong with it.
func TestNodesAhead(t *testing.T) {
	for _, m := range []made{
		{"list", ListQuicklist2, fillList(0, numbered("element:%08d", 300_000)...)},
		{"stream", StreamListpacks2, fillStream(60_000, 1, 2)},
		{"empty stream", StreamListpacks2, fillStream(0, 1, 0)},
	} {
		for _, compress := range []bool{false, true} {
			sp := newSpace()
			in := encode(sp, m.make(sp), compress, 1<<16)
			for _, elsewhere := range []bool{false, true} {
				to := newSpace()
				v, err := decodeAhead(to, in, elsewhere)
				if err != nil || check(to, v.Root) != nil {
					t.Fatalf("%s: %v, %v", m.name, err, check(to, v.Root))
				}
				if !bytes.Equal(encode(to, v.Root, compress, 1<<16), in) {
					t.Errorf("%s has become another", m.name)
				}
				free(to, v.Root)
				if n := to.Arena.CountObjects(); n != 0 {
					t.Errorf("%s: %d blocks are left", m.name, n)
				}
			}
		}
	}
}

func TestDamagedNodesAhead(t *testing.T) {
	for _, m := range []made{
		{"list", ListQuicklist2, fillList(0, numbered("element:%08d", 30_000)...)},
		{"stream", StreamListpacks2, fillStream(10_000, 0, 0)},
	} {
		sp := newSpace()
		in := encode(sp, m.make(sp), false, 1<<16)
		for at := 1; at < len(in); at += 5003 {
			for _, bad := range [][]byte{in[:at], append(append(bytes.Clone(in[:at]), in[at]^0x40), in[at+1:]...)} {
				to := newSpace()
				want, wantErr := decode(to, bad)
				got, gotErr := decodeAhead(to, bad, at%2 == 0)
				if (wantErr == nil) != (gotErr == nil) {
					t.Fatalf("%s, byte %d: %v, without help %v", m.name, at, gotErr, wantErr)
				}
				if wantErr == nil {
					free(to, want.Root)
					free(to, got.Root)
				}
				if n := to.Arena.CountObjects(); n != 0 {
					t.Fatalf("%s, byte %d: %d blocks are left", m.name, at, n)
				}
			}
		}
	}
}

// An error tells where the node ends in which it is, however far others have read.
func TestErrorOfNodeHasItsOffset(t *testing.T) {
	sp := newSpace()
	in := encode(sp, fillList(0, numbered("element:%08d", 30_000)...)(sp), false, 1<<16)
	at := bytes.Index(in, []byte("element:00010000"))
	in[at-1]++ // its length
	_, want := decode(newSpace(), in)
	_, got := decodeAhead(newSpace(), in, true)
	var e, f *Error
	if !errors.As(want, &e) || !errors.As(got, &f) || e.Offset != f.Offset || e.Offset < int64(at) || e.Offset > int64(at)+10_000 {
		t.Errorf("%v, without help %v", got, want)
	}
}

// What a node says of its size is believed only as far as its bytes can stand for it.
func TestNodesThatClaimToBeLarge(t *testing.T) {
	for _, node := range []string{"\xc3\x01\x80\x7f\xff\xff\xffa", "\xc3\x02\x00aa", "\xc3\x00\x05"} {
		for _, in := range []string{"\x12\x01\x02" + node, "\x13\x01\x10" + fmt.Sprintf("%016d", 1) + node} {
			for _, elsewhere := range []bool{false, true} {
				if _, err := decodeAhead(newSpace(), []byte(in), elsewhere); err == nil {
					t.Errorf("%q is a value", in)
				}
			}
			if _, err := decode(newSpace(), []byte(in)); err == nil {
				t.Errorf("%q is a value", in)
			}
		}
	}
}

func BenchmarkValidateNode(b *testing.B) {
	sp := newSpace()
	r := fillStream(100, 0, 0)(sp)
	v := stream.Open(sp, r)
	v.Nodes(func(master stream.ID, lp []byte) bool {
		b.SetBytes(int64(len(lp)))
		for b.Loop() {
			if _, err := stream.ValidateNode(lp, master); err != nil {
				b.Fatal(err)
			}
		}
		return false
	})
}
