package script

import (
	"strings"
	"testing"
)

func traitsOf(t *testing.T, body string) Traits {
	t.Helper()
	s, err := NewCache(commands).Add(body, true)
	if err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	return s.Traits
}

// TestDeclared has scripts that work on their declared keys only, and such that may not, or of which it is not clear.
func TestDeclared(t *testing.T) {
	for _, body := range []string{
		"return 1",
		"return redis.call('GET', KEYS[1])",
		"return redis.pcall('get', KEYS[ARGV[1] + 1])",
		"local k = KEYS[1] redis.call('SET', k, 'v') return redis.call('GET', k)",
		"local a, b = KEYS[1], KEYS[2] return redis.call('RENAME', a, b)",
		"local call = redis.call return call('GET', KEYS[1])",
		"for i = 1, #KEYS do redis.call('DEL', KEYS[i]) end",
		"for _, k in ipairs(KEYS) do redis.call('DEL', k) end",
		"return redis.call('DEL', unpack(KEYS))",
		"return redis.call('HMSET', KEYS[1], unpack(ARGV))",
		"return redis.call('ZADD', KEYS[1], 1, 'm', unpack({2, 'n'}))",
		"return redis.call('MSET', KEYS[1], 'a', KEYS[2], 'b')",
		"return redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[2], KEYS[3])",
		"local function f(n) return redis.call('INCRBY', KEYS[1], n) end return f(2)",
		"redis.call('PUBLISH', 'channel', 'message') return redis.call('GET', KEYS[1])",
		"return redis.call('NOSUCH', 'key')",
		"return redis.call('EVAL', 'return 1', 0)",
		"local x = tostring(KEYS[1]) return redis.sha1hex(x)",
		"if KEYS[1] == 'a' then local KEYS = {'b'} end return redis.call('GET', KEYS[1])",
	} {
		if !traitsOf(t, body).Declared {
			t.Errorf("not declared: %s", body)
		}
	}
	for _, body := range []string{
		"return redis.call('GET', 'a')",
		"return redis.call('GET', KEYS[1] .. ':x')",
		"return redis.call('GET', ARGV[1])",
		"local k = KEYS[1] k = 'other' return redis.call('GET', k)",
		"local k = KEYS[1] local function f() k = 'other' end f() return redis.call('GET', k)",
		"local KEYS = {'b'} return redis.call('GET', KEYS[1])",
		"KEYS[1] = 'x' return redis.call('GET', KEYS[1])",
		"local t = KEYS t[1] = 'x' return redis.call('GET', KEYS[1])",
		"table.insert(KEYS, 1, 'x') return redis.call('GET', KEYS[1])",
		"setmetatable(KEYS, {}) return redis.call('GET', KEYS[2])",
		"rawset(KEYS, 1, 'x') return redis.call('GET', KEYS[1])",
		"local c = 'GET' return redis.call(c, KEYS[1])",
		"return redis[ARGV[1]]('GET', 'a')",
		"return pcall(redis.call, 'GET', 'a')",
		"local r = redis return r.call('GET', 'a')",
		"return _G.redis.call('GET', 'a')",
		"return loadstring('return redis.call(\"GET\", \"a\")')()",
		"setfenv(1, {KEYS = {'x'}, redis = redis}) return redis.call('GET', KEYS[1])",
		"return getfenv().redis.call('GET', 'a')",
		"local f = redis.call local g = f return g('GET', 'a')",
		"local f = redis.call f = redis.pcall return f('GET', KEYS[1])",
		"local t = {redis.call} return t[1]('GET', 'a')",
		"return redis.call('DEL', KEYS[1], unpack(ARGV))",
		"return redis.call('DEL', unpack(ARGV))",
		"return redis.call(unpack(ARGV))",
		"return redis.call('MGET', KEYS[1], 'a')",
		"return redis.call('ZUNIONSTORE', KEYS[1], ARGV[1], KEYS[2])",
		"return redis.call('ZUNIONSTORE', KEYS[1], 2, KEYS[2], 'x')",
		"return redis.call('SORT', KEYS[1], 'BY', 'w_*')",
		"return redis.call('SORT', KEYS[1], 'STORE', 'x')",
		"return redis.call('KEYS', '*')",
		"return redis.call('SCAN', 0)",
		"return redis.call('XREAD', 'STREAMS', 'a', 0)",
		"for _, k in ipairs(ARGV) do redis.call('DEL', k) end",
		"for _, k in ipairs(KEYS) do k = k .. 'x' redis.call('DEL', k) end",
		"local function f(k) return redis.call('GET', k) end return f(KEYS[1])",
		"local function f(...) return redis.call(...) end return f('GET', 'a')",
		"local k do local k = KEYS[1] end return redis.call('GET', k or 'a')",
		"function redis.call() end return redis.call('GET', 'a')",
	} {
		if traitsOf(t, body).Declared {
			t.Errorf("declared: %s", body)
		}
	}
}

// TestStraight has scripts that end by themselves, and others.
func TestStraight(t *testing.T) {
	for body, want := range map[string]bool{
		"return 1": true,
		"local t = {1, 2, a = 3} t[#t + 1] = 4 t.x = 5 return t":   true,
		"if ARGV[1] == 'a' then return redis.call('GET', 'x') end": true,
		"return string.sub(ARGV[1], 1, 2) .. 'x'":                  true,
		"while true do end":                                               false,
		"repeat until false":                                              false,
		"for i = 1, 1e9 do end":                                           false,
		"local function f() return f() end return f()":                    false,
		"return (function() return 1 end)()":                              false,
		"return loadstring('while true do end')()":                        false,
		"local t = {} t[1e7] = 1":                                         false,
		"local t = {[1e7] = 1}":                                           false,
		"return string.rep('x', 1e9)":                                     false,
		"return ('x'):rep(1e9)":                                           false,
		"local c = coroutine":                                             false,
		"local s = 'x' " + strings.Repeat("s = s .. s ", 30) + "return s": false,
	} {
		if got := traitsOf(t, body).Straight; got != want {
			t.Errorf("straight %v: %s", got, body)
		}
	}
}

// TestPure has scripts after which the tables of keys and arguments can be used again, and others.
func TestPure(t *testing.T) {
	for body, want := range map[string]bool{
		"return KEYS[1] .. ARGV[1] .. #ARGV": true,
		"return unpack(ARGV)":                true,
		"return ARGV":                        false,
		"return KEYS":                        false,
		"ARGV[1] = 2":                        false,
		"local a = ARGV a.x = 1":             false,
		"return getfenv().ARGV":              false,
		"return cjson.encode(ARGV)":          false,
	} {
		if got := traitsOf(t, body).Pure; got != want {
			t.Errorf("pure %v: %s", got, body)
		}
	}
}

// TestReads has scripts that only read.
func TestReads(t *testing.T) {
	for body, want := range map[string]bool{
		"return redis.call('GET', 'a')":           true,
		"return redis.call('GET', ARGV[1])":       true,
		"return redis.call('SET', 'a', 1)":        false,
		"return redis.call(ARGV[1], 'a')":         false,
		"return redis.call('PUBLISH', 'a', 'b')":  false,
		"local r = redis return r.call('GET', 1)": false,
	} {
		if got := traitsOf(t, body).Reads; got != want {
			t.Errorf("reads %v: %s", got, body)
		}
	}
}
