package script

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/resp"
)

// run runs a script in vm and returns its reply.
func run(t testing.TB, vm *VM, body string, keys, args []string) string {
	t.Helper()
	s, err := NewCache(commands).Add(body, true)
	if err != nil {
		return "-" + err.Error()
	}
	return reply(vm, s, keys, args)
}

func reply(vm *VM, s *Script, keys, args []string) string {
	vm.Run(s, byteStrings(keys), byteStrings(args), !s.Traits.Straight)
	var w resp.Writer
	vm.Reply(&w, "name")
	return string(w.Buf)
}

func byteStrings(s []string) [][]byte {
	b := make([][]byte, len(s))
	for i := range s {
		b[i] = []byte(s[i])
	}
	return b
}

// TestTablesAgain runs the same script with fewer and more keys in turn: nothing of a call is left for the next.
func TestTablesAgain(t *testing.T) {
	vm := NewVM(canned{}, false)
	s, err := NewCache(commands).Add("return #KEYS .. ':' .. #ARGV .. tostring(KEYS[3]) .. tostring(ARGV[2])", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{3, 1, 0, 5, 300, 2} {
		keys := make([]string, n)
		for i := range keys {
			keys[i] = fmt.Sprint("k", i)
		}
		third, second := "nil", "nil"
		if n > 2 {
			third = "k2"
		}
		if n > 1 {
			second = "k1"
		}
		want := fmt.Sprintf("%d:%d%s%s", n, n, third, second)
		if got := reply(vm, s, keys, keys); got != fmt.Sprintf("$%d\r\n%s\r\n", len(want), want) {
			t.Errorf("%d keys: %q, not %q", n, got, want)
		}
	}
}

// TestNothingIsLeft runs scripts that try to leave something for the next one.
func TestNothingIsLeft(t *testing.T) {
	vm := NewVM(canned{}, false)
	for _, body := range []string{
		"x = 1", "rawset(_G, 'x', 1)", "getfenv().x = 1", "setfenv(1, {}) x = 1", "string.x = 1", "redis.x = 1", "setmetatable(_G, {})",
		"getmetatable('').__index = {}", "KEYS.x = 1", "setmetatable(KEYS, {__index = function() return 1 end})", "table.insert(ARGV, 1)",
		"local co = coroutine.create(function() coroutine.yield() end) coroutine.resume(co)", "error({err = 'x'})",
		"pcall(function() error('x') end)",
	} {
		run(t, vm, body, []string{"k"}, nil)
		got := run(t, vm, "return {tostring(rawget(_G, 'x')), type(string.x), type(rawget(redis, 'x')), #KEYS, tostring(rawget(KEYS, 'x')), #ARGV, tostring(getmetatable(KEYS))}", []string{"k"}, nil)
		if want := "*7\r\n$3\r\nnil\r\n$3\r\nnil\r\n$3\r\nnil\r\n:1\r\n$3\r\nnil\r\n:0\r\n$3\r\nnil\r\n"; got != want {
			t.Errorf("after %s: %q", body, got)
		}
	}
}

// TestDeep has replies that are nested deeply, and without end.
func TestDeep(t *testing.T) {
	vm := NewVM(canned{}, false)
	got := run(t, vm, "local a = {} a[1] = a return a", nil, nil)
	if !strings.HasSuffix(got, "-"+errStackLimit+"\r\n") {
		t.Errorf("%d bytes, ending in %q", len(got), got[max(0, len(got)-60):])
	}
}

// TestCacheEvicts fills the cache with scripts that nobody has loaded.
func TestCacheEvicts(t *testing.T) {
	c := NewCache(commands)
	kept, err := c.Add("return 'kept'", true)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := c.Add("return -1", false)
	for i := range maxEvalScripts {
		if _, err := c.Add(fmt.Sprint("return ", i), false); err != nil {
			t.Fatal(err)
		}
	}
	n, _, evicted := c.Stats()
	if n != maxEvalScripts+1 || evicted != 1 || c.Get(kept.SHA) == nil || c.Get(first.SHA) != nil {
		t.Errorf("%d scripts, %d evicted", n, evicted)
	}
	c.Flush()
	if n, bytes, _ := c.Stats(); n != 0 || bytes != 0 {
		t.Errorf("%d scripts, %d bytes after FLUSH", n, bytes)
	}
}

// FuzzHeader reads first lines of scripts and libraries.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{"#!lua\n", "#!lua name=x\n", "#!lua flags=no-writes,allow-oom\nreturn 1", "#!\"lua\" 'a\\'b' \"\\x41\\n\"\n", "#!"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, code, err := scriptHeader(s); err == nil && !strings.HasSuffix(s, code) {
			t.Errorf("code %q of %q", code, s)
		}
		if name, code, err := libraryHeader(s); err == nil && (!strings.HasSuffix(s, code) || !validName(name)) {
			t.Errorf("library %q, code %q of %q", name, code, s)
		}
	})
}

// FuzzAnalyse compiles whatever parses.
func FuzzAnalyse(f *testing.F) {
	for _, s := range []string{"return redis.call('GET', KEYS[1])", "for i, v in ipairs(KEYS) do local x = v end", "local a <b", "return {[1]=2, ...}", "a.b.c:d(1)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		_, _ = NewCache(commands).Add(s, true)
	})
}
