package aof

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/persist/rdb"
)

// snapshotOf makes a file of a few keys.
func snapshotOf() []byte {
	none := rdb.Attributes{IdleSec: -1, Freq: -1}
	b := rdb.AppendHeader(nil, rdb.Version)
	b = rdb.AppendFunction(b, []byte("#!lua name=lib"), false)
	b = rdb.AppendDB(b, 2, 2, 1)
	b = rdb.AppendKey(b, []byte("s"), rdb.String, rdb.Attributes{ExpireMS: 1900000000000, IdleSec: -1, Freq: -1}, false)
	b = rdb.AppendString(b, []byte("text"), false)
	b = rdb.AppendKey(b, []byte("t"), rdb.Set, none, false)
	b = rdb.AppendLen(b, 2)
	b = rdb.AppendString(rdb.AppendString(b, []byte("x"), false), []byte("17"), false)
	b = rdb.AppendEOF(b)
	return rdb.AppendChecksum(b, 0)
}

func TestWriteCommands(t *testing.T) {
	var out bytes.Buffer
	if err := WriteCommands(bytes.NewReader(snapshotOf()), &out, 1628217470); err != nil {
		t.Fatal(err)
	}
	var r recorder
	if err := Replay(&out, "base", &r); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(r.lines, "\n")
	for _, want := range []string{"FUNCTION LOAD #!lua name=lib\nSELECT 2\nSET s text\nPEXPIREAT s 1900000000000\nSADD t "} {
		if !strings.HasPrefix(got, want) {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}

func TestWriteCommandsFails(t *testing.T) {
	file := snapshotOf()
	for n := range len(file) - 8 {
		if err := WriteCommands(bytes.NewReader(file[:n]), io.Discard, 0); err == nil {
			t.Errorf("%d bytes of %d are enough", n, len(file))
		}
	}
}

func FuzzWriteCommands(f *testing.F) {
	f.Add(snapshotOf())
	f.Fuzz(func(t *testing.T, file []byte) {
		var out bytes.Buffer
		if WriteCommands(bytes.NewReader(file), &out, 0) != nil {
			return
		}
		var r recorder
		if err := Replay(&out, "base", &r); err != nil {
			t.Fatal(err)
		}
	})
}
