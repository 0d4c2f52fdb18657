package script

import (
	"errors"
	"fmt"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// syntaxError words an error of the parser or the compiler as Lua does.
func syntaxError(name string, err error) error {
	var p *parse.Error
	var c *lua.CompileError
	switch {
	case errors.As(err, &p) && p.Pos.Line == parse.EOF:
		return fmt.Errorf("%s:1: %s near '<eof>'", name, parserMessage(p.Message))
	case errors.As(err, &p):
		return fmt.Errorf("%s:%d: %s near '%s'", name, p.Pos.Line, parserMessage(p.Message), p.Token)
	case errors.As(err, &c):
		return fmt.Errorf("%s:%d: %s", name, c.Line, c.Message)
	}
	return fmt.Errorf("%s: %s", name, strings.TrimSpace(err.Error()))
}

func parserMessage(m string) string {
	if m == "syntax error" || m == "" {
		return "unexpected symbol"
	}
	return m
}
