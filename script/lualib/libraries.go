package lualib

// openLibraries sets the global tables.
func (e *Env) openLibraries() {
	e.Globals.RawSetString(hiddenIpairs, e.main.NewFunction(e.ipairsStep))
	e.openString()
	e.openTable()
	e.openMath()
	e.openCoroutine()
}
