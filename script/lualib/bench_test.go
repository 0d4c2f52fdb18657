package lualib

import (
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// bench runs a script that gets b.N as its argument.
func bench(b *testing.B, source string, compile func(source string) (*lua.FunctionProto, error)) {
	l, e := newEnv(Options{})
	defer l.Close()
	proto, err := compile("local n = ... " + source)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	l.Push(e.Function(proto))
	l.Push(lua.LNumber(b.N))
	if err := l.PCall(1, 0, e.Handler()); err != nil {
		b.Fatal(e.ErrorValue(err))
	}
}

func guarded(source string) (*lua.FunctionProto, error) { return Compile(source, "bench") }

// plain compiles with gopher-lua alone.
func plain(source string) (*lua.FunctionProto, error) {
	chunk, err := parse.Parse(strings.NewReader(source), "bench")
	if err != nil {
		return nil, err
	}
	return lua.Compile(chunk, "bench")
}

// BenchmarkConcat compares ".." as Compile makes it with the interpreter's own operator.
func BenchmarkConcat(b *testing.B) {
	for name, source := range map[string]string{
		"two":    `local a, b, s = "user:", "1000" for i = 1, n do s = a .. b end`,
		"number": `local a, s = "user:" for i = 1, n do s = a .. i end`,
		"five":   `local a, b, s = "user:", "1000", nil for i = 1, n do s = a .. b .. ":" .. a .. b end`,
		"long":   `local a, s = string.rep("x", 1000) for i = 1, n do s = a .. a .. a end`,
	} {
		b.Run(name+"/guard=off", func(b *testing.B) { bench(b, source, plain) })
		b.Run(name+"/guard=on", func(b *testing.B) { bench(b, source, guarded) })
	}
}

func BenchmarkLibraries(b *testing.B) {
	for _, c := range []struct{ name, source string }{
		{"global", `for i = 1, n do local x = tostring end`},
		{"field", `for i = 1, n do local x = string.format end`},
		{"pcall", `local f = function() end for i = 1, n do pcall(f) end`},
		{"pcallError", `for i = 1, n do pcall(error, "x") end`},
		{"bandbor", `local band = bit.band for i = 1, n do local x = band(i, 0xff) end`},
		{"structPack", `for i = 1, n do local x = struct.pack(">I4d", i, 1.5) end`},
		{"structUnpack", `local s = struct.pack(">I4d", 5, 1.5) for i = 1, n do local x = struct.unpack(">I4d", s) end`},
		{"cjsonEncode", `local t = {id = 5, name = "some name", tags = {"a", "b", "c"}, ok = true} for i = 1, n do local x = cjson.encode(t) end`},
		{"cjsonDecode", `local s = '{"id":5,"name":"some name","tags":["a","b","c"],"ok":true}' for i = 1, n do local x = cjson.decode(s) end`},
		{"cjsonEncodeArray", `local t = {} for i = 1, 100 do t[i] = i end for i = 1, n do local x = cjson.encode(t) end`},
		{"msgpackPack", `local t = {id = 5, name = "some name", tags = {"a", "b", "c"}, ok = true} for i = 1, n do local x = cmsgpack.pack(t) end`},
		{"msgpackUnpack", `local s = cmsgpack.pack({id = 5, name = "some name", tags = {"a", "b", "c"}, ok = true}) for i = 1, n do local x = cmsgpack.unpack(s) end`},
		{"format", `local f = string.format for i = 1, n do local x = f("%s:%d", "user", 1000) end`},
		{"match", `for i = 1, n do local a, b = ("key=value"):match("(%w+)=(%w+)") end`},
		{"gsub", `for i = 1, n do local a = ("hello world"):gsub("o", "0") end`},
		{"sort100", `local t = {} for i = 1, n do for j = 1, 100 do t[j] = (j * 37) % 101 end table.sort(t) end`},
	} {
		b.Run(c.name, func(b *testing.B) { bench(b, c.source, guarded) })
	}
}
