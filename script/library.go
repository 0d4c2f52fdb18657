package script

import (
	lua "github.com/yuin/gopher-lua"
)

// Function is a function of a library.
type Function struct {
	Name        string
	Description string
	Described   bool
	Flags       Flags
	Traits      Traits
	Library     *Library

	fn *lua.LFunction
}

// Library is a compiled function library.
type Library struct {
	Name      string
	Code      string
	Functions []*Function
	proto     *lua.FunctionProto
}

// loading is a library whose code is being run to register its functions.
type loading struct {
	lib *Library
}
