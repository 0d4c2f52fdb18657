package script

import (
	"context"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/script/lualib"
)

// Host is the server as a script sees it. It is called by whoever runs the script, on the same goroutine.
type Host interface {
	// Call runs a command and appends its reply to w, or returns why it is refused: an error reply without "-". args
	// are the VM's.
	Call(args [][]byte, w *resp.Writer) (refused command.Error)
	// Allowed tells whether the command exists, and whether the user may run it.
	Allowed(args [][]byte) (allowed, exists bool)
	// Replicate tells where the effects of the commands to come go, until the script ends.
	Replicate(to Replication)
	// LogLevel is the lowest level that is logged: 0 debug, 1 verbose, 2 notice, 3 warning.
	LogLevel() int
	Log(level int, text string)
	// Attend is called, while a watched script runs, every millisecond or so, with the time that it has been given
	// since it began. The Host may let others run before it returns.
	Attend() Verdict
}

// Replication is where effects go: redis.set_repl's argument.
type Replication uint8

const (
	ReplicateAOF Replication = 1 << iota
	ReplicateToReplicas
	ReplicateAll = ReplicateAOF | ReplicateToReplicas
)

// Verdict is what is to become of a script.
type Verdict uint8

const (
	GoOn    Verdict = iota
	Kill            // by SCRIPT KILL
	Abandon         // its result does not matter: it will begin anew, or its time to load a library is over
	NoMemory
	TooLong
)

// VM is a Lua state. It runs one script at a time.
type VM struct {
	L          *lua.LState
	host       Host
	library    *loading // the library being loaded; nil: none
	functions  map[string]*registered
	env        *lualib.Env
	libraryEnv *lua.LTable // of functions and the libraries being loaded
	watched    bool
	calling    bool // a command is being run
	onError    *lua.LFunction

	running bool
	proto   uint8 // of the replies that the script sees
	stopped Verdict
	spoilt  bool // the state should not be used again
	watch   watch
	runs    int

	keys, argv table
	last       *Script
	lastFn     *lua.LFunction

	args [][]byte
	buf  []byte
	ends []int
	w    resp.Writer
	keep joined
}

// errors of the program's own making.
const (
	errOutside      = "redis.call/pcall can only be called inside a script invocation"
	errNoArguments  = "Please specify at least one argument for this redis lib call"
	errArguments    = "Lua redis lib command arguments must be strings or integers"
	errKilled       = "ERR Script killed by user with SCRIPT KILL..."
	errMemoryLimit  = "ERR Script memory limit exceeded"
	errStackLimit   = "ERR reached lua stack limit"
	errLoadTimeout  = "ERR FUNCTION LOAD timeout"
	errTooLong      = "ERR Script took too long for one that cannot be put aside"
	maxString       = 128 << 20 // bytes, that one step of a script makes
	maxKeptBuffer   = 1 << 20   // bytes of scratch memory that are kept from one script to the next
	runsBeforeRenew = 1 << 16   // after so many scripts a state is renewed, as tables of the library never shrink
)

// StateBytes is about how much memory a state takes that has not run anything, besides its stack of calls.
const StateBytes = 70 << 10

// NewVM makes a state for scripts, or for functions.
func NewVM(host Host, forFunctions bool) *VM {
	vm := &VM{host: host, proto: 2}
	vm.L = lua.NewState(lualib.StateOptions())
	vm.watch.vm = vm
	vm.open(forFunctions)
	vm.onError = vm.L.NewFunction(vm.handleError)
	return vm
}

// Fit tells whether the state may be used for another script.
func (vm *VM) Fit() bool { return !vm.spoilt && vm.runs < runsBeforeRenew }

// Run runs s; Reply then tells its result. watched makes the Host's Attend be called.
func (vm *VM) Run(s *Script, keys, args [][]byte, watched bool) Verdict {
	if vm.last != s || vm.lastFn == nil {
		vm.last, vm.lastFn = s, vm.L.NewFunctionFromProto(s.proto)
	}
	fn := vm.lastFn
	if !s.Traits.Pure {
		vm.lastFn = nil // setfenv may have changed it
	}
	vm.env.SetGlobal("KEYS", vm.keys.fill(vm, keys, s.Traits.Pure))
	vm.env.SetGlobal("ARGV", vm.argv.fill(vm, args, s.Traits.Pure))
	return vm.run(fn, nil, nil, watched)
}

// Call runs a function of the libraries in Use, as Run runs a script. It reports false if there is none, as its library
// could not be loaded.
func (vm *VM) Call(f *Function, keys, args [][]byte, watched bool) (v Verdict, ok bool) {
	r := vm.functions[strings.ToLower(f.Name)]
	if r == nil {
		return GoOn, false
	}
	pure := r.function.Traits.Pure
	return vm.run(r.fn, vm.keys.fill(vm, keys, pure), vm.argv.fill(vm, args, pure), watched), true
}

// run calls fn, which leaves one result on the stack, or the error.
func (vm *VM) run(fn *lua.LFunction, keys, args *lua.LTable, watched bool) Verdict {
	L := vm.L
	vm.runs++
	vm.stopped, vm.proto, vm.running, vm.watched = GoOn, 2, true, watched
	vm.env.Begin()
	if watched {
		vm.watch.begin()
		L.SetContext(&vm.watch)
	}
	L.SetTop(0)
	L.Push(fn)
	nargs := 0
	if keys != nil {
		L.Push(keys)
		L.Push(args)
		nargs = 2
	}
	err := L.PCall(nargs, 1, vm.onError)
	vm.checkHost()
	if watched {
		vm.watch.end()
		L.RemoveContext()
	}
	vm.running = false
	if err != nil {
		vm.failed(err)
	}
	if vm.stopped != GoOn {
		vm.spoilt = true
	}
	return vm.stopped
}

// checkHost goes on with a panic of a command, which a protected call has taken for an error of the script.
func (vm *VM) checkHost() {
	if vm.calling {
		panic("script: a command has failed: " + vm.L.Get(-1).String())
	}
}

// failed puts the error of a script on the stack, as a table.
func (vm *VM) failed(err error) {
	L := vm.L
	e, ok := err.(*lua.ApiError)
	if !ok || e.Type == lua.ApiErrorPanic {
		vm.spoilt = true
	}
	L.SetTop(0)
	if ok {
		if t, isTable := e.Object.(*lua.LTable); isTable && e.Type != lua.ApiErrorPanic {
			L.Push(errorValue{t})
			return
		}
		L.Push(errorValue{vm.errorTable("ERR " + vm.describe(vm.env.ErrorValue(e)))})
		return
	}
	L.Push(errorValue{vm.errorTable("ERR " + err.Error())})
}

// errorValue is the error that a script ended with, on the stack in place of its result.
type errorValue struct{ *lua.LTable }

// clear forgets what a script has left.
func (vm *VM) clear() {
	vm.L.SetTop(0)
	if cap(vm.buf) > maxKeptBuffer {
		vm.buf = nil
	}
	if cap(vm.w.Buf) > maxKeptBuffer {
		vm.w.Buf = nil
	}
	if cap(vm.args) > maxKeptBuffer/64 {
		vm.args = nil
	}
}

// table is the table of keys or arguments, used again where no script can have kept or changed it.
type table struct{ t *lua.LTable }

func (tb *table) fill(vm *VM, values [][]byte, again bool) *lua.LTable {
	const most = 256 // values that are kept
	t := tb.t
	if t == nil || !again || len(values) > most {
		t = vm.L.CreateTable(len(values), 0)
	}
	vm.keep.begin(values)
	for i, v := range values {
		t.RawSetInt(i+1, vm.keep.string(v))
	}
	for n := t.Len(); n > len(values); n-- {
		t.Remove(n)
	}
	if again && len(values) <= most {
		tb.t = t
	} else {
		tb.t = nil
	}
	return t
}

// joined makes Lua strings of several byte strings with one allocation for all bytes.
type joined struct {
	buf []byte
	all string
	at  int
}

func (s *joined) begin(values [][]byte) {
	s.buf = s.buf[:0]
	for _, v := range values {
		s.buf = append(s.buf, v...)
	}
	s.all, s.at = string(s.buf), 0
	if cap(s.buf) > maxKeptBuffer {
		s.buf = nil
	}
}

func (s *joined) string(v []byte) lua.LValue {
	from := s.at
	s.at += len(v)
	return lua.LString(s.all[from:s.at])
}

// watch is the context of the state's scripts. gopher-lua calls Done before each instruction.
type watch struct {
	vm     *VM
	alarm  alarm
	left   int // instructions until it looks up by itself
	closed chan struct{}
}

// instructions is how many a script executes, some 0.1 ms, before it looks up though the watchdog has not rung: it may
// lack a CPU.
const instructions = 4096

func (w *watch) Done() <-chan struct{} {
	w.left--
	if w.left > 0 && !w.alarm.rung.Load() {
		return nil
	}
	return w.attend()
}

// attend asks the Host what is to become of the script. One that is to end fails at this instruction, and, as it may catch that,
// at all that follow.
func (w *watch) attend() <-chan struct{} {
	vm := w.vm
	if vm.stopped == GoOn {
		w.left = instructions
		w.alarm.rung.Store(false)
		if vm.stopped = vm.judge(); vm.stopped == GoOn {
			return nil
		}
		w.alarm.rung.Store(true)
	}
	if w.closed == nil {
		w.closed = make(chan struct{})
		close(w.closed)
	}
	return w.closed
}

// judge decides what is to become of the script: a library that is being loaded has its own time limit.
func (vm *VM) judge() Verdict {
	if vm.library != nil {
		if time.Now().After(vm.library.until) {
			return Abandon
		}
		return GoOn
	}
	return vm.host.Attend()
}

func (w *watch) Err() error                  { return context.Canceled }
func (w *watch) Deadline() (time.Time, bool) { return time.Time{}, false }
func (w *watch) Value(any) any               { return nil }

func (w *watch) begin() {
	w.left = instructions
	watchdog.add(&w.alarm)
}
func (w *watch) end() { watchdog.remove(&w.alarm) }

// interrupt is called by functions of the library that can take long.
func (vm *VM) interrupt(L *lua.LState) {
	if vm.watched && vm.watch.Done() != nil {
		L.RaiseError("stopped")
	}
}
