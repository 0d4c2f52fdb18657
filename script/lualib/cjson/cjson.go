package cjson

import (
	"fmt"
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// Names that scripts see.
const (
	moduleName    = "cjson"
	moduleVersion = "2.1.0"
)

// maxStackDepth bounds nesting whatever the options say: deeper Lua's stack would be full.
const maxStackDepth = 2600

// What encode_invalid_numbers chooses.
const (
	invalidRefused = iota
	invalidWritten
	invalidNull
)

// codec has the options of one module table.
type codec struct {
	host auxlib.Host
	null *lua.LUserData
	buf  []byte // of the last encode, for the next

	sparseConvert bool
	sparseRatio   int
	sparseSafe    int
	encodeDepth   int
	decodeDepth   int
	encodeInvalid int
	decodeInvalid bool
	keepBuffer    bool
	precision     int
}

// Open returns the library's table.
func Open(l *lua.LState, host auxlib.Host) *lua.LTable {
	null := l.NewUserData()
	return open(l, host, null)
}

func open(l *lua.LState, host auxlib.Host, null *lua.LUserData) *lua.LTable {
	c := &codec{
		host: host, null: null,
		sparseRatio: 2, sparseSafe: 10,
		encodeDepth: 1000, decodeDepth: 1000,
		decodeInvalid: true, keepBuffer: true, precision: 14,
	}
	t := auxlib.Functions(l, map[string]lua.LGFunction{
		"encode":                  c.encode,
		"decode":                  c.decode,
		"encode_sparse_array":     c.encodeSparseArray,
		"encode_max_depth":        c.integerOption(&c.encodeDepth, 1, math.MaxInt32),
		"decode_max_depth":        c.integerOption(&c.decodeDepth, 1, math.MaxInt32),
		"encode_number_precision": c.integerOption(&c.precision, 1, 14),
		"encode_keep_buffer":      c.switchOption(&c.keepBuffer),
		"encode_invalid_numbers":  c.encodeInvalidNumbers,
		"decode_invalid_numbers":  c.switchOption(&c.decodeInvalid),
		"new": func(l *lua.LState) int {
			l.Push(open(l, host, null))
			return 1
		},
	})
	t.RawSetString("null", null)
	t.RawSetString("_NAME", lua.LString(moduleName))
	t.RawSetString("_VERSION", lua.LString(moduleVersion))
	return t
}

// atMost raises an error if there are more than n arguments.
func atMost(l *lua.LState, n int) {
	if l.GetTop() > n {
		auxlib.ArgError(l, n+1, "found too many arguments")
	}
}

func (c *codec) integerOption(setting *int, low, high int) lua.LGFunction {
	return func(l *lua.LState) int {
		atMost(l, 1)
		return setInteger(l, 1, setting, low, high)
	}
}

func (c *codec) switchOption(setting *bool) lua.LGFunction {
	return func(l *lua.LState) int {
		atMost(l, 1)
		return setSwitch(l, 1, setting)
	}
}

func (c *codec) encodeSparseArray(l *lua.LState) int {
	atMost(l, 3)
	for l.GetTop() < 3 {
		l.Push(lua.LNil)
	}
	setSwitch(l, 1, &c.sparseConvert)
	setInteger(l, 2, &c.sparseRatio, 0, math.MaxInt32)
	setInteger(l, 3, &c.sparseSafe, 0, math.MaxInt32)
	return 3
}

// setInteger changes a setting, if the argument is not nil, and pushes it.
func setInteger(l *lua.LState, n int, setting *int, low, high int) int {
	if l.Get(n) != lua.LNil {
		value := auxlib.CheckInt(l, n)
		if value < low || value > high {
			auxlib.ArgError(l, 1, fmt.Sprintf("expected integer between %d and %d", low, high))
		}
		*setting = value
	}
	l.Push(lua.LNumber(*setting))
	return 1
}

var switchWords = []string{"off", "on"}

// setSwitch changes a setting, if the argument is not nil, and pushes it.
func setSwitch(l *lua.LState, n int, setting *bool) int {
	switch v := l.Get(n).(type) {
	case *lua.LNilType:
	case lua.LBool:
		*setting = bool(v)
	default:
		*setting = auxlib.CheckOption(l, n, "", switchWords) == 1
	}
	l.Push(lua.LBool(*setting))
	return 1
}

var invalidWords = []string{"off", "on", "null"}

func (c *codec) encodeInvalidNumbers(l *lua.LState) int {
	atMost(l, 1)
	switch v := l.Get(1).(type) {
	case *lua.LNilType:
	case lua.LBool:
		c.encodeInvalid = invalidRefused
		if v {
			c.encodeInvalid = invalidWritten
		}
	default:
		c.encodeInvalid = auxlib.CheckOption(l, 1, "", invalidWords)
	}
	if c.encodeInvalid == invalidNull {
		l.Push(lua.LString(invalidWords[invalidNull]))
	} else {
		l.Push(lua.LBool(c.encodeInvalid == invalidWritten))
	}
	return 1
}

// oneArgument raises an error unless there is exactly one argument.
func oneArgument(l *lua.LState) {
	if l.GetTop() != 1 {
		auxlib.ArgError(l, 1, "expected 1 argument")
	}
}
