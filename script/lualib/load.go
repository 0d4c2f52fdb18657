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
		l.SetTop(0)
		l.Push(reader)
		e.protectedCall(l, 0, lua.LNil)
		piece, problem := l.Get(3), l.Get(2) == lua.LFalse
		text, ok := auxlib.ToString(piece)
		switch {
		case problem:
			return loadError(l, piece)
		case !ok && piece != lua.LNil:
			return loadError(l, lua.LString("reader function must return a string"))
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
		return loadError(l, lua.LString(name+": bad binary format"))
	}
	proto, err := Compile(source, name)
	if err != nil {
		return loadError(l, lua.LString(err.Error()))
	}
	l.Push(e.Function(proto))
	return 1
}

func loadError(l *lua.LState, problem lua.LValue) int {
	l.Push(lua.LNil)
	l.Push(problem)
	return 2
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
