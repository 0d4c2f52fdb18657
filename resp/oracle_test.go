package resp

import (
	"bytes"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// startRedis starts the redis-server in PATH, on a Unix socket, and returns a
// function that connects to it. Without one the test fails in CI, else it is
// skipped.
func startRedis(t *testing.T, args ...string) (dial func() *net.UnixConn) {
	t.Helper()
	path, err := exec.LookPath("redis-server")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("redis-server, which answers are compared with, is not installed")
		}
		t.Skip("redis-server, which answers are compared with, is not installed")
	}
	dir, err := os.MkdirTemp("", "resp") // t.TempDir may exceed a socket's path
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "redis.sock")
	cmd := exec.Command(path, append([]string{"--port", "0", "--unixsocket", socket, "--dir", dir, "--save", ""}, args...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		os.RemoveAll(dir)
	})
	connect := func() (*net.UnixConn, error) {
		return net.DialUnix("unix", nil, &net.UnixAddr{Name: socket})
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(10 * time.Millisecond) {
		conn, err := connect()
		if err == nil {
			conn.Close()
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	return func() *net.UnixConn {
		t.Helper()
		conn, err := connect()
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(5 * time.Minute))
		return conn
	}
}

// converse sends commands and QUIT, and returns the replies.
func converse(t *testing.T, conn *net.UnixConn, in []byte) []byte {
	t.Helper()
	defer conn.Close()
	go conn.Write(append(in, "QUIT\r\n"...))
	out, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	const bye = "+OK\r\n"
	if !bytes.HasSuffix(out, []byte(bye)) {
		t.Fatalf("redis' last words are %.40q", out[max(0, len(out)-40):])
	}
	return out[:len(out)-len(bye)]
}

// exchange sends a stream, ends it, and returns all that comes back. What redis
// has not yet written when it sees the end is lost, so the replies must be small.
func exchange(t *testing.T, conn *net.UnixConn, in string) string {
	t.Helper()
	defer conn.Close()
	if _, err := io.WriteString(conn, in); err != nil {
		t.Fatal(err)
	}
	conn.CloseWrite()
	out, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// replyTo is redis' reply to one of the commands in protocolCases.
func replyTo(cmd []string, unauth bool) string {
	args := make([]string, len(cmd)-1)
	copy(args, cmd[1:])
	var w Writer
	switch name := strings.ToUpper(cmd[0]); {
	case name == "$4":
		w.Error("ERR unknown command '$4', with args beginning with: ")
	case unauth:
		w.Error("NOAUTH Authentication required.")
	case name == "PING":
		w.Simple("PONG")
	case name == "ECHO" && len(args) != 1:
		w.Error("ERR wrong number of arguments for 'echo' command")
	case name == "ECHO":
		w.BulkString(args[0])
	case name == "EVAL":
		w.Array(len(args) - 2)
		for _, arg := range args[2:] {
			w.BulkString(arg)
		}
	}
	return string(w.Buf)
}

func TestProtocolOracle(t *testing.T) {
	open := startRedis(t)
	closed := startRedis(t, "--requirepass", "secret")
	for _, c := range protocolCases {
		dial := open
		if c.unauth {
			dial = closed
		}
		var want string
		for _, cmd := range c.want {
			want += replyTo(strings.Split(cmd, "|"), c.unauth)
		}
		if c.err != "" {
			want += "-ERR Protocol error: " + c.err + "\r\n"
		}
		if got := exchange(t, dial(), c.in); got != want {
			t.Errorf("%.60q: redis says %q, the table %q", c.in, got, want)
		}
	}
}

// Every type of both protocols, as DEBUG PROTOCOL sends it.
func TestWriterOracle(t *testing.T) {
	dial := startRedis(t, "--enable-debug-command", "yes")
	f := func(name string, write func(w *Writer)) {
		t.Helper()
		for _, proto := range []uint8{2, 3} {
			w := Writer{Proto: proto}
			write(&w)
			in := "DEBUG PROTOCOL " + name + "\r\n"
			if proto == 3 {
				in = "HELLO 3\r\n" + in
			}
			got := exchange(t, dial(), in)
			if proto == 3 {
				n, ok, err := ScanReply([]byte(got))
				if !ok || err != nil {
					t.Fatal(n, ok, err)
				}
				got = got[n:]
			}
			if got != string(w.Buf) {
				t.Errorf("RESP%d %s: redis says %q, Writer %q", proto, name, got, w.Buf)
			}
		}
	}
	f("string", func(w *Writer) { w.BulkString("Hello World") })
	f("integer", func(w *Writer) { w.Int(12345) })
	f("double", func(w *Writer) { w.Double(3.141) })
	f("null", func(w *Writer) { w.Null() })
	f("array", func(w *Writer) {
		w.Array(3)
		for n := range 3 {
			w.Int(int64(n))
		}
	})
	f("set", func(w *Writer) {
		w.Set(3)
		for n := range 3 {
			w.Int(int64(n))
		}
	})
	f("map", func(w *Writer) {
		w.Map(3)
		for n := range 3 {
			w.Int(int64(n))
			w.Bool(n == 1)
		}
	})
	f("attrib", func(w *Writer) {
		if w.Attribute(1) {
			w.BulkString("key-popularity")
			w.Array(2)
			w.BulkString("key:123")
			w.Int(90)
		}
		w.BulkString("Some real reply following the attribute")
	})
	f("push", func(w *Writer) {
		if w.Proto == 2 {
			w.Error("ERR RESP2 is not supported by this command")
			return
		}
		w.Push(2)
		w.BulkString("server-cpu-usage")
		w.Int(42)
		w.BulkString("Some real reply following the push reply")
	})
	f("verbatim", func(w *Writer) { w.Verbatim("txt", "This is a verbatim\nstring") })
	f("true", func(w *Writer) { w.Bool(true) })
	f("false", func(w *Writer) { w.Bool(false) })
	f("bignum", func(w *Writer) { w.BigNumber("1234567999999999999999999999999999999") })
	f("a\"\r\n", func(w *Writer) { w.Error("ERR Protocol error: unbalanced quotes in request") })
}

// doubles are scores with every exponent and some with a meaning.
func doubles(rnd *rand.Rand, n int) []float64 {
	list := []float64{0, math.Copysign(0, -1), 1, -1, 0.1, 3.0e-5, 0.0001, 100, 123456, 1e15, 1e16, 1e17, 1e18, 1e21, 1e22,
		1 << 53, 1<<53 + 2, -(1 << 53), math.MaxFloat64, math.SmallestNonzeroFloat64, math.Pi, 12345678901234567,
		math.Inf(1), math.Inf(-1), math.MaxInt64, math.MinInt64, 9.999999999999999e22, 1.5, 99999999999999990}
	for range n {
		f := math.Float64frombits(rnd.Uint64())
		if math.IsNaN(f) {
			continue
		}
		list = append(list, f, rnd.Float64(), math.Round(rnd.Float64()*1e6)/100, float64(rnd.Int64()))
	}
	return list
}

func TestDoubleOracle(t *testing.T) {
	list := doubles(rand.New(rand.NewPCG(1, 0)), 2000)
	// Listpacks store -0 as 0; a skiplist keeps the score.
	dial := startRedis(t, "--zset-max-listpack-entries", "0")
	for _, proto := range []uint8{2, 3} {
		in := appendCommand(nil, "HELLO", strconv.Itoa(int(proto)))
		var want Writer
		want.Proto = proto
		for _, f := range list {
			in = appendCommand(in, "DEL", "z")
			in = appendCommand(in, "ZADD", "z", strconv.FormatFloat(f, 'g', -1, 64), "m")
			in = appendCommand(in, "ZSCORE", "z", "m")
			want.Double(f)
		}
		got := converse(t, dial(), in)
		for i := 0; len(got) > 0; i++ {
			n, ok, err := ScanReply(got)
			if !ok || err != nil {
				t.Fatal(n, ok, err)
			}
			if i > 0 && i%3 == 0 { // HELLO's reply, then three for each score
				m, _, _ := ScanReply(want.Buf)
				if string(got[:n]) != string(want.Buf[:m]) {
					t.Errorf("RESP%d: redis says %q, Writer %q", proto, got[:n], want.Buf[:m])
				}
				want.Buf = want.Buf[m:]
			}
			got = got[n:]
		}
		if len(want.Buf) > 0 {
			t.Errorf("RESP%d: %d bytes without a reply of redis", proto, len(want.Buf))
		}
	}
}

// INCRBYFLOAT on random numbers, against newLongDouble's arithmetic.
func TestLongDoubleOracle(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 0))
	number := func() string {
		switch rnd.IntN(5) {
		case 0:
			return strconv.Itoa(rnd.IntN(2000) - 1000)
		case 1:
			return strconv.FormatFloat(rnd.NormFloat64(), 'f', rnd.IntN(20), 64)
		case 2:
			return strconv.FormatFloat(rnd.NormFloat64()*1e10, 'g', -1, 64)
		case 3:
			return strconv.FormatFloat(math.Ldexp(rnd.NormFloat64(), rnd.IntN(200)-100), 'e', 17, 64)
		}
		return strconv.FormatInt(rnd.Int64(), 10) + "." + strconv.FormatUint(rnd.Uint64(), 10)
	}
	dial := startRedis(t)
	var in, want []byte
	for range 5000 {
		a, b := number(), number()
		in = appendCommand(in, "SET", "k", a)
		in = appendCommand(in, "INCRBYFLOAT", "k", b)
		x, y := newLongDouble(), newLongDouble()
		if _, _, err := x.Parse(a, 10); err != nil {
			t.Fatal(err)
		}
		if _, _, err := y.Parse(b, 10); err != nil {
			t.Fatal(err)
		}
		want = AppendBulk(append(want, "+OK\r\n"...), AppendLongDouble(nil, x.Add(x, y)))
	}
	got := converse(t, dial(), in)
	if bytes.Equal(got, want) {
		return
	}
	a, b := strings.Split(string(got), "\r\n"), strings.Split(string(want), "\r\n")
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("redis says %q, we %q", a[i], b[i])
		}
	}
}

// appendCommand is AppendCommand for strings.
func appendCommand(dst []byte, args ...string) []byte {
	dst = AppendArray(dst, len(args))
	for _, arg := range args {
		dst = AppendBulkString(dst, arg)
	}
	return dst
}
