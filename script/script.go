package script

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
	"sync/atomic"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/script/lualib"
)

// Script is a compiled script. It does not change, but for what has been learnt about it.
type Script struct {
	SHA    string // 40 hexadecimal digits, lower case
	Body   string
	Flags  Flags
	Traits Traits
	// Wide is set when the script has wanted keys that it had not declared: from then on it starts with all locks.
	Wide atomic.Bool

	proto  *lua.FunctionProto
	loaded bool // by SCRIPT LOAD: not evicted
	used   int64
}

// userScript is the name of scripts in error messages; userFunction that of libraries.
const (
	userScript   = "user_script"
	userFunction = "user_function"
)

// SHA1 returns the SHA1 of body in lower-case hexadecimal digits.
func SHA1(body []byte) string {
	sum := sha1.Sum(body)
	return hex.EncodeToString(sum[:])
}

// compileScript compiles a script.
func compileScript(body, sha string, table *command.Table) (*Script, error) {
	flags, code, err := scriptHeader(body)
	if err != nil {
		return nil, err
	}
	var traits Traits
	proto, err := compile(code, userScript, func(chunk []ast.Stmt) { traits = analyse(chunk, table, true) })
	if err != nil {
		return nil, Error("Error compiling script (new function): " + err.Error())
	}
	return &Script{SHA: sha, Body: body, Flags: flags, Traits: traits, proto: proto}, nil
}

// compile compiles code, of which look sees the syntax tree before.
func compile(code, name string, look func([]ast.Stmt)) (*lua.FunctionProto, error) {
	if len(code) > maxScriptBytes {
		return nil, fmt.Errorf("%s: longer than %d bytes", name, maxScriptBytes)
	}
	proto, err := lualib.CompileChecked(code, name, look)
	if err != nil {
		return nil, err
	}
	proto.IsVarArg &^= lua.VarArgNeedsArg // a chunk has no table arg: making one took a seventh of a short script's time
	showNames(proto)
	return proto, nil
}

// showNames gives the calls of fixed functions, in error messages, the names that stand in the text.
func showNames(p *lua.FunctionProto) {
	for i := range p.DbgCalls {
		if name, ok := strings.CutPrefix(p.DbgCalls[i].Name, hidden); ok {
			p.DbgCalls[i].Name = name[strings.LastIndexByte(name, '.')+1:]
		}
	}
	for _, inner := range p.FunctionPrototypes {
		showNames(inner)
	}
}
