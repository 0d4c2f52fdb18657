package glob

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

func TestMain(m *testing.M) { os.Exit(oracle.Main(m)) }

func TestMatch(t *testing.T) {
	f := func(pattern, s string, want bool) {
		t.Helper()
		if got := Match([]byte(pattern), []byte(s), false); got != want {
			t.Errorf("Match(%q, %q) = %v", pattern, s, got)
		}
		if got := Compile([]byte(pattern)).Match([]byte(s)); got != want {
			t.Errorf("Compile(%q).Match(%q) = %v", pattern, s, got)
		}
	}
	f("", "", true)
	f("", "a", false)
	f("*", "", false) // Redis 7.0: only the empty pattern matches an empty string
	f("*", "a", true)
	f("***", "abc", true)
	f("?", "a", true)
	f("?", "", false)
	f("??", "a", false)
	f("a*", "a", true)
	f("a**", "a", true)
	f("a*b", "ab", true)
	f("a*b", "aXbYb", true)
	f("a*b", "aXbY", false)
	f("a*b*c", "a1b2b3c", true)
	f("*ab", "aab", true)
	f("[abc]", "b", true)
	f("[abc]", "d", false)
	f("[^abc]", "d", true)
	f("[^abc]", "a", false)
	f("[a-c]", "b", true)
	f("[c-a]", "b", true)
	f("[a-c", "b", true) // ends with the pattern
	f("[a-", "-", true)
	f("[a-]", "_", true) // a range from ] to a
	f("[", "a", false)
	f("[^", "a", true)
	f("[]", "a", false)
	f("[^]", "a", true)
	f(`[\]]`, "]", true)
	f(`[\-x]`, "-", true)
	f("[a\\", "\\", true)
	f(`\*`, "*", true)
	f(`\*`, "a", false)
	f(`\?x`, "?x", true)
	f("\\", "\\", true)
	f("a\\", "a\\", true)
	f("[\x80-\xff]", "\xc0", true)
	f("[a-\xff]", "b", false) // signed: from -1 to a
	f("[a-\xff]", "\x05", true)
	f("a\x00b", "a\x00b", true)
}

func TestMatchNoCase(t *testing.T) {
	f := func(pattern, s string, want bool) {
		t.Helper()
		if got := Match([]byte(pattern), []byte(s), true); got != want {
			t.Errorf("Match(%q, %q) = %v", pattern, s, got)
		}
	}
	f("ABC*", "abcd", true)
	f("[A-C]x", "bX", true)
	f("[ABC]", "b", true)
	f(`\A`, "a", true)
	f(`[\A]`, "a", false) // an escaped byte keeps its case
	f("[Z-a]", "b", false)
}

// TestMatchTime would take ages if every star were tried again.
func TestMatchTime(t *testing.T) {
	pattern := []byte(strings.Repeat("a*", 50) + "b")
	s := bytes.Repeat([]byte("a"), 100_000)
	start := time.Now()
	if Match(pattern, s, false) {
		t.Error("matched")
	}
	if d := time.Since(start); d > time.Minute {
		t.Errorf("took %v", d)
	}
}

func TestMatchAllocs(t *testing.T) {
	pattern, s := []byte("user:[0-9]*:na?e"), []byte("user:12345:name")
	if n := testing.AllocsPerRun(100, func() { Match(pattern, s, true) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestMatchOracle asks redis-server for the keys that match random patterns.
func TestMatchOracle(t *testing.T) {
	c := oracle.Redis(t).Dial(t)
	seed := oracle.Seed(t)
	rnd := rand.New(rand.NewPCG(seed, 0))
	var keys []string
	for range 300 {
		keys = append(keys, randomText(rnd, "abcAB*?[]-^\\\x00\x80\xff", 6))
	}
	for _, k := range keys {
		c.Do("SET", k, "")
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	for range 3000 {
		pattern := randomText(rnd, "aabbcAB**?[]]-^\\\x80\xff", 8)
		if pattern == "*" {
			continue // KEYS does not match at all then
		}
		got := map[string]bool{}
		for _, k := range bulks(c.Do("KEYS", pattern)) {
			got[k] = true
		}
		for _, k := range keys {
			if m := Match([]byte(pattern), []byte(k), false); m != got[k] {
				t.Fatalf("Match(%q, %q) = %v, not as redis-server", pattern, k, m)
			}
		}
	}
}

// TestMatchOracleNoCase compares with CONFIG GET, which matches without case.
func TestMatchOracleNoCase(t *testing.T) {
	c := oracle.Redis(t).Dial(t)
	names := everySecond(bulks(c.Do("CONFIG", "GET", "*")))
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		pattern := names[rnd.IntN(len(names))]
		b := []byte(pattern)
		for range 1 + rnd.IntN(4) {
			b[rnd.IntN(len(b))] = "*?[]AZ^-\\"[rnd.IntN(9)]
		}
		if !bytes.ContainsAny(b, "*?[") {
			continue
		}
		got := everySecond(bulks(c.Do("CONFIG", "GET", string(b))))
		for _, n := range names {
			if m := Match(b, []byte(n), true); m != slices.Contains(got, n) {
				t.Fatalf("Match(%q, %q) = %v, not as redis-server", b, n, m)
			}
		}
	}
}

func randomText(rnd *rand.Rand, alphabet string, maxLen int) string {
	b := make([]byte, rnd.IntN(maxLen+1))
	for i := range b {
		b[i] = alphabet[rnd.IntN(len(alphabet))]
	}
	return string(b)
}

// bulks returns the elements of a RESP2 array of bulk strings.
func bulks(reply string) []string {
	var list []string
	_, reply, _ = strings.Cut(reply, "\r\n")
	for reply != "" {
		var n int
		head, rest, _ := strings.Cut(reply, "\r\n")
		fmt.Sscanf(head, "$%d", &n)
		list = append(list, rest[:n])
		reply = rest[n+2:]
	}
	return list
}

func everySecond(list []string) []string {
	var names []string
	for i := 0; i < len(list); i += 2 {
		names = append(names, list[i])
	}
	return names
}

// FuzzMatch compares with the definition, which tries everything.
func FuzzMatch(f *testing.F) {
	f.Add("a*[^b-c]?\\*", "aXd?*", true)
	f.Add("[", "a", false)
	f.Add("*[a-", "--", false)
	f.Fuzz(func(t *testing.T, pattern, s string, nocase bool) {
		if len(pattern) > 12 || len(s) > 16 {
			Match([]byte(pattern), []byte(s), nocase)
			return
		}
		want := s != "" && matchSlowly([]byte(pattern), []byte(s), nocase) || s == "" && pattern == ""
		if got := Match([]byte(pattern), []byte(s), nocase); got != want {
			t.Errorf("Match(%q, %q, %v) = %v", pattern, s, nocase, got)
		}
	})
}

func matchSlowly(pattern, s []byte, nocase bool) bool {
	if len(pattern) == 0 {
		return len(s) == 0
	}
	if pattern[0] == '*' {
		for i := 0; i <= len(s); i++ {
			if matchSlowly(pattern[1:], s[i:], nocase) {
				return true
			}
		}
		return false
	}
	if len(s) == 0 {
		return false
	}
	n, ok := matchByte(pattern, s[0], nocase)
	return ok && matchSlowly(pattern[n:], s[1:], nocase)
}

func BenchmarkMatch(b *testing.B) {
	for _, pattern := range []string{"user:*", "user:[0-9]*:na?e", "*:name"} {
		b.Run("pattern="+pattern, func(b *testing.B) {
			b.ReportAllocs()
			s := []byte("user:1234567890:name")
			for b.Loop() {
				Match([]byte(pattern), s, false)
			}
		})
	}
}
