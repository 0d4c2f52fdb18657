package aof

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// recorder notes what it is given as text.
type recorder struct {
	lines    []string
	offsets  []int64
	snapshot int // bytes of a snapshot
	fail     error
}

func (r *recorder) Snapshot(in io.Reader) (int64, io.Reader, error) {
	n, err := io.CopyN(io.Discard, in, int64(r.snapshot))
	r.lines = append(r.lines, "snapshot")
	return n, in, err
}

func (r *recorder) Commands(batch []Command, _ int64) error {
	for _, c := range batch {
		r.lines = append(r.lines, string(bytes.Join(c.Args, []byte(" "))))
		r.offsets = append(r.offsets, c.Offset)
	}
	return r.fail
}

func command(words ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "*%d\r\n", len(words))
	for _, w := range words {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(w), w)
	}
	return b.String()
}

func TestReplay(t *testing.T) {
	big := strings.Repeat("x", 3<<20)
	parts := []string{"REDIS0010", command("SELECT", "0"), "#TS:1700000000\r\n", command("SET", "a", big), command("MULTI"), command("SET", "b", "\r\n"), command("EXEC")}
	file := strings.Join(parts, "")
	for name, in := range map[string]io.Reader{
		"whole":          strings.NewReader(file),
		"data with EOF":  iotest.DataErrReader(strings.NewReader(file)),
		"half the bytes": iotest.HalfReader(strings.NewReader(file)),
	} {
		r := recorder{snapshot: len("REDIS0010")}
		if err := Replay(in, "f", &r); err != nil {
			t.Fatal(name, err)
		}
		want := []string{"snapshot", "SELECT 0", "SET a " + big, "MULTI", "SET b \r\n", "EXEC"}
		if strings.Join(r.lines, "|") != strings.Join(want, "|") {
			t.Errorf("%s: replayed %.200q", name, r.lines)
		}
		if got, want := r.offsets[1], int64(len(parts[0])+len(parts[1])+len(parts[2])); got != want {
			t.Errorf("%s: offset %d, want %d", name, got, want)
		}
	}
}

// A file that ends anywhere gives all complete commands and transactions, and says how far they reach.
func TestTruncatedAnywhere(t *testing.T) {
	parts := []string{command("SET", "a", "1"), command("SET", "bb", "22"), command("MULTI") + command("DEL", "a") + command("EXEC"), "#TS:1\r\n", command("INCR", "c")}
	file := strings.Join(parts, "")
	for cut := range len(file) + 1 {
		whole := 0
		for _, p := range parts {
			if whole+len(p) > cut {
				break
			}
			whole += len(p)
		}
		var r recorder
		err := Replay(strings.NewReader(file[:cut]), "f", &r)
		var short *TruncatedError
		switch {
		case cut == whole && err != nil:
			t.Errorf("cut at %d: %v", cut, err)
		case cut > whole && !errors.As(err, &short):
			t.Errorf("cut at %d: %v", cut, err)
		case cut > whole && short.Valid != int64(whole):
			t.Errorf("cut at %d: valid up to %d, want %d", cut, short.Valid, whole)
		}
	}
}

func TestBadFormat(t *testing.T) {
	good := command("SET", "a", "1")
	for bad, reason := range map[string]string{
		"hello":                         "'h' where '*' is due",
		"*0\r\n":                        "without arguments",
		"*x\r\n":                        "not a number",
		"*1\r\n+OK\r\n":                 "'+' where '$' is due",
		"*1\r\n$3\r\nabcd\r\n":          "does not end where it should",
		"*99999999999999999999\r\n":     "out of range",
		"#" + strings.Repeat("x", 2000): "annotation without end",
	} {
		var r recorder
		err := Replay(strings.NewReader(good+bad), "some.aof", &r)
		var format *FormatError
		if !errors.As(err, &format) || format.Offset != int64(len(good)) || !strings.Contains(err.Error(), reason) || !strings.Contains(err.Error(), "some.aof") {
			t.Errorf("%.20q: %v", bad, err)
		}
		if len(r.lines) != 1 {
			t.Errorf("%.20q: replayed %q", bad, r.lines)
		}
	}
}

func TestReplayErrors(t *testing.T) {
	broken := errors.New("broken")
	if err := Replay(iotest.ErrReader(broken), "f", &recorder{}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if err := Replay(strings.NewReader(command("PING")), "f", &recorder{fail: broken}); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func FuzzReplay(f *testing.F) {
	f.Add([]byte(command("SET", "a", "1")))
	f.Add([]byte("#TS:1\r\n" + command("MULTI") + command("EXEC")))
	f.Add([]byte("*2\r\n$1\r\na\r\n$1000000000\r\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		var r recorder
		err := Replay(bytes.NewReader(file), "f", &r)
		var short *TruncatedError
		var format *FormatError
		if err != nil && !errors.As(err, &short) && !errors.As(err, &format) {
			t.Fatal(err)
		}
		if short != nil && !bytes.HasPrefix(file, []byte("REDIS")) {
			// What is said to be whole is whole.
			if err := Replay(bytes.NewReader(file[:short.Valid]), "f", &recorder{}); err != nil {
				t.Fatal("the valid part:", err)
			}
		}
	})
}

func BenchmarkReplay(b *testing.B) {
	file := []byte(strings.Repeat(command("SET", "key:000000000001", strings.Repeat("v", 32)), 10000))
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		if err := Replay(bytes.NewReader(file), "f", nothing{}); err != nil {
			b.Fatal(err)
		}
	}
}

type nothing struct{}

func (nothing) Snapshot(in io.Reader) (int64, io.Reader, error) { return 0, in, nil }
func (nothing) Commands([]Command, int64) error                 { return nil }
