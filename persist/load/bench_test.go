package load

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/shoaldb/shoal/persist/rdb"
)

// benchFile is a file of n keys of one kind.
func benchFile(kind string, n int) []byte {
	out := rdb.AppendHeader(nil, rdb.Version)
	out = rdb.AppendDB(out, 0, n, 0)
	for i := range n {
		var v []byte
		switch kind {
		case "string":
			v = typed(rdb.String, text(fmt.Sprintf("value:%026d", i)))
		case "hash":
			lp := listpack("field1", fmt.Sprint(i), "field2", fmt.Sprintf("value:%d", i), "field3", "something else")
			v = typed(rdb.HashListpack, rdb.AppendString(nil, lp, false))
		case "set":
			v = typed(rdb.Set, texts(1, fmt.Sprint("a", i), fmt.Sprint("b", i), "c", "d"))
		}
		out = rdb.AppendKey(out, fmt.Appendf(nil, "key:%012d", i), rdb.Type(v[0]), rdb.Attributes{IdleSec: -1, Freq: -1}, false)
		out = append(out, v[1:]...)
	}
	out = rdb.AppendEOF(out)
	return rdb.AppendChecksum(out, rdb.Checksum(0, out))
}

func BenchmarkLoad(b *testing.B) {
	const n = 200_000
	for _, kind := range []string{"string", "hash", "set"} {
		f := benchFile(kind, n)
		for _, workers := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/workers=%d", kind, workers), func(b *testing.B) {
				b.SetBytes(int64(len(f)))
				o := options()
				o.Workers = workers
				for b.Loop() {
					if _, err := Load(newKeyspace(), bytes.NewReader(f), o); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/key")
			})
		}
	}
}
