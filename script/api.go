package script

import (
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// Version is the version of redis that scripts are told.
const (
	Version    = "7.2.4"
	versionNum = 7<<16 | 2<<8 | 4
)

// api returns the table redis.
func (vm *VM) api() *lua.LTable {
	L := vm.L
	t := L.NewTable()
	for name, f := range map[string]lua.LGFunction{
		"call": vm.call, "pcall": vm.pcall, "setresp": vm.setResp, "sha1hex": vm.sha1Hex, "error_reply": vm.errorReplyAPI,
		"status_reply": vm.statusReply, "set_repl": vm.setRepl, "acl_check_cmd": vm.aclCheck,
	} {
		t.RawSetString(name, L.NewFunction(f))
	}
	for name, n := range map[string]Replication{"REPL_NONE": 0, "REPL_AOF": ReplicateAOF, "REPL_SLAVE": ReplicateToReplicas, "REPL_REPLICA": ReplicateToReplicas, "REPL_ALL": ReplicateAll} {
		t.RawSetString(name, lua.LNumber(n))
	}
	vm.addLog(t)
	return t
}

// addDebug adds what only scripts have, not functions.
func (vm *VM) addDebug(t *lua.LTable) {
	L := vm.L
	t.RawSetString("breakpoint", L.NewFunction(func(L *lua.LState) int { L.Push(lua.LFalse); return 1 }))
	t.RawSetString("debug", L.NewFunction(func(L *lua.LState) int { return 0 }))
	t.RawSetString("replicate_commands", L.NewFunction(func(L *lua.LState) int { L.Push(lua.LTrue); return 1 }))
}

// addLog adds what is there also while a library is being loaded.
func (vm *VM) addLog(t *lua.LTable) {
	t.RawSetString("log", vm.L.NewFunction(vm.log))
	for i, name := range []string{"LOG_DEBUG", "LOG_VERBOSE", "LOG_NOTICE", "LOG_WARNING"} {
		t.RawSetString(name, lua.LNumber(i))
	}
	t.RawSetString("REDIS_VERSION", lua.LString(Version))
	t.RawSetString("REDIS_VERSION_NUM", lua.LNumber(versionNum))
}

// errorTable returns an error as scripts see it.
func (vm *VM) errorTable(text string) *lua.LTable { return vm.field("err", lua.LString(text)) }

// errorText makes an error's text of what an error reply, with its "-", or a message without a code says.
func errorText(s string) string {
	rest, ok := strings.CutPrefix(s, "-")
	code, text := "ERR", s
	if ok {
		if c, t, found := strings.Cut(rest, " "); found {
			code, text = c, t
		} else {
			text = rest
		}
	}
	return code + " " + strings.Trim(text, "\r\n")
}

// raise ends the script with an error, unless it catches it.
func (vm *VM) raise(L *lua.LState, message string) int {
	L.Error(vm.errorTable("ERR "+message), 1)
	return 0
}

func (vm *VM) call(L *lua.LState) int {
	v, failed := vm.command(L)
	if failed {
		L.Error(v, 1)
	}
	L.SetTop(0)
	L.Push(v)
	return 1
}

func (vm *VM) pcall(L *lua.LState) int {
	v, _ := vm.command(L)
	L.SetTop(0)
	L.Push(v)
	return 1
}

// command runs the command on the stack and returns its reply.
func (vm *VM) command(L *lua.LState) (v lua.LValue, failed bool) {
	if !vm.running {
		vm.raise(L, errOutside)
	}
	args, message := vm.arguments(L)
	if message != "" {
		return vm.errorTable("ERR " + message), true
	}
	vm.w.Buf, vm.w.Proto = vm.w.Buf[:0], vm.proto
	vm.checkHost()
	vm.calling = true
	refused := vm.host.Call(args, &vm.w)
	vm.calling = false
	if refused == "" && len(vm.w.Buf) == 0 { // it would reply later; only by DEBUG SET-DISABLE-DENY-SCRIPTS
		return vm.errorTable("ERR This Redis command is not allowed from script"), true
	}
	if refused != "" {
		if vm.stopped != GoOn {
			vm.L.RaiseError("stopped")
		}
		t := vm.errorTable(string(refused))
		t.RawSetString("ignore_error_stats_update", lua.LTrue)
		return t, true
	}
	v, _ = vm.toLua(vm.w.Buf)
	return v, vm.w.Buf[0] == '-'
}

// Stop makes the running script end with v, whatever it does. The Host calls it from Call, which then refuses.
func (vm *VM) Stop(v Verdict) {
	vm.stopped = v
	vm.watch.alarm.rung.Store(true)
}

// arguments returns the arguments of redis.call in the VM's own memory.
func (vm *VM) arguments(L *lua.LState) (args [][]byte, message string) {
	n := L.GetTop()
	if n == 0 {
		return nil, errNoArguments
	}
	buf, ends := vm.buf[:0], vm.ends[:0]
	for i := 1; i <= n; i++ {
		switch v := L.Get(i).(type) {
		case lua.LString:
			buf = append(buf, v...)
		case lua.LNumber:
			buf = appendNumber(buf, float64(v))
		default:
			vm.buf, vm.ends = buf, ends
			return nil, errArguments
		}
		ends = append(ends, len(buf))
	}
	args = vm.args[:0]
	from := 0
	for _, end := range ends {
		args = append(args, buf[from:end:end])
		from = end
	}
	vm.buf, vm.ends, vm.args = buf, ends, args
	return args, ""
}

func (vm *VM) setResp(L *lua.LState) int {
	if !vm.running {
		return vm.raise(L, "redis.setresp can only be called inside a script invocation")
	}
	if L.GetTop() != 1 {
		return vm.raise(L, "redis.setresp() requires one argument.")
	}
	switch n := L.ToInt(1); n {
	case 2, 3:
		vm.proto = uint8(n)
	default:
		return vm.raise(L, "RESP version must be 2 or 3.")
	}
	return 0
}

func (vm *VM) sha1Hex(L *lua.LState) int {
	if L.GetTop() != 1 {
		return vm.raise(L, "wrong number of arguments")
	}
	s := lua.LVAsString(L.Get(1))
	if n, ok := L.Get(1).(lua.LNumber); ok {
		s = string(appendNumber(nil, float64(n)))
	}
	L.Push(lua.LString(SHA1([]byte(s))))
	return 1
}

func (vm *VM) errorReplyAPI(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if L.GetTop() != 1 || !ok {
		L.Push(vm.errorTable("ERR wrong number or type of arguments"))
		return 1
	}
	if !strings.HasPrefix(string(s), "-") {
		s = "-" + s
	}
	L.Push(vm.errorTable(errorText(string(s))))
	return 1
}

func (vm *VM) statusReply(L *lua.LState) int {
	s, ok := L.Get(1).(lua.LString)
	if L.GetTop() != 1 || !ok {
		L.Push(vm.errorTable("ERR wrong number or type of arguments"))
		return 1
	}
	L.Push(vm.field("ok", s))
	return 1
}

// setRepl is redis.set_repl.
func (vm *VM) setRepl(L *lua.LState) int {
	switch {
	case !vm.running:
		return vm.raise(L, "redis.set_repl can only be called inside a script invocation")
	case L.GetTop() != 1:
		return vm.raise(L, "redis.set_repl() requires two arguments.")
	case L.ToInt(1)&^int(ReplicateAll) != 0:
		return vm.raise(L, "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE.")
	}
	vm.host.Replicate(Replication(L.ToInt(1)))
	return 0
}

func (vm *VM) aclCheck(L *lua.LState) int {
	if !vm.running {
		return vm.raise(L, "redis.acl_check_cmd can only be called inside a script invocation")
	}
	args, message := vm.arguments(L)
	if message != "" {
		return vm.raise(L, message)
	}
	allowed, exists := vm.host.Allowed(args)
	if !exists {
		return vm.raise(L, "Invalid command passed to redis.acl_check_cmd()")
	}
	L.Push(lua.LBool(allowed))
	return 1
}

func (vm *VM) log(L *lua.LState) int {
	n := L.GetTop()
	if n < 2 {
		return vm.raise(L, "redis.log() requires two arguments or more.")
	}
	if _, ok := tonumber(L.Get(1)); !ok {
		return vm.raise(L, "First argument must be a number (log level).")
	}
	level := L.ToInt(1)
	if level < 0 || level > 3 {
		return vm.raise(L, "Invalid debug level.")
	}
	if level < vm.host.LogLevel() {
		return 0
	}
	var b strings.Builder
	for i := 2; i <= n; i++ {
		if v := L.Get(i); lua.LVCanConvToString(v) {
			if i > 2 {
				b.WriteByte(' ')
			}
			b.WriteString(text(v))
		}
	}
	vm.host.Log(level, b.String())
	return 0
}
