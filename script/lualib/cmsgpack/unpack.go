package cmsgpack

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

const tooMany = "too many return values at once; use unpack_one or unpack_limit instead."

// maxFill bounds the array slots that the integer keys of one input can ask for beyond the
// length of the input: gopher-lua fills an array up to its greatest key.
const maxFill = 1 << 16

// unpacker is one call of unpack.
type unpacker struct {
	*library
	l      *lua.LState
	in     string
	values int // on the stack, in C
	fill   int // array slots left
	steps  int
}

func (lib *library) unpack(l *lua.LState) int { return lib.unpackFull(l, 0, 0) }

func (lib *library) unpackOne(l *lua.LState) int {
	return lib.unpackFull(l, 1, auxlib.OptInteger(l, 2, 0))
}

func (lib *library) unpackLimit(l *lua.LState) int {
	limit := auxlib.CheckInteger(l, 2)
	return lib.unpackFull(l, limit, auxlib.OptInteger(l, 3, 0))
}

// unpackFull pushes the values from offset on. If offset or limit is given, where to go on
// comes first, -1 at the end of the input.
func (lib *library) unpackFull(l *lua.LState, limit, offset int64) int {
	all := limit == 0 && offset == 0
	in := auxlib.CheckString(l, 1)
	if offset < 0 || limit < 0 {
		auxlib.Errorf(l, "Invalid request to unpack with offset of %d and limit of %d.", int32(offset), len(in))
	}
	if offset > int64(len(in)) {
		auxlib.Errorf(l, "Start offset %d greater than input length %d.", int32(offset), len(in))
	}
	if all {
		limit = math.MaxInt32
	}
	l.SetTop(1)
	if !all {
		l.Push(lua.LNil) // the place of the next offset
	}
	u := unpacker{library: lib, l: l, in: in[offset:], values: 1, fill: maxFill + len(in)}
	n := 0
	for ; u.in != "" && int64(n) < limit; n++ {
		l.Push(u.value())
	}
	if all {
		return n
	}
	next := len(in) - len(u.in)
	if u.in == "" {
		next = -1
	}
	l.Replace(2, lua.LNumber(next))
	return n + 1
}

// take returns the next n bytes.
func (u *unpacker) take(n uint64) string {
	if n > uint64(len(u.in)) {
		auxlib.Errorf(u.l, "Missing bytes in input.")
	}
	taken := u.in[:n]
	u.in = u.in[n:]
	return taken
}

// unsigned reads an integer of size bytes.
func (u *unpacker) unsigned(size uint64) uint64 {
	var n uint64
	for _, c := range []byte(u.take(size)) {
		n = n<<8 | uint64(c)
	}
	return n
}

// value reads a value. In C it takes a place of the stack until its container is complete.
func (u *unpacker) value() lua.LValue {
	if u.steps++; u.steps >= auxlib.InterruptSteps {
		u.steps = 0
		u.host.Interrupt(u.l)
	}
	u.values++
	auxlib.CheckResults(u.l, u.values, tooMany)
	switch c := u.take(1)[0]; {
	case c < 0x80:
		return lua.LNumber(c)
	case c < 0x90:
		return u.table(uint64(c&0x0f), true)
	case c < 0xa0:
		return u.table(uint64(c&0x0f), false)
	case c < 0xc0:
		return lua.LString(u.take(uint64(c & 0x1f)))
	case c >= 0xe0:
		return lua.LNumber(int8(c))
	default:
		return u.typed(c)
	}
}

// typed reads a value whose first byte says only its type.
func (u *unpacker) typed(c byte) lua.LValue {
	switch c {
	case 0xc0:
		return lua.LNil
	case 0xc2:
		return lua.LFalse
	case 0xc3:
		return lua.LTrue
	case 0xca:
		return lua.LNumber(math.Float32frombits(uint32(u.unsigned(4))))
	case 0xcb:
		return lua.LNumber(math.Float64frombits(u.unsigned(8)))
	case 0xcc, 0xcd, 0xce:
		return lua.LNumber(u.unsigned(1 << (c - 0xcc)))
	case 0xcf: // signed in lua-cmsgpack too
		return lua.LNumber(int64(u.unsigned(8)))
	case 0xd0:
		return lua.LNumber(int8(u.unsigned(1)))
	case 0xd1:
		return lua.LNumber(int16(u.unsigned(2)))
	case 0xd2:
		return lua.LNumber(int32(u.unsigned(4)))
	case 0xd3:
		return lua.LNumber(int64(u.unsigned(8)))
	case 0xd9, 0xda, 0xdb:
		return lua.LString(u.take(u.unsigned(1 << (c - 0xd9))))
	case 0xdc, 0xdd:
		return u.table(u.unsigned(2<<(c-0xdc)), false)
	case 0xde, 0xdf:
		return u.table(u.unsigned(2<<(c-0xde)), true)
	}
	auxlib.Errorf(u.l, "Bad data format in input.")
	return nil
}

func (u *unpacker) table(n uint64, isMap bool) lua.LValue {
	values := u.values
	if isMap {
		t := u.l.CreateTable(0, int(min(n, 8)))
		for ; n > 0; n-- {
			key := u.value()
			u.set(t, key, u.value())
			u.values = values
		}
		return t
	}
	auxlib.CheckResults(u.l, values+1, "in function mp_decode_to_lua_array")
	t := u.l.CreateTable(int(min(n, uint64(len(u.in)), 64)), 0)
	for i := 1; uint64(i) <= n; i++ {
		u.values = values + 1 // the index
		t.RawSetInt(i, u.value())
	}
	u.values = values
	return t
}

// set sets a key of a map.
func (u *unpacker) set(t *lua.LTable, key, value lua.LValue) {
	if key == lua.LNil {
		auxlib.Error(u.l, "table index is nil")
	}
	if k, ok := key.(lua.LNumber); ok {
		if k != k {
			auxlib.Error(u.l, "table index is NaN")
		}
		u.checkFill(t, float64(k))
	}
	t.RawSet(key, value)
}

// checkFill accounts for the slots that an integer key adds to the array of a table.
func (u *unpacker) checkFill(t *lua.LTable, k float64) {
	if k < 1 || k >= float64(lua.MaxArrayIndex) || k != math.Floor(k) {
		return
	}
	if added := int(k) - t.MaxN(); added > 1 {
		if u.fill -= added; u.fill < 0 {
			auxlib.Errorf(u.l, "integer keys of maps in input are too large")
		}
	}
}
