package structpack

import (
	"errors"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib/auxtest"
)

func TestRoundTrip(t *testing.T) {
	c := auxtest.NewCaller(Open)
	values := []lua.LValue{lua.LNumber(-5), lua.LNumber(70000), lua.LNumber(1.5), lua.LString("abc")}
	for _, format := range []string{"bi4ds", ">i2I8fs", "!8 b I8 d s", "<hLfs", ">i16I32ds"} {
		packed, err := c.Call("pack", append([]lua.LValue{lua.LString(format)}, values...)...)
		if err != nil {
			t.Fatal(format, err)
		}
		back, err := c.Call("unpack", lua.LString(format), packed[0])
		if err != nil || len(back) != len(values)+1 {
			t.Fatal(format, back, err)
		}
		for i, v := range values {
			if back[i] != v {
				t.Errorf("%s: %v, want %v", format, back[i], v)
			}
		}
		if next := lua.LNumber(len(packed[0].(lua.LString)) + 1); back[len(values)] != next {
			t.Errorf("%s: next is %v, want %v", format, back[len(values)], next)
		}
	}
}

// FuzzUnpack: nothing but Lua errors comes out of any format and data.
func FuzzUnpack(f *testing.F) {
	f.Add("bi4ds", "\x01\x02\x03\x04\x05", 1)
	f.Add(">I3c0!8ds", "\x00\x00\x02ab12345678x\x00", 1)
	f.Add("Lc0", "\xff\xff\xff\xff\xff\xff\xff\xffx", 1)
	f.Add("c2147483647", "x", -1)
	f.Add("!1073741824dI32", "x", 5)
	f.Fuzz(func(t *testing.T, format, data string, offset int) {
		c := auxtest.NewCaller(Open)
		for _, name := range []string{"unpack", "size"} {
			_, err := c.Call(name, lua.LString(format), lua.LString(data), lua.LNumber(offset))
			var api *lua.ApiError
			if err != nil && (!errors.As(err, &api) || api.Type == lua.ApiErrorPanic) {
				t.Fatalf("%s %q %q %d: %v", name, format, data, offset, err)
			}
		}
	})
}
