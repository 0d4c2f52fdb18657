package lualib

import (
	"github.com/shoaldb/shoal/script/lualib/bit"
	"github.com/shoaldb/shoal/script/lualib/cjson"
	"github.com/shoaldb/shoal/script/lualib/cmsgpack"
	"github.com/shoaldb/shoal/script/lualib/structpack"
)

// openLibraries sets the global tables.
func (e *Env) openLibraries() {
	l := e.main
	e.Globals.RawSetString(hiddenIpairs, l.NewFunction(e.ipairsStep))
	e.Globals.RawSetString(hiddenTrim, l.NewFunction(trim))
	e.openString()
	e.openTable()
	e.openMath()
	e.openCoroutine()
	e.Globals.RawSetString("bit", e.Protect(bit.Open(l)))
	e.Globals.RawSetString("struct", e.Protect(structpack.Open(l, e)))
	e.Globals.RawSetString("cjson", e.Protect(cjson.Open(l, e)))
	e.Globals.RawSetString("cmsgpack", e.Protect(cmsgpack.Open(l, e)))
}
