package rdb

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/types"
)

// benchValues are values as they are common: short ones in many keys, and large ones.
var benchValues = []made{
	{"list=10", ListQuicklist2, fillList(0, numbered("element:%08d", 10)...)},
	{"list=100k", ListQuicklist2, fillList(0, numbered("element:%08d", 100_000)...)},
	{"intset=10", SetIntset, fillSet(numbered("%d", 10)...)},
	{"set=10", Set, fillSet(numbered("member:%08d", 10)...)},
	{"set=100k", Set, fillSet(numbered("member:%08d", 100_000)...)},
	{"zset=10", ZSetListpack, fillZSet(half, numbered("member:%08d", 10)...)},
	{"zset=100k", ZSet2, fillZSet(half, numbered("member:%08d", 100_000)...)},
	{"hash=10", HashListpack, fillHash(10, 0, "value:0000")},
	{"hash=100k", Hash, fillHash(100_000, 0, "value:0000")},
	{"stream=100", StreamListpacks2, fillStream(100, 0, 0)},
	{"stream=10k", StreamListpacks2, fillStream(10_000, 1, 2)},
}

func BenchmarkEncode(b *testing.B) {
	for _, compress := range []bool{false, true} {
		for _, m := range benchValues {
			b.Run(fmt.Sprintf("%s/compress=%v", m.name, compress), func(b *testing.B) {
				sp := newSpace()
				r := m.make(sp)
				e := Encoder{Compress: compress}
				buf := encode(sp, r, compress, 1<<16)
				b.SetBytes(int64(len(encode(sp, r, false, 1<<16))))
				b.ReportAllocs()
				for b.Loop() {
					buf = append(buf[:0], byte(e.Start(sp, r)))
					for more := true; more; {
						buf, more = e.Step(buf, 1<<16)
					}
				}
			})
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, compress := range []bool{false, true} {
		for _, m := range benchValues {
			b.Run(fmt.Sprintf("%s/compress=%v", m.name, compress), func(b *testing.B) {
				sp := newSpace()
				r := m.make(sp)
				in := encode(sp, r, compress, 1<<16)
				b.SetBytes(int64(len(encode(sp, r, false, 1<<16))))
				b.ReportAllocs()
				var d Decoder
				for b.Loop() {
					d.ResetBytes(in)
					t, _ := d.Type()
					v, err := d.Value(sp, limits, t)
					if err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
					free(sp, v.Root)
					b.StartTimer()
				}
			})
		}
	}
}

// BenchmarkString reads and writes keys whose values are strings.
func BenchmarkString(b *testing.B) {
	for _, n := range []int{8, 32, 256, 4096} {
		for _, compress := range []bool{false, true} {
			text := []byte(strings.Repeat("value of a key, ", n/16+1)[:n])
			b.Run(fmt.Sprintf("write/value=%d/compress=%v", n, compress), func(b *testing.B) {
				var buf []byte
				b.SetBytes(int64(n))
				for b.Loop() {
					buf = AppendKey(buf[:0], []byte("key:0000000123"), String, Attributes{IdleSec: -1, Freq: -1}, compress)
					buf = AppendString(buf, text, compress)
				}
			})
			b.Run(fmt.Sprintf("read/value=%d/compress=%v", n, compress), func(b *testing.B) {
				one := AppendKey(nil, []byte("key:0000000123"), String, Attributes{IdleSec: -1, Freq: -1}, compress)
				one = AppendString(one, text, compress)
				file := append(AppendHeader(nil, Version), bytes.Repeat(one, 1000)...)
				file = AppendChecksum(AppendEOF(file), 0)
				b.SetBytes(int64(n) * 1000)
				sp := newSpace()
				for b.Loop() {
					readAll(b, sp, file)
				}
			})
		}
	}
}

func readAll(b *testing.B, sp *types.Space, file []byte) {
	var r Reader
	var rec Record
	if _, err := r.Open(bytes.NewReader(file)); err != nil {
		b.Fatal(err)
	}
	for r.Next(&rec) == nil {
		if _, err := r.Decoder().Value(sp, limits, rec.Type); err != nil {
			b.Fatal(err)
		}
	}
}
