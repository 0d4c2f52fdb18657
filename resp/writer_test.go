package resp

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"
)

func TestWriter(t *testing.T) {
	f := func(write func(w *Writer), resp2, resp3 string) {
		t.Helper()
		for proto, want := range map[uint8]string{2: resp2, 3: resp3, 0: resp2} {
			w := Writer{Proto: proto}
			write(&w)
			if string(w.Buf) != want {
				t.Errorf("RESP%d: %q, want %q", proto, w.Buf, want)
			}
			// The same behind other replies, with and without room.
			for _, room := range []int{0, 3, 200} {
				w.Buf = append(make([]byte, 0, 4+room), ":1\r\n"...)
				write(&w)
				if string(w.Buf) != ":1\r\n"+want {
					t.Errorf("RESP%d: %q, want %q", proto, w.Buf, ":1\r\n"+want)
				}
			}
		}
	}
	same := func(write func(w *Writer), want string) {
		t.Helper()
		f(write, want, want)
	}
	same((*Writer).OK, "+OK\r\n")
	same(func(w *Writer) { w.Simple("PONG") }, "+PONG\r\n")
	same(func(w *Writer) { w.Error("ERR no") }, "-ERR no\r\n")
	same(func(w *Writer) { w.Error("\r\nERR a\r\nb\n") }, "-ERR a  b\r\n")
	same(func(w *Writer) { w.Error("\n") }, "-\r\n")
	same(func(w *Writer) { w.Int(-5) }, ":-5\r\n")
	same(func(w *Writer) { w.Bulk([]byte("abc")) }, "$3\r\nabc\r\n")
	same(func(w *Writer) { w.Bulk(nil) }, "$0\r\n\r\n")
	same(func(w *Writer) { w.BulkString("abc") }, "$3\r\nabc\r\n")
	same(func(w *Writer) { w.BulkInt(-100) }, "$4\r\n-100\r\n")
	same(func(w *Writer) { w.BulkOrNull([]byte{}) }, "$0\r\n\r\n")
	f(func(w *Writer) { w.BulkOrNull(nil) }, "$-1\r\n", "_\r\n")
	same(func(w *Writer) { copy(w.ReserveBulk(3), "abc") }, "$3\r\nabc\r\n")
	f((*Writer).Null, "$-1\r\n", "_\r\n")
	f((*Writer).NullArray, "*-1\r\n", "_\r\n")
	same(func(w *Writer) { w.Array(12) }, "*12\r\n")
	f(func(w *Writer) { w.Map(12) }, "*24\r\n", "%12\r\n")
	f(func(w *Writer) { w.Set(1000) }, "*1000\r\n", "~1000\r\n")
	f(func(w *Writer) { w.Push(3) }, "*3\r\n", ">3\r\n")
	f(func(w *Writer) { w.Attribute(3) }, "", "|3\r\n")
	f(func(w *Writer) { w.Double(0.1) }, "$19\r\n0.10000000000000001\r\n", ",0.10000000000000001\r\n")
	f(func(w *Writer) { w.HumanDouble(0.1) }, "$19\r\n0.10000000000000001\r\n", ",0.10000000000000001\r\n")
	f(func(w *Writer) { w.HumanDouble(-2.5) }, "$4\r\n-2.5\r\n", ",-2.5\r\n")
	f(func(w *Writer) { w.Bool(true) }, ":1\r\n", "#t\r\n")
	f(func(w *Writer) { w.Bool(false) }, ":0\r\n", "#f\r\n")
	f(func(w *Writer) { w.BigNumber("-123") }, "$4\r\n-123\r\n", "(-123\r\n")
	f(func(w *Writer) { w.Verbatim("txt", "abc") }, "$3\r\nabc\r\n", "=7\r\ntxt:abc\r\n")
	same(func(w *Writer) { w.Raw([]byte("+x\r\n")) }, "+x\r\n")
}

func TestDeferred(t *testing.T) {
	for _, guess := range []int{0, 1, 10, 300} {
		for _, n := range []int{0, 1, 9, 10, 100, 1000} {
			w := Writer{Proto: 2}
			w.Int(7)
			d := w.DeferMap(guess)
			inner := w.DeferArray(5)
			w.Int(1)
			w.Close(inner, n)
			set := w.DeferSet(guess)
			w.Close(set, n)
			w.Close(d, n)
			w.Int(8)
			count := strconv.Itoa(n)
			if want := ":7\r\n*" + strconv.Itoa(2*n) + "\r\n*" + count + "\r\n:1\r\n*" + count + "\r\n:8\r\n"; string(w.Buf) != want {
				t.Errorf("guess %d, count %d: %q, want %q", guess, n, w.Buf, want)
			}
		}
	}
	w := Writer{Proto: 3}
	w.Close(w.DeferMap(1), 2)
	w.Close(w.DeferSet(1), 20)
	if got := string(w.Buf); got != "%2\r\n~20\r\n" {
		t.Errorf("%q", got)
	}
}

func TestNumbers(t *testing.T) {
	f := func(n int64) {
		t.Helper()
		want := strconv.FormatInt(n, 10)
		if got := string(AppendInt(nil, n)); got != ":"+want+"\r\n" {
			t.Errorf("AppendInt(%d): %q", n, got)
		}
		if got := string(AppendInt(make([]byte, 0, 100), n)); got != ":"+want+"\r\n" {
			t.Errorf("AppendInt(%d): %q", n, got)
		}
		if got := string(AppendDecimal(nil, n)); got != want {
			t.Errorf("AppendDecimal(%d): %q", n, got)
		}
		if got, ok := parseInt([]byte(want)); !ok || got != n {
			t.Errorf("parseInt(%q): %d, %v", want, got, ok)
		}
	}
	for n := range int64(100000) {
		f(n)
		f(-n)
	}
	for p := int64(1); p <= math.MaxInt64/10; p *= 10 {
		f(p)
		f(p - 1)
		f(-p)
		f(1 - p)
	}
	f(math.MaxInt64)
	f(math.MinInt64)
	f(math.MaxInt64 - 1)
}

func TestBulk(t *testing.T) {
	text := strings.Repeat("0123456789abcdefghijklmnopqrstuvwxyz", 40)
	for n := range len(text) {
		want := "$" + strconv.Itoa(n) + "\r\n" + text[:n] + "\r\n"
		for _, room := range []int{0, 10, 74, 75, 3000} {
			for _, before := range []string{"", "abc"} {
				dst := append(make([]byte, 0, len(before)+room), before...)
				if got := AppendBulk(dst, []byte(text[:n])); string(got) != before+want {
					t.Fatalf("AppendBulk of %d bytes: %q", n, got)
				}
				if got := AppendBulkString(dst, text[:n]); string(got) != before+want {
					t.Fatalf("AppendBulkString of %d bytes: %q", n, got)
				}
			}
		}
	}
}

func TestDouble(t *testing.T) {
	f := func(x float64, score, human string) {
		t.Helper()
		if got := string(AppendDouble(nil, x)); got != score {
			t.Errorf("AppendDouble(%g): %q, want %q", x, got, score)
		}
		if got := string(AppendHumanDouble(nil, x)); got != human {
			t.Errorf("AppendHumanDouble(%g): %q, want %q", x, got, human)
		}
		if math.IsNaN(x) {
			return
		}
		long := newLongDouble().SetFloat64(x)
		if got := string(AppendLongDouble(nil, long)); got != human {
			t.Errorf("AppendLongDouble(%g): %q, want %q", x, got, human)
		}
	}
	f(0, "0", "0")
	f(math.Copysign(0, -1), "-0", "0")
	f(3, "3", "3")
	f(-3.5, "-3.5", "-3.5")
	f(0.1, "0.10000000000000001", "0.10000000000000001")
	f(1e-20, "9.9999999999999995e-21", "0")
	f(-1e-20, "-9.9999999999999995e-21", "0")
	f(100, "100", "100")
	f(1e17, "1e+17", "100000000000000000")
	f(1e22, "1e+22", "10000000000000000000000")
	f(math.Inf(1), "inf", "inf")
	f(math.Inf(-1), "-inf", "-inf")
	f(math.NaN(), "nan", "nan")
}

func TestLongDouble(t *testing.T) {
	add := func(a, b, want string) {
		t.Helper()
		x, _, _ := newLongDouble().Parse(a, 10)
		y, _, _ := newLongDouble().Parse(b, 10)
		if got := string(AppendLongDouble(nil, x.Add(x, y))); got != want {
			t.Errorf("%s + %s = %s, want %s", a, b, got, want)
		}
	}
	add("0.1", "0.2", "0.3")
	add("10.50", "0.1", "10.6")
	add("3.0e3", "200", "3200")
	add("1", "-1", "0")
	add("-1", "1", "0")
}

func TestSplitArgs(t *testing.T) {
	args, ok := SplitArgs(nil, []byte(`save "" 'a b' c`))
	if !ok || string(bytes.Join(args, []byte("|"))) != "save||a b|c" {
		t.Errorf("%q, %v", args, ok)
	}
	if args, ok := SplitArgs(args[:1], []byte(`save "`)); ok || len(args) != 1 {
		t.Errorf("%q, %v", args, ok)
	}
}

func TestWriterAllocs(t *testing.T) {
	buf := make([]byte, 0, 4096)
	value := bytes.Repeat([]byte("v"), 100)
	allocs := testing.AllocsPerRun(100, func() {
		w := Writer{Buf: buf, Proto: 3}
		w.OK()
		w.Int(1234567)
		w.Bulk(value)
		w.Bulk(value[:32])
		w.BulkInt(42)
		w.BulkString("hello")
		w.Double(1.5)
		w.HumanDouble(0.1)
		w.Null()
		w.Map(3)
		d := w.DeferArray(10)
		w.Error("ERR no")
		w.Close(d, 1)
		w.Proto = 2
		w.Double(1.5)
		w.HumanDouble(0.1)
		w.Null()
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkAppendBulk(b *testing.B) {
	for _, size := range []int{3, 32, 64, 1024} {
		b.Run("size="+strconv.Itoa(size), func(b *testing.B) {
			buf := make([]byte, 0, 1<<14)
			v := bytes.Repeat([]byte("v"), size)
			b.ReportAllocs()
			for b.Loop() {
				if len(buf) > 12<<10 {
					buf = buf[:0]
				}
				buf = AppendBulk(buf, v)
			}
		})
	}
}

func BenchmarkAppendInt(b *testing.B) {
	for _, n := range []int64{1, 42, 1234567} {
		b.Run("n="+strconv.FormatInt(n, 10), func(b *testing.B) {
			buf := make([]byte, 0, 1<<12)
			b.ReportAllocs()
			for b.Loop() {
				if len(buf) > 4000 {
					buf = buf[:0]
				}
				buf = AppendInt(buf, n)
			}
		})
	}
}

func BenchmarkAppendDouble(b *testing.B) {
	for _, f := range []float64{42, 0.1} {
		b.Run("f="+strconv.FormatFloat(f, 'g', -1, 64), func(b *testing.B) {
			buf := make([]byte, 0, 64)
			for b.Loop() {
				buf = AppendDouble(buf[:0], f)
			}
		})
	}
}

// newLongDouble returns a zero that rounds like an x86-64 long double, of which the mantissa has 64 bits.
func newLongDouble() *big.Float { return new(big.Float).SetPrec(64) }
