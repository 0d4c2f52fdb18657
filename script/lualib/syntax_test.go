package lualib

import (
	"strings"
	"testing"

	"github.com/yuin/gopher-lua/parse"
)

// TestSyntaxMessages has chunks of several lines; those of one are in testdata/syntax.lua. The messages are those of
// redis-server.
func TestSyntaxMessages(t *testing.T) {
	for source, want := range map[string]string{
		"if x then\nreturn 1\n":                     "name:3: 'end' expected (to close 'if' at line 1) near '<eof>'",
		"for i = 1, 2 do\nf(1\n)\nx()":              "name:4: 'end' expected (to close 'for' at line 1) near '<eof>'",
		"return {1,\n2":                             "name:2: '}' expected (to close '{' at line 1) near '<eof>'",
		"local a = f\n(1)":                          "name:2: ambiguous syntax (function call x new statement) near '('",
		"repeat\nlocal x = 1\nend":                  "name:3: 'until' expected (to close 'repeat' at line 1) near 'end'",
		"return 'abc\ndef'":                         "name:1: unfinished string near ''abc'",
		"return [[abc\n":                            "name:2: unfinished long string near '<eof>'",
		"--[[ a\r\nb":                               "name:2: unfinished long comment near '<eof>'",
		"\n\nreturn x y":                            "name:3: '<eof>' expected near 'y'",
		"return 'a\\\nb' c":                         "name:2: '<eof>' expected near 'c'",
		"x = \x01":                                  "name:1: unexpected symbol near 'char(1)'",
		"local function f()\nwhile true do\nend":    "name:3: 'end' expected (to close 'function' at line 1) near '<eof>'",
		"return 1, [==[\n]]\n]==], 2, 'a' \"b\"":    "name:3: '<eof>' expected near '\"b\"'",
		"-- a comment\nreturn -- another\n1 + + 2":  "name:3: unexpected symbol near '+'",
		"local t = {a = 1; b = {c = [[x]]}, 'd' }!": "name:1: unexpected symbol near '!'",
	} {
		_, err := Compile(source, "name")
		if err == nil || err.Error() != want {
			t.Errorf("%q: %v, not %s", source, err, want)
		}
	}
}

// FuzzSyntax checks whatever there is. What the check lets pass, gopher-lua's parser takes too, but for the rarer blanks.
func FuzzSyntax(f *testing.F) {
	for _, path := range []string{"testdata/syntax.lua", "testdata/string.lua", "testdata/table.lua"} {
		for _, s := range readSnippets(f, path) {
			f.Add(s.source)
		}
	}
	f.Fuzz(func(t *testing.T, source string) {
		if len(source) > 10000 || strings.ContainsAny(source, "\v\f") || checkSyntax(source, "name") != "" {
			return
		}
		if _, err := parse.Parse(strings.NewReader(source), "name"); err != nil {
			t.Errorf("%q: %v", source, err)
		}
	})
}
