package command

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

func TestLongDoubleParse(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		var x longDouble
		got := "bad"
		if x.parse([]byte(in)) {
			if got = string(x.append(nil)); x.inf {
				got = "inf"
			}
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", in, got, want)
		}
	}
	f("0", "0")
	f("-0", "0")
	f("+1.50", "1.5")
	f(".5", "0.5")
	f("5.", "5")
	f("0.1", "0.1")
	f("1e3", "1000")
	f("1E+3", "1000")
	f("1e-3", "0.001")
	f("0x10", "16")
	f("0X.8P1", "1")
	f("0xA.", "10")
	f("18446744073709551615", "18446744073709551615")
	f("18446744073709551617", "18446744073709551616")
	f("9223372036854775807.75", "9223372036854775808")
	f("1e-19", "0")
	f("0.000000000000000006", "0.00000000000000001")
	f("0.000000000000000005", "0")
	f("-0.000000000000000004", "0")
	f("0.99999999999999999999", "1")
	f("-0.125", "-0.125")
	f("99999999999999999999999999999999999999", "99999999999999999999312600448599326720")
	f("0e99999999999999999999", "0")
	f("inf", "inf")
	f("-Infinity", "inf")
	for _, bad := range []string{"", ".", "-", "+-1", "e5", "1e", "1e+", "0x", "0xg", "0x.", "0x1p", "1_0", "0b1", "0o7",
		"nan", "1 ", " 1", "infi", "1e4933", "1e-4952", "1e999999999999", "0x1p16384", "1\x00", "0x0x1"} {
		f(bad, "bad")
	}
	f("0x1p16383", pow2(16383))
	f(strings.Repeat("1", longDoubleText-1), "bad")
}

func pow2(n int) string {
	x := []int{1}
	for range n {
		carry := 0
		for i := range x {
			x[i] = x[i]*2 + carry
			carry, x[i] = x[i]/10, x[i]%10
		}
		if carry > 0 {
			x = append(x, carry)
		}
	}
	var b strings.Builder
	for i := len(x) - 1; i >= 0; i-- {
		b.WriteByte(byte('0' + x[i]))
	}
	return b.String()
}

// TestLongDoubleOracle compares sums of random numbers with redis'.
func TestLongDoubleOracle(t *testing.T) {
	srv := oracle.Redis(t)
	conn, err := oracle.Dial(srv.Address())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := newTestCtx(t, StringCommands)
	g := newGen(t)
	const n = 10000
	var out []byte
	var pairs [n][2]string
	for i := range pairs {
		pairs[i] = [2]string{g.number(), g.number()}
		out = oracle.AppendCommand(out, "SET", "f", pairs[i][0])
		out = oracle.AppendCommand(out, "INCRBYFLOAT", "f", pairs[i][1])
	}
	sent := make(chan error, 1)
	go func() { sent <- conn.SendRaw(out) }()
	for _, p := range pairs {
		if _, err := conn.Reply(); err != nil {
			t.Fatal(err)
		}
		theirs, err := conn.Reply()
		if err != nil {
			t.Fatal(err)
		}
		c.do("SET", "f", p[0])
		if ours := c.do("INCRBYFLOAT", "f", p[1]); ours != string(theirs) {
			t.Errorf("%s + %s: got %q, redis replies %q", p[0], p[1], ours, theirs)
		}
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
}

// number returns a number as people and programs write them, some with far more digits.
func (g commandGen) number() string {
	x := g.NormFloat64() * math.Pow(10, float64(g.IntN(24)-8))
	switch g.IntN(9) {
	case 7:
		// Around the middle between two numbers of 17 digits, and of 64 bits.
		return fmt.Sprintf("%d.%d5", g.Uint64()>>g.IntN(64), g.Uint64()>>g.IntN(64))
	case 0:
		return strconv.FormatInt(g.Int64()>>g.IntN(64), 10)
	case 1:
		return strconv.FormatFloat(x, 'f', g.IntN(25), 64)
	case 2:
		return strconv.FormatFloat(x, 'e', g.IntN(20), 64)
	case 3:
		return strconv.FormatFloat(math.Float64frombits(g.Uint64()), 'g', -1, 64)
	case 4:
		return fmt.Sprintf("%d.%d%d", g.Int64(), g.Uint64(), g.Uint64())
	case 5:
		return strconv.FormatFloat(x, 'x', -1, 64)
	case 6:
		return fmt.Sprintf("%s%d.%02d", g.pick("", "-"), g.IntN(1000), g.IntN(100))
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

func FuzzLongDouble(f *testing.F) {
	for _, s := range []string{"1.5", "-0x1p-3", "1e4932", "inf", "0.1e+1", "99999999999999999999.5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var x longDouble
		if !x.parse([]byte(s)) || x.inf {
			return
		}
		text := string(x.append(nil))
		var y longDouble
		if !y.parse([]byte(text)) {
			t.Fatalf("%q prints as %q, which does not parse", s, text)
		}
	})
}
