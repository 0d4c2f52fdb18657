package config

import (
	"slices"
	"testing"

	"github.com/shoaldb/shoal/resp"
)

func TestSplitLine(t *testing.T) {
	f := func(line string, want ...string) {
		t.Helper()
		got, err := splitLine(line)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("splitLine(%q) = %q, %v", line, got, err)
		}
	}
	f("")
	f(" \t\v")
	f("a b", "a", "b")
	f("  a\t\tb\r\n", "a", "b")
	f(`"a b" 'c d'`, "a b", "c d")
	f(`"" ''`, "", "")
	f(`"\x41\n\r\t\b\a\q\"\\"`, "A\n\r\t\b\aq\"\\")
	f(`"\x4"`, "x4")
	f(`'\n\'x'`, `\n'x`)
	f(`a"b c"`, "ab c") // quotes may begin inside a word
	f("a\vb", "a\vb")   // only outside of words every blank separates
	f("a#b", "a#b")
}

func TestSplitLineUnbalanced(t *testing.T) {
	for _, line := range []string{`"`, `'`, `"a`, `'a`, `"a"b`, `'a'b`, `"\`, `a "b`, `"a\"`} {
		if got, err := splitLine(line); err == nil {
			t.Errorf("splitLine(%q) = %q", line, got)
		}
	}
}

func TestParseMemory(t *testing.T) {
	f := func(s string, want int64) {
		t.Helper()
		if got, ok := ParseMemory(s); !ok || got != want {
			t.Errorf("ParseMemory(%q) = %d, %v", s, got, ok)
		}
	}
	f("0", 0)
	f("", 0)
	f("mb", 0)
	f("12", 12)
	f("12b", 12)
	f("1k", 1000)
	f("1kb", 1024)
	f("1m", 1000000)
	f("100mb", 104857600)
	f("1MB", 1<<20)
	f("2g", 2000000000)
	f("2Gb", 2<<30)
	f("9223372036854775807", 1<<63-1)
	for _, s := range []string{"-1", "1.5gb", "1 gb", "gb1", "1t", "9223372036854775808", "8589934592gb", "x"} {
		if n, ok := ParseMemory(s); ok {
			t.Errorf("ParseMemory(%q) = %d", s, n)
		}
	}
}

func TestFormatMemory(t *testing.T) {
	f := func(n int64, want string) {
		t.Helper()
		if got := FormatMemory(n); got != want {
			t.Errorf("FormatMemory(%d) = %s", n, got)
		}
	}
	f(0, "0")
	f(1000, "1000")
	f(1024, "1kb")
	f(3<<20, "3mb")
	f(1<<30, "1gb")
	f(1<<30+1, "1073741825")
}

func TestParseCPUList(t *testing.T) {
	f := func(s string, want ...int) {
		t.Helper()
		if got, err := ParseCPUList(s); err != nil || !slices.Equal(got, want) {
			t.Errorf("ParseCPUList(%q) = %v, %v", s, got, err)
		}
	}
	f("")
	f("3", 3)
	f("0-3", 0, 1, 2, 3)
	f("4,0-6:2", 4, 0, 2, 4, 6)
	for _, s := range []string{",", "a", "3-1", "0-3:0", "-1", "0-9999", "1,,2", "1-"} {
		if got, err := ParseCPUList(s); err == nil {
			t.Errorf("ParseCPUList(%q) = %v", s, got)
		}
	}
}

func FuzzSplitLine(f *testing.F) {
	f.Add(`set "a b" 'c'`)
	f.Add(`"\x41\`)
	f.Fuzz(func(t *testing.T, line string) {
		args, err := splitLine(line)
		if err != nil {
			return
		}
		for _, arg := range args {
			if back, err := splitLine(resp.Quote(arg)); err != nil || len(back) != 1 || back[0] != arg {
				t.Errorf("splitLine(resp.Quote(%q)) = %q, %v", arg, back, err)
			}
		}
	})
}
