package lualib

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
)

// fails runs a script that must end in an error with the text.
func fails(t *testing.T, options Options, source, text string) {
	t.Helper()
	l, e := newEnv(options)
	defer l.Close()
	value, err := run(l, e, source)
	if err == nil {
		t.Errorf("%.80s: no error but %v", source, value)
	} else if message := err.Error() + " " + lua.LVAsString(value); !strings.Contains(message, text) {
		t.Errorf("%.80s: %.300s; want %s", source, message, text)
	}
}

func TestStringLimit(t *testing.T) {
	small := Options{MaxString: 1 << 20}
	for _, source := range []string{
		`return string.rep("x", 2^30)`,
		`return string.rep("ab", 2^20)`,
		`local s = string.rep("x", 2^19) return s .. s .. s`,
		`local s = "x" while true do s = s .. s end`,
		`local s = string.rep("x", 2^19) return table.concat({s, s, s})`,
		`local s = string.rep("x", 2^19) local t = {} for i = 1, 100 do t[i] = s end return table.concat(t, s)`,
		`local s = string.rep("x", 2^19) return string.format("%s%s%s", s, s, s)`,
		`local s = string.rep("x", 1000) return s:gsub("x", s .. s)`,
		`local s = string.rep("x", 1000) return s:gsub("x", function() return s .. s end)`,
		`local s = string.rep("x", 1000) return s:gsub(".*", string.rep("%0", 2000))`,
		`local s = string.rep("x", 2^18) return cjson.encode({s, s, s, s, s})`,
		`local s = string.rep("\1", 2^18) return cjson.encode(s)`,
		`local s = string.rep("x", 2^18) return cmsgpack.pack(s, s, s, s, s)`,
		`local s = string.rep("x", 2^18) return struct.pack("sssss", s, s, s, s, s)`,
		`local s = string.rep("x", 2^18) return load(function() return s end)`,
	} {
		if strings.Contains(source, "load(") {
			source = strings.Replace(source, "return load(", "return assert(load(", 1) + ")"
		}
		fails(t, small, source, "resulting string too large")
	}
	fails(t, Options{}, `return string.rep("x", 2^29+1)`, "resulting string too large")
	fails(t, Options{}, `return string.rep(string.rep("x", 2^15), 2^15)`, "resulting string too large")
	fails(t, Options{}, `return string.format("%9999999d", 1)`, "invalid format")
}

// TestKeysAllocateBounded: what one script line allocates for a key is bounded.
func TestKeysAllocateBounded(t *testing.T) {
	var before, after runtime.MemStats
	for _, source := range []string{
		`local t = {} t[67108863] = 1 return t[67108863]`,
		`local t = {} t[2^52] = 1 return t[2^52]`,
		`return cmsgpack.unpack("\129\206\127\255\255\255\1")[2147483647]`,
		`return cjson.decode('{"67108863":1}')["67108863"]`,
		`return #cmsgpack.pack(cmsgpack.unpack("\145\1"))-1`,
		`return select(2, pcall(cmsgpack.unpack, "\221\255\255\255\255")) and 1`,
	} {
		l, e := newEnv(Options{})
		runtime.ReadMemStats(&before)
		value, err := run(l, e, source)
		runtime.ReadMemStats(&after)
		if err != nil || value != lua.LNumber(1) {
			t.Errorf("%s: %v %v", source, value, err)
		}
		if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
			t.Errorf("%s: allocated %d bytes", source, used)
		}
		l.Close()
	}
	fails(t, Options{}, `return cmsgpack.unpack(("\129\206\0\63\255\255\1"):rep(100))`, "too large")
}

func TestRecursionEnds(t *testing.T) {
	for source, text := range map[string]string{
		`local function f() return 1 + f() end return f()`:                                                                                             "stack overflow",
		`local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) return t[1]`:                                                       "stack overflow",
		`local t t = setmetatable({}, {__concat = function(a, b) return a .. b end}) return t .. t`:                                                    "overflow",
		`local t t = setmetatable({}, {__tostring = function(a) return tostring(a) end}) return tostring(t)`:                                           "overflow",
		`local t t = setmetatable({}, {__add = function(a, b) return a + b end}) return t + 1`:                                                         "overflow",
		`local t t = setmetatable({}, {__eq = function(a, b) return a == b end}) return t == setmetatable({}, getmetatable(t))`:                        "overflow",
		`local t t = setmetatable({}, {__call = function(a) return 1 + a() end}) return t()`:                                                           "overflow",
		`local function f() return (string.gsub("x", "x", f)) end return f()`:                                                                          "overflow",
		`local function f() table.sort({1, 2, 3}, f) end return f()`:                                                                                   "overflow",
		`local function f() table.foreach({1}, f) end return f()`:                                                                                      "overflow",
		`local function f() local ok, e = pcall(f) if not ok then error(e, 0) end end return f()`:                                                      "error in error handling",
		`local function f() local ok, e = xpcall(f, error) if not ok then error(e, 0) end end return f()`:                                              "error in error handling",
		`local function f() return coroutine.wrap(f)() end return f()`:                                                                                 "overflow",
		`local function f() local ok, e = coroutine.resume(coroutine.create(f)) if not ok then error(e, 0) end end return f()`:                         "overflow",
		`local t = {} for i = 1, 5000 do t = {t} end return cjson.encode(t)`:                                                                           "excessive nesting",
		`cjson.encode_max_depth(2^31-1) local t = {} for i = 1, 5000 do t = {t} end return cjson.encode(t)`:                                            "excessive nesting",
		`cjson.encode_max_depth(2^31-1) local t = {} t[1] = t return cjson.encode(t)`:                                                                  "excessive nesting",
		`cjson.decode_max_depth(2^31-1) return cjson.decode(("["):rep(5000))`:                                                                          "too many nested",
		`return cmsgpack.unpack(("\145"):rep(5000))`:                                                                                                   "stack overflow",
		`return loadstring(("("):rep(5000) .. "1" .. (")"):rep(5000)) or error("none")`:                                                                "",
		`return assert(loadstring("return " .. ("{"):rep(25000) .. ("}"):rep(25000)))`:                                                                 "too many syntax levels",
		`return assert(loadstring("return " .. ("-"):rep(25000):gsub("-", "- ") .. "1"))`:                                                              "too many syntax levels",
		`return assert(loadstring("return " .. ("1+"):rep(25000) .. "1"))`:                                                                             "too complex",
		`return assert(loadstring("return " .. ("1 .."):rep(25000) .. "1"))`:                                                                           "too many syntax levels",
		`return assert(loadstring(("do "):rep(25000) .. ("end "):rep(25000)))`:                                                                         "too many syntax levels",
		`return assert(loadstring(("return function() "):rep(2000) .. ("end "):rep(2000)))`:                                                            "too many syntax levels",
		`return assert(loadstring("local a " .. ("a=a "):rep(10) .. ("if a then elseif a then "):rep(1) .. "else" .. (" if a then else"):rep(25000)))`: "too many syntax levels",
		`return string.rep("a", 25000):match(string.rep("a?", 30000) .. "b")`:                                                                          "pattern too complex",
	} {
		if text == "" {
			l, e := newEnv(Options{})
			_, _ = run(l, e, source) // only has to end
			l.Close()
			continue
		}
		t.Run("", func(t *testing.T) { fails(t, Options{}, source, text) })
	}
}

// TestInterrupt: searches that take forever can be stopped.
func TestInterrupt(t *testing.T) {
	stop := errors.New("stopped")
	for _, source := range []string{
		`return ("a"):rep(60):match(("a*"):rep(60) .. "b")`,
		`return ("a"):rep(10^5):find(".-.-.-.-b")`,
		`return ("x"):rep(10^6):gsub("x-x-x-y", "z")`,
		`local t = {} for i = 1, 200000 do t[i] = (i * 7919) % 200003 end table.sort(t)`,
		`local t = {} for i = 1, 100000 do t[i] = i end return cjson.encode(t)`,
		`return cjson.decode("[" .. ("1,"):rep(10^5) .. "1]")`,
		`return cmsgpack.unpack("\221\0\1\134\160" .. ("\1"):rep(100000))`,
	} {
		calls := 0
		fails(t, Options{Interrupt: func(l *lua.LState) { calls++; l.RaiseError("%s", stop) }}, source, "stopped")
		if calls != 1 {
			t.Errorf("%s: %d interrupts", source, calls)
		}
	}
}

// TestAfterErrors: an environment works on after all of these.
func TestAfterErrors(t *testing.T) {
	l, e := newEnv(Options{})
	defer l.Close()
	for range 3 {
		for _, source := range []string{
			`local function f() return 1 + f() end return f()`,
			`local f = coroutine.wrap(function() error("x") end) f()`,
			`coroutine.wrap(function() pcall(function() coroutine.yield() end) error("x") end)()`,
			`local function f() local ok, e = pcall(f) error(e, 0) end return f()`,
			`return (string.gsub("x", "x", error))`,
		} {
			if _, err := run(l, e, source); err == nil {
				t.Error(source, "succeeded")
			}
		}
		value, err := run(l, e, `local f = coroutine.wrap(function() return pcall(string.rep, "x", 3) end) return select(2, f())`)
		if err != nil || value != lua.LString("xxx") {
			t.Fatal(value, err)
		}
	}
	if e.calls != 0 || len(e.coroutines) != 0 {
		t.Error("calls left in progress", e.calls, len(e.coroutines))
	}
}

// TestSharedProto: compiled chunks run in several environments.
func TestSharedProto(t *testing.T) {
	proto, err := Compile(`n = (n or 0)`, "user_script")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		l, e := newEnv(Options{})
		l.Push(e.Function(proto))
		if err := l.PCall(0, 1, e.Handler()); err == nil {
			t.Error("a global was set")
		}
		l.Close()
	}
}
