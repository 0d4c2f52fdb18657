package structpack

import (
	"math"
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

const (
	maxIntSize   = 32
	maxAlignment = 8 // of '!' without a number
)

// library has the functions of one environment.
type library struct {
	host auxlib.Host
	buf  []byte // of the last pack, for the next
}

// Open returns the library's table.
func Open(l *lua.LState, host auxlib.Host) *lua.LTable {
	lib := &library{host: host}
	return auxlib.Functions(l, map[string]lua.LGFunction{
		"pack": lib.pack, "unpack": lib.unpack, "size": lib.size,
	})
}

// layout walks a format.
type layout struct {
	l         *lua.LState
	format    string
	bigEndian bool
	align     int
}

// newLayout reads a format up to its first zero byte.
func newLayout(l *lua.LState) layout {
	format := auxlib.CheckString(l, 1)
	if i := strings.IndexByte(format, 0); i >= 0 {
		format = format[:i]
	}
	return layout{l: l, format: format, align: 1}
}

// next returns the next letter and the size that it has from the format.
func (f *layout) next() (option byte, size int, ok bool) {
	if f.format == "" {
		return 0, 0, false
	}
	option, f.format = f.format[0], f.format[1:]
	switch option {
	case 'b', 'B', 'x':
		size = 1
	case 'h', 'H':
		size = 2
	case 'f':
		size = 4
	case 'l', 'L', 'T', 'd':
		size = 8
	case 'c':
		size = f.number(1)
	case 'i', 'I':
		size = f.number(4)
		if size > maxIntSize {
			auxlib.Errorf(f.l, "integral size %d is larger than limit of %d", size, maxIntSize)
		}
	}
	return option, size, true
}

// number reads digits.
func (f *layout) number(absent int) int {
	if f.format == "" || !isDigit(f.format[0]) {
		return absent
	}
	n := 0
	for f.format != "" && isDigit(f.format[0]) {
		n = n*10 + int(f.format[0]-'0')
		if n > math.MaxInt32 {
			auxlib.Errorf(f.l, "integral size overflow")
		}
		f.format = f.format[1:]
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// padding returns how many bytes align an item at a position.
func (f *layout) padding(at uint64, option byte, size int) uint64 {
	if size == 0 || option == 'c' {
		return 0
	}
	mask := uint64(min(size, f.align)) - 1
	return (mask + 1 - at&mask) & mask
}

// control obeys an option that is no item.
func (f *layout) control(option byte) {
	switch option {
	case ' ':
	case '>':
		f.bigEndian = true
	case '<':
		f.bigEndian = false
	case '!':
		n := f.number(maxAlignment)
		if n <= 0 || n&(n-1) != 0 {
			auxlib.Errorf(f.l, "alignment %d is not a power of 2", n)
		}
		f.align = n
	default:
		auxlib.ArgError(f.l, 1, "invalid format option '"+string([]byte{option})+"'")
	}
}

func (lib *library) pack(l *lua.LState) int {
	f := newLayout(l)
	l.Push(lua.LNil) // what C finds in place of the first missing argument
	buf := lib.buf[:0]
	arg := 2
	for {
		option, size, ok := f.next()
		if !ok {
			break
		}
		for n := f.padding(uint64(len(buf)), option, size); n > 0; n-- {
			buf = append(buf, 0)
		}
		switch option {
		case 'b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I':
			buf = f.appendInteger(buf, auxlib.CheckNumber(l, arg), size)
			arg++
		case 'x':
			buf = append(buf, 0)
		case 'f':
			bits := math.Float32bits(float32(auxlib.CheckNumber(l, arg)))
			buf = f.appendBits(buf, uint64(bits), 4)
			arg++
		case 'd':
			buf = f.appendBits(buf, math.Float64bits(auxlib.CheckNumber(l, arg)), 8)
			arg++
		case 'c', 's':
			s := auxlib.CheckString(l, arg)
			arg++
			if size == 0 {
				size = len(s)
			}
			if len(s) < size {
				auxlib.ArgError(l, arg, "string too short")
			}
			lib.host.CheckLength(l, len(buf)+size)
			buf = append(buf, s[:size]...)
			if option == 's' {
				buf = append(buf, 0)
			}
		default:
			f.control(option)
		}
	}
	lib.host.CheckLength(l, len(buf))
	if cap(buf) <= maxKept {
		lib.buf = buf
	}
	l.Push(lua.LString(buf))
	return 1
}

// maxKept bounds the buffer that a library keeps.
const maxKept = 64 << 10

func (f *layout) appendInteger(buf []byte, n float64, size int) []byte {
	if n < 0 {
		return f.appendBits(buf, uint64(auxlib.ToInteger(n)), size)
	}
	return f.appendBits(buf, auxlib.ToUnsigned(n), size)
}

// appendBits appends the low bytes of value; beyond the eighth they are zero.
func (f *layout) appendBits(buf []byte, value uint64, size int) []byte {
	for i := range size {
		if f.bigEndian {
			i = size - 1 - i
		}
		buf = append(buf, byte(value>>(8*uint(i))))
	}
	return buf
}

func (lib *library) unpack(l *lua.LState) int {
	f := newLayout(l)
	data := auxlib.CheckString(l, 2)
	at := uint64(auxlib.OptInteger(l, 3, 1))
	if at == 0 {
		auxlib.ArgError(l, 3, "offset must be 1 or greater")
	}
	at--
	length := uint64(len(data))
	n := 0
	for {
		option, size, ok := f.next()
		if !ok {
			break
		}
		at += f.padding(at, option, size)
		need(l, length, at, uint64(size))
		auxlib.CheckResults(l, n+2, "too many results")
		width := uint64(size)
		switch option {
		case 'b', 'B', 'h', 'H', 'l', 'L', 'T', 'i', 'I':
			l.Push(lua.LNumber(f.integer(data[at:at+width], option >= 'a')))
			n++
		case 'x':
		case 'f':
			l.Push(lua.LNumber(math.Float32frombits(uint32(f.bits(data[at : at+4])))))
			n++
		case 'd':
			l.Push(lua.LNumber(math.Float64frombits(f.bits(data[at : at+8]))))
			n++
		case 'c':
			if size == 0 {
				width = previousSize(l, n)
				n--
				need(l, length, at, width)
			}
			l.Push(lua.LString(data[at : at+width]))
			n++
		case 's':
			end := strings.IndexByte(data[at:], 0)
			if end < 0 {
				auxlib.Errorf(l, "unfinished string in data")
			}
			l.Push(lua.LString(data[at : at+uint64(end)]))
			width = uint64(end) + 1
			n++
		default:
			f.control(option)
		}
		at += width
	}
	l.Push(lua.LNumber(int64(at + 1)))
	return n + 1
}

// need raises an error if there are not size bytes at a position.
func need(l *lua.LState, length, at, size uint64) {
	if size > length || at > length-size {
		auxlib.ArgError(l, 2, "data string too short")
	}
}

// previousSize takes the last result, which is the size of "c0".
func previousSize(l *lua.LState, results int) uint64 {
	if results > 0 {
		if size, ok := auxlib.ToNumber(l.Get(-1)); ok {
			l.Pop(1)
			return auxlib.ToUnsigned(size)
		}
	}
	auxlib.Errorf(l, "format 'c0' needs a previous size")
	return 0
}

// bits reads the low 64 bits of an integer of any size.
func (f *layout) bits(data string) uint64 {
	var value uint64
	for i := range len(data) {
		if f.bigEndian {
			value = value<<8 | uint64(data[i])
		} else {
			value = value<<8 | uint64(data[len(data)-1-i])
		}
	}
	return value
}

func (f *layout) integer(data string, signed bool) float64 {
	value := f.bits(data)
	if !signed || len(data) == 0 {
		return float64(value)
	}
	unused := 64 - 8*min(uint(len(data)), 8)
	return float64(int64(value<<unused) >> unused)
}

func (lib *library) size(l *lua.LState) int {
	f := newLayout(l)
	var at uint64
	for {
		option, size, ok := f.next()
		if !ok {
			break
		}
		at += f.padding(at, option, size)
		switch {
		case option == 's':
			auxlib.ArgError(l, 1, "option 's' has no fixed size")
		case option == 'c' && size == 0:
			auxlib.ArgError(l, 1, "option 'c0' has no fixed size")
		case !isAlphanumeric(option):
			f.control(option)
		}
		at += uint64(size)
	}
	l.Push(lua.LNumber(int64(at)))
	return 1
}

func isAlphanumeric(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' }
