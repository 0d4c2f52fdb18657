package lualib

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/internal/oracle"
	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// Files in testdata hold scripts, one a line, each with the reply that redis-server gave to
// EVAL on the lines after it, indented. With -update they are asked of redis-server again.
var update = flag.Bool("update", false, "ask redis-server and rewrite the replies that differ")

const replyIndent = "    "

type snippet struct{ source, reply string }

func readSnippets(t testing.TB, path string) []snippet {
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []snippet
	for _, line := range strings.Split(strings.TrimRight(string(data), "\n"), "\n") {
		if reply, ok := strings.CutPrefix(line, replyIndent); ok && len(list) > 0 {
			last := &list[len(list)-1]
			if last.reply != "" {
				last.reply += "\n"
			}
			last.reply += reply
			continue
		}
		list = append(list, snippet{source: line})
	}
	return list
}

func snippetFiles(t *testing.T) []string {
	files, err := filepath.Glob("testdata/*.lua")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	return files
}

func TestSnippets(t *testing.T) {
	total := 0
	for _, path := range snippetFiles(t) {
		t.Run(filepath.Base(path), func(t *testing.T) {
			l, e := newEnv(Options{})
			defer l.Close()
			for _, s := range readSnippets(t, path) {
				total++
				if got := evalHere(l, e, s.source); got != s.reply {
					t.Errorf("%s\n  got  %s\n  want %s", s.source, got, s.reply)
				}
			}
		})
	}
	t.Logf("%d snippets", total)
}

func TestSnippetsOnRedis(t *testing.T) {
	if !*update {
		t.Log("the recorded replies stand; -update asks redis-server")
		return
	}
	for _, path := range snippetFiles(t) {
		redis := oracle.Redis(t).Dial(t)
		var out bytes.Buffer
		for _, s := range readSnippets(t, path) {
			reply := normalise(oracle.Render([]byte(redis.Do("EVAL", s.source, "0")), 2))
			out.WriteString(s.source + "\n" + replyIndent + strings.ReplaceAll(reply, "\n", "\n"+replyIndent) + "\n")
		}
		if err := os.WriteFile(path, out.Bytes(), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// normalise removes from redis' errors what names the script.
func normalise(reply string) string {
	if strings.HasPrefix(reply, "-") {
		reply, _, _ = strings.Cut(reply, " script: ")
		reply = strings.Replace(reply, "-ERR Error compiling script (new function): ", "-ERR ", 1)
	}
	return reply
}

func newEnv(options Options) (*lua.LState, *Env) {
	l := lua.NewState(StateOptions())
	e := Open(l, options)
	e.SetGlobal("redis", e.Protect(l.NewTable()))
	e.SetGlobal("KEYS", l.NewTable())
	e.SetGlobal("ARGV", l.NewTable())
	return l, e
}

// run compiles and calls a script, which returns one value.
func run(l *lua.LState, e *Env, source string) (lua.LValue, error) {
	proto, err := Compile(source, "user_script")
	if err != nil {
		return nil, err
	}
	e.Reset()
	l.SetTop(0)
	l.Push(e.Function(proto))
	if err := l.PCall(0, 1, e.Handler()); err != nil {
		return e.ErrorValue(err), err
	}
	return l.Get(1), nil
}

// evalHere returns the reply to EVAL as oracle.Render shows it.
func evalHere(l *lua.LState, e *Env, source string) string {
	value, err := run(l, e, source)
	var reply []byte
	switch {
	case err != nil && value == nil:
		reply = fmt.Appendf(nil, "-ERR %s\r\n", err)
	case err != nil:
		text, ok := auxlib.ToString(value)
		if t, isTable := value.(*lua.LTable); isTable {
			text, ok = auxlib.ToString(t.RawGetString("err"))
			reply = fmt.Appendf(nil, "-%s\r\n", text)
		} else {
			reply = fmt.Appendf(nil, "-ERR %s\r\n", text)
		}
		_ = ok
	default:
		reply = appendReply(nil, value)
	}
	return oracle.Render(reply, 2)
}

func appendReply(dst []byte, value lua.LValue) []byte {
	switch v := value.(type) {
	case lua.LString:
		return fmt.Appendf(dst, "$%d\r\n%s\r\n", len(v), string(v))
	case lua.LNumber:
		return fmt.Appendf(dst, ":%d\r\n", auxlib.ToInteger(float64(v)))
	case lua.LBool:
		if v {
			return append(dst, ":1\r\n"...)
		}
	case *lua.LTable:
		if text, ok := auxlib.ToString(v.RawGetString("err")); ok {
			return fmt.Appendf(dst, "-%s\r\n", text)
		}
		n := 0
		var items []byte
		for v.RawGetInt(n+1) != lua.LNil {
			n++
			items = appendReply(items, v.RawGetInt(n))
		}
		return append(fmt.Appendf(dst, "*%d\r\n", n), items...)
	}
	return append(dst, "$-1\r\n"...)
}
