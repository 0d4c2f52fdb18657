package script

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
)

// Function is a function of a library. It does not change, but for what has been learnt about it.
type Function struct {
	Name        string
	Description string
	Described   bool
	Flags       Flags
	Traits      Traits
	Library     *Library
	// Wide is set when the function has wanted keys that it had not declared: from then on it starts with all locks.
	Wide atomic.Bool
}

// Library is a compiled function library. It does not change.
type Library struct {
	Name      string
	Code      string
	Functions []*Function
	proto     *lua.FunctionProto
	traits    map[string]Traits // of functions, by name in lower case
}

// Engine is the name of the only engine.
const Engine = "LUA"

// Libraries is a set of libraries. It does not change: each modification makes another.
type Libraries struct {
	byName    map[string]*Library
	functions map[string]*Function // by name in lower case: case does not matter
	list      []*Library           // in the order in which they came
}

// NewLibraries returns an empty set.
func NewLibraries() *Libraries {
	return &Libraries{byName: map[string]*Library{}, functions: map[string]*Function{}}
}

// All returns the libraries in the order in which they came.
func (s *Libraries) All() []*Library { return s.list }

// Count returns the number of libraries and that of functions.
func (s *Libraries) Count() (libraries, functions int) { return len(s.list), len(s.functions) }

// Bytes returns about how much memory the libraries take.
func (s *Libraries) Bytes() (n int64) {
	for _, lib := range s.list {
		n += int64(5*len(lib.Code)) + 500
		for _, f := range lib.Functions {
			n += int64(len(f.Name)+len(f.Description)) + 200
		}
	}
	return n
}

// Function returns the function called name, in any case, or nil.
func (s *Libraries) Function(name []byte) *Function {
	if f := s.functions[string(name)]; f != nil {
		return f
	}
	return s.functions[strings.ToLower(string(name))]
}

// With returns the set with lib added; replace allows it to take the place of one of its name.
func (s *Libraries) With(lib *Library, replace bool) (*Libraries, error) {
	if s.byName[lib.Name] != nil {
		if !replace {
			return nil, Error("Library '" + lib.Name + "' already exists")
		}
		s = s.Without(lib.Name)
	}
	return s.plus(lib)
}

func (s *Libraries) plus(lib *Library) (*Libraries, error) {
	for _, f := range lib.Functions {
		if s.functions[strings.ToLower(f.Name)] != nil {
			return nil, Error("Function " + f.Name + " already exists")
		}
	}
	n := s.copy()
	n.byName[lib.Name] = lib
	n.list = append(n.list, lib)
	for _, f := range lib.Functions {
		n.functions[strings.ToLower(f.Name)] = f
	}
	return n, nil
}

// Has tells whether there is a library called name.
func (s *Libraries) Has(name string) bool { return s.byName[name] != nil }

// Without returns the set without the library called name, which it has.
func (s *Libraries) Without(name string) *Libraries {
	n := s.copy()
	lib := n.byName[name]
	delete(n.byName, name)
	n.list = slices.DeleteFunc(n.list, func(l *Library) bool { return l == lib })
	for _, f := range lib.Functions {
		delete(n.functions, strings.ToLower(f.Name))
	}
	return n
}

// Join returns the set with all libraries of other; replace allows them to take the place of those of their names.
func (s *Libraries) Join(other *Libraries, replace bool) (*Libraries, error) {
	for _, lib := range other.list {
		if s.byName[lib.Name] == nil {
			continue
		}
		if !replace {
			return nil, Error("Library " + lib.Name + " already exists")
		}
		s = s.Without(lib.Name)
	}
	for _, lib := range other.list {
		var err error
		if s, err = s.plus(lib); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Libraries) copy() *Libraries {
	n := NewLibraries()
	for k, v := range s.byName {
		n.byName[k] = v
	}
	for k, v := range s.functions {
		n.functions[k] = v
	}
	n.list = slices.Clone(s.list)
	return n
}

// registered is a function in a VM.
type registered struct {
	function *Function
	fn       *lua.LFunction
}

// loading is a library whose code is being run so that it registers its functions.
type loading struct {
	lib   *Library
	fns   []registered
	until time.Time
}

// loadTimeout is how long a library may take to register its functions.
const loadTimeout = 500 * time.Millisecond

const errLibraryName = "Library names can only contain letters, numbers, or underscores(_) and must be at least one character long"

// NewLibrary compiles the code of a library and lets it register its functions, in a VM for functions.
func (vm *VM) NewLibrary(code string, table *command.Table) (*Library, error) {
	name, body, err := libraryHeader(code)
	if err != nil {
		return nil, err
	}
	var traits map[string]Traits
	proto, err := compile(body, userFunction, func(chunk []ast.Stmt) { traits = analyseLibrary(chunk, table) })
	if err != nil {
		return nil, Error("Error compiling function: " + err.Error())
	}
	lib := &Library{Name: name, Code: code, proto: proto, traits: traits}
	fns, err := vm.load(lib)
	if err != nil {
		return nil, Error("Error registering functions: " + err.Error())
	}
	if len(fns) == 0 {
		return nil, Error("No functions registered")
	}
	for _, r := range fns {
		lib.Functions = append(lib.Functions, r.function)
	}
	return lib, nil
}

// Use makes the functions of a set of libraries ready to be called.
func (vm *VM) Use(set *Libraries) {
	for _, lib := range set.list {
		fns, err := vm.load(lib)
		if err != nil {
			continue // its functions cannot be called; see Call
		}
		for _, r := range fns {
			vm.functions[strings.ToLower(r.function.Name)] = &registered{r.function, r.fn}
		}
	}
}

// load runs a library's code.
func (vm *VM) load(lib *Library) ([]registered, error) {
	l := &loading{lib: lib, until: time.Now().Add(loadTimeout)}
	vm.library = l
	vm.showLibrary(true)
	fn := vm.L.NewFunctionFromProto(lib.proto)
	fn.Env = vm.libraryEnv
	verdict := vm.run(fn, nil, nil, true)
	vm.library = nil
	vm.showLibrary(false)
	v := vm.L.Get(-1)
	vm.clear()
	if verdict != GoOn {
		return nil, Error(errLoadTimeout)
	}
	if e, ok := v.(errorValue); ok {
		return nil, Error(lua.LVAsString(e.RawGetString("err")))
	}
	return l.fns, nil
}

// libraryHeader reads a library's first line and returns the library's name and its code.
func libraryHeader(code string) (name, body string, err error) {
	if !strings.HasPrefix(code, "#!") {
		return "", "", Error("Missing library metadata")
	}
	line, _, ok := strings.Cut(code, "\n")
	words, split := resp.SplitWords(line)
	if !ok || !split || len(words) == 0 {
		return "", "", Error("Invalid library metadata")
	}
	named := false
	for _, word := range words[1:] {
		if len(word) < 5 || !strings.EqualFold(word[:5], "name=") {
			return "", "", Error("Invalid metadata value given: " + word)
		}
		if named {
			return "", "", Error("Invalid metadata value, name argument was given multiple times")
		}
		name, named = word[5:], true
	}
	switch engine := words[0][2:]; {
	case !named:
		return "", "", Error("Library name was not given")
	case !validName(name):
		return "", "", Error(errLibraryName)
	case !strings.EqualFold(engine, Engine):
		return "", "", Error("Engine '" + engine + "' not found")
	}
	return name, code[len(line):], nil
}

// LibraryName returns the name that a library's first line gives it.
func LibraryName(code string) (string, error) {
	name, _, err := libraryHeader(code)
	return name, err
}

// validName tells whether a library or function may be called name.
func validName(name string) bool {
	for i := range len(name) {
		c := name[i]
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return name != ""
}

// registerFunction is redis.register_function.
func (vm *VM) registerFunction(L *lua.LState) int {
	if vm.library == nil {
		return vm.raise(L, "redis.register_function can only be called on FUNCTION LOAD command")
	}
	f := &Function{Library: vm.library.lib}
	var fn *lua.LFunction
	var problem string
	switch L.GetTop() {
	case 1:
		fn, problem = namedArguments(L, f)
	case 2:
		fn, problem = positionalArguments(L, f)
	default:
		problem = "wrong number of arguments to redis.register_function"
	}
	if problem == "" {
		f.Traits = vm.library.lib.traits[strings.ToLower(f.Name)]
		problem = vm.library.add(f, fn)
	}
	if problem != "" {
		return vm.raise(L, problem)
	}
	return 0
}

func (l *loading) add(f *Function, fn *lua.LFunction) (problem string) {
	if !validName(f.Name) {
		return errLibraryName
	}
	for _, r := range l.fns {
		if r.function.Name == f.Name {
			return "Function already exists in the library"
		}
	}
	l.fns = append(l.fns, registered{f, fn})
	return ""
}

func positionalArguments(L *lua.LState, f *Function) (fn *lua.LFunction, problem string) {
	if !lua.LVCanConvToString(L.Get(1)) {
		return nil, "first argument to redis.register_function must be a string"
	}
	f.Name = text(L.Get(1))
	fn, ok := L.Get(2).(*lua.LFunction)
	if !ok {
		return nil, "second argument to redis.register_function must be a function"
	}
	return fn, ""
}

func namedArguments(L *lua.LState, f *Function) (fn *lua.LFunction, problem string) {
	t, ok := L.Get(1).(*lua.LTable)
	if !ok {
		return nil, "calling redis.register_function with a single argument is only applicable to Lua table (representing named arguments)."
	}
	named := false
	for k, v := t.Next(lua.LNil); k != lua.LNil && problem == ""; k, v = t.Next(k) {
		if !lua.LVCanConvToString(k) {
			return nil, "named argument key given to redis.register_function is not a string"
		}
		switch strings.ToLower(text(k)) {
		case "function_name":
			f.Name, named = text(v), true
			if !lua.LVCanConvToString(v) {
				problem = "function_name argument given to redis.register_function must be a string"
			}
		case "description":
			f.Description, f.Described = text(v), true
			if !lua.LVCanConvToString(v) {
				problem = "description argument given to redis.register_function must be a string"
			}
		case "callback":
			if fn, ok = v.(*lua.LFunction); !ok {
				problem = "callback argument given to redis.register_function must be a function"
			}
		case "flags":
			f.Flags, problem = flagsArgument(v)
		default:
			problem = "unknown argument given to redis.register_function"
		}
	}
	switch {
	case problem != "":
	case !named:
		problem = "redis.register_function must get a function name argument"
	case fn == nil:
		problem = "redis.register_function must get a callback argument"
	}
	return fn, problem
}

func flagsArgument(v lua.LValue) (flags Flags, problem string) {
	t, ok := v.(*lua.LTable)
	if !ok {
		return 0, "flags argument to redis.register_function must be a table representing function flags"
	}
	for i := 1; t.RawGetInt(i) != lua.LNil; i++ {
		f, ok := flagCalled(lua.LVAsString(t.RawGetInt(i)), true)
		if !ok {
			return 0, "unknown flag given"
		}
		flags |= f
	}
	return flags, ""
}
