package cmsgpack

import (
	"errors"
	"math"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib/auxtest"
)

func TestRoundTrip(t *testing.T) {
	c := auxtest.NewCaller(Open)
	for _, v := range []lua.LValue{
		lua.LNumber(0), lua.LNumber(-1), lua.LNumber(127), lua.LNumber(128), lua.LNumber(-32), lua.LNumber(-33),
		lua.LNumber(1 << 16), lua.LNumber(1 << 32), lua.LNumber(-1 << 40), lua.LNumber(0.1), lua.LNumber(1.5),
		lua.LNumber(math.Inf(1)), lua.LNumber(1e300), lua.LTrue, lua.LFalse, lua.LNil, lua.LString(""), lua.LString("abc\x00"),
	} {
		packed, err := c.Call("pack", v)
		if err != nil {
			t.Fatal(v, err)
		}
		back, err := c.Call("unpack", packed[0])
		if err != nil || len(back) != 1 || back[0] != v {
			t.Errorf("%v: %v %v", v, back, err)
		}
	}
}

// FuzzUnpack: nothing but Lua errors comes out of any input, and what was unpacked can be
// packed, and unpacks to the same number of values.
func FuzzUnpack(f *testing.F) {
	for _, s := range []string{
		"\x93\x01\xa1a\xc0", "\x81\xa1a\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", "\xdd\xff\xff\xff\xff\x01", "\xdf\xff\xff\xff\xff",
		"\x81\xce\x00\x3f\xff\xff\x01", "\x91\x91\x91", "\xdb\xff\xff\xff\xff", "\xc1", "\x81\xc0\x01",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := auxtest.NewCaller(Open)
		values, err := c.Call("unpack", lua.LString(s))
		if err != nil {
			var api *lua.ApiError
			if !errors.As(err, &api) || api.Type == lua.ApiErrorPanic {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if len(values) == 0 {
			return
		}
		packed, err := c.Call("pack", values...)
		if err != nil {
			t.Fatalf("%q: pack: %v", s, err)
		}
		again, err := c.Call("unpack", packed[0])
		if err != nil || len(again) != len(values) {
			t.Fatalf("%q: %d values, then %d, %v", s, len(values), len(again), err)
		}
	})
}
