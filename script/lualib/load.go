package lualib

import (
	"strings"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// maxChunkID is how long the name of a chunk is in messages, with its end.
const maxChunkID = 60

func (e *Env) loadstring(l *lua.LState) int {
	source := auxlib.CheckString(l, 1)
	return e.loadSource(l, source, auxlib.OptString(l, 2, source))
}

func (e *Env) load(l *lua.LState) int {
	reader := auxlib.CheckFunction(l, 1)
	name := auxlib.OptString(l, 2, "=(load)")
	var source strings.Builder
	for {
		e.enter(l)
		l.Push(reader)
		l.Call(0, 1)
		e.leave()
		piece := l.Get(-1)
		l.Pop(1)
		if piece == lua.LNil {
			break
		}
		text, ok := auxlib.ToString(piece)
		if !ok {
			auxlib.Error(l, "reader function must return a string")
		}
		if text == "" {
			break
		}
		e.checkLength(l, source.Len()+len(text))
		source.WriteString(text)
	}
	return e.loadSource(l, source.String(), name)
}

// loadSource pushes the function of a chunk, or nil and why there is none.
func (e *Env) loadSource(l *lua.LState, source, name string) int {
	name = chunkID(name)
	if strings.HasPrefix(source, "\x1b") {
		l.Push(lua.LNil)
		l.Push(lua.LString(name + ": bad binary format"))
		return 2
	}
	proto, err := Compile(source, name)
	if err != nil {
		l.Push(lua.LNil)
		l.Push(lua.LString(err.Error()))
		return 2
	}
	l.Push(e.Function(proto))
	return 1
}

// chunkID returns the form of a chunk's name that stands in messages.
func chunkID(name string) string {
	switch {
	case strings.HasPrefix(name, "="):
		return name[1:min(len(name), maxChunkID)]
	case strings.HasPrefix(name, "@"):
		name = name[1:]
		if limit := maxChunkID - len(" '...' ") - 1; len(name) > limit {
			return "..." + name[len(name)-limit:]
		}
		return name
	}
	line, _, more := strings.Cut(name, "\n")
	if i := strings.IndexByte(line, '\r'); i >= 0 {
		line, more = line[:i], true
	}
	limit := maxChunkID - len(` [string "..."] `) - 1
	if len(line) > limit || more {
		return `[string "` + line[:min(len(line), limit)] + `..."]`
	}
	return `[string "` + line + `"]`
}
