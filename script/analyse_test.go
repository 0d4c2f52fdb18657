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
		"local function f(k) return redis.call('GET', k) end return f(KEYS[1])",
		"local function f(k, n) if n > 0 then return f(k, n - 1) end return redis.call('GET', k) end return f(KEYS[1], 3)",
		"local function f(t) return redis.call('GET', t[1]) end local function g(t) return f(t) end return g(KEYS)",
		"local t = KEYS return redis.call('GET', t[1])",
		"for i, k in pairs(KEYS) do redis.call('SET', k, ARGV[i]) end",
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
		"local function f(k) return redis.call('GET', k) end f(KEYS[1]) return f('a')",
		"local function f(k) return redis.call('GET', k) end local g = f return g('a')",
		"local function f(k) return redis.call('GET', k) end return pcall(f, KEYS[1])",
		"local function f(a, k) return redis.call('GET', k) end return f(unpack({1, 'a'}))",
		"local function f(k) k = 'a' return redis.call('GET', k) end return f(KEYS[1])",
		"local function f(t) t[1] = 'a' end f(KEYS) return redis.call('GET', KEYS[1])",
		"local function f(t) t = nil end f(KEYS) return redis.call('GET', 'a')",
		"local function f() end f(KEYS) return redis.call('GET', 'a')",
		"local f = redis.call if ARGV[1] then f = 1 end return f('GET', 'a')",
		"local t = KEYS t[1] = 'a' t = nil return redis.call('GET', KEYS[1])",
		"local _, t = pairs(KEYS) t[1] = 'a' return redis.call('GET', KEYS[1])",
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

// libraryTraits returns the traits of a library's function f.
func libraryTraits(t *testing.T, code string) Traits {
	t.Helper()
	lib, err := NewVM(canned{}, true).NewLibrary("#!lua name=l\n"+code, commands)
	if err != nil {
		t.Fatalf("%s: %v", code, err)
	}
	for _, f := range lib.Functions {
		if f.Name == "f" {
			return f.Traits
		}
	}
	t.Fatalf("no function f: %s", code)
	return Traits{}
}

// TestFunctionTraits has functions that work on their declared keys only, and such that may not, or of which it is not clear.
func TestFunctionTraits(t *testing.T) {
	const get = "redis.call('GET', keys[1])"
	for _, code := range []string{
		"redis.register_function('f', function(keys, args) return " + get + " end)",
		"redis.register_function{function_name='f', callback=function(k, a) return redis.call('SET', k[1], a[1]) end, flags={'allow-oom'}}",
		"local function f(keys) return " + get + " end redis.register_function('f', f)",
		"local function check(keys) if #keys ~= 1 then return redis.error_reply('one key') end end " +
			"local function f(keys, args) local e = check(keys) if e then return e end return redis.call('HSET', keys[1], unpack(args)) end redis.register_function('f', f)",
		"local ttl = 10 redis.register_function('f', function(keys) return redis.call('EXPIRE', keys[1], ttl) end)",
		"redis.register_function('f', function(keys) for _, k in ipairs(keys) do redis.call('DEL', k) end end)",
		"redis.register_function('f', function(keys) return " + get + " end) redis.register_function('g', function(keys) return redis.call('GET', 'x') end)",
		"redis.register_function('f', function(keys) if table.getn(keys) == 1 then return " + get + " end end)",
	} {
		if !libraryTraits(t, code).Declared {
			t.Errorf("not declared: %s", code)
		}
	}
	for _, code := range []string{
		"redis.register_function('f', function() return redis.call('GET', 'x') end)",
		"redis.register_function('f', function(keys) return redis.call('GET', KEYS[1]) end)",
		"redis.register_function('f', function(keys, args) return redis.call('GET', args[1]) end)",
		"redis.register_function('F', function(keys) return " + get + " end) redis.register_function('f', function() return redis.call('GET', 'x') end)",
		"local function h(keys) return " + get + " end redis.register_function('f', h) redis.register_function('g', function() return h({'x'}) end)",
		"local function get() return redis.call('GET', 'x') end redis.register_function('f', function() return get() end)",
		"local saved redis.register_function('g', function(keys) saved = function() return " + get + " end end) redis.register_function('f', function() return saved() end)",
		"local saved = {} redis.register_function('g', function(keys) local function h() return " + get + " end saved.h = h end) redis.register_function('f', function() return saved.h() end)",
		"local saved = {} redis.register_function('g', function(keys) local function h() return " + get + " end saved.h = function() return h() end end) redis.register_function('f', function() return saved.h() end)",
		"local saved = {} redis.register_function('g', function() saved.call = redis.call end) redis.register_function('f', function() return saved.call('GET', 'x') end)",
		"local function change(t) t[1] = 'x' end redis.register_function('f', function(keys) change(keys) return " + get + " end)",
		"local name = 'f' redis.register_function(name, function(keys) return " + get + " end)",
		"local register = redis.register_function register('f', function(keys) return " + get + " end)",
	} {
		if libraryTraits(t, code).Declared {
			t.Errorf("declared: %s", code)
		}
	}
	for code, want := range map[string]bool{
		"redis.register_function('f', function(keys) return " + get + " end)":                                                                                                             true,
		"for i = 1, 3 do end redis.register_function('f', function(keys) return " + get + " end)":                                                                                         true,
		"redis.register_function('f', function() for i = 1, 3 do end end)":                                                                                                                false,
		"local function h() end redis.register_function('f', function() h() end)":                                                                                                         false,
		"local t = {} redis.register_function('g', function() setmetatable(t, {__index = function() while true do end end}) end) redis.register_function('f', function() return t.x end)": false,
		"local t = {h = function() end} redis.register_function('f', function() t.h() end)":                                                                                               false,
	} {
		if got := libraryTraits(t, code).Straight; got != want {
			t.Errorf("straight %v: %s", got, code)
		}
	}
}
