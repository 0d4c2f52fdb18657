package cjson

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib/auxtest"
)

func TestRoundTrip(t *testing.T) {
	c := auxtest.NewCaller(Open)
	for _, text := range []string{
		`{}`, `[1,2,3]`, `"a\"b\\c\/d\n"`, `{"a":{"b":[true,false,null,1.5]}}`, `[[],[[]]]`, `-0.25`, `"\u0001\u007f"`,
	} {
		value, err := c.Call("decode", lua.LString(text))
		if err != nil {
			t.Fatal(text, err)
		}
		again, err := c.Call("encode", value[0])
		want := strings.ReplaceAll(text, "[]", "{}") // an empty table is an object
		if err != nil || again[0] != lua.LString(want) {
			t.Errorf("%s: %v %v", text, again, err)
		}
	}
}

func TestEncodeReusesItsBuffer(t *testing.T) {
	c := auxtest.NewCaller(Open)
	array := c.Lua.NewTable()
	for i := 1; i <= 100; i++ {
		array.RawSetInt(i, lua.LNumber(i))
	}
	encode := c.Library.RawGetString("encode")
	if n := testing.AllocsPerRun(100, func() {
		c.Lua.SetTop(0)
		c.Lua.Push(encode)
		c.Lua.Push(array)
		c.Lua.Call(1, 1)
	}); n > 4 {
		t.Errorf("%v allocations", n)
	}
}

func isRuntimeError(err error) bool {
	var api *lua.ApiError
	return !errors.As(err, &api) || api.Type == lua.ApiErrorPanic
}

// FuzzDecode: whatever encoding/json takes, decode takes, and what decode takes can be
// encoded; nothing else but Lua errors comes out.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"a":[1,2,{"b":null}],"c":"\u00e9\ud83d\ude00"}`, `[1e5,-0.1,0x10,nan,inf]`, `"\`, `[[[[`, `{"a"`, "[1]\x00x", `"\ud83d`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := auxtest.NewCaller(Open)
		value, err := c.Call("decode", lua.LString(s))
		if err != nil {
			if isRuntimeError(err) {
				t.Fatalf("%q: %v", s, err)
			}
			if json.Valid([]byte(s)) && !strings.Contains(s, `\u`) && !strings.Contains(err.Error(), "nested") {
				t.Fatalf("%q is valid: %v", s, err)
			}
			return
		}
		if _, err := c.Call("encode", value[0]); err != nil && isRuntimeError(err) {
			t.Fatalf("%q: encode: %v", s, err)
		}
	})
}
