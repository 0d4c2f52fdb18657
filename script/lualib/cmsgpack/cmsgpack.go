package cmsgpack

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// library has the functions of one environment.
type library struct {
	host auxlib.Host
	buf  []byte // of the last pack, for the next
}

// Open returns the library's table.
func Open(l *lua.LState, host auxlib.Host) *lua.LTable {
	lib := &library{host: host}
	t := auxlib.Functions(l, map[string]lua.LGFunction{
		"pack": lib.pack, "unpack": lib.unpack, "unpack_one": lib.unpackOne, "unpack_limit": lib.unpackLimit,
	})
	for name, value := range map[string]string{
		"_NAME":        "cmsgpack",
		"_VERSION":     "lua-cmsgpack 0.4.0",
		"_COPYRIGHT":   "Copyright (C) 2012, Salvatore Sanfilippo",
		"_DESCRIPTION": "MessagePack C implementation for Lua",
	} {
		t.RawSetString(name, lua.LString(value))
	}
	return t
}
