package resp

import (
	"fmt"
	"strings"
	"testing"
)

// protocolCases are streams and what redis 7.0.15 makes of them. TestProtocol
// checks the parser, TestProtocolOracle checks the table.
var protocolCases = []struct {
	in     string
	unauth bool
	want   []string // commands, arguments joined by "|"
	err    string
}{
	// Counts.
	{in: "*1\r\n$4\r\nPING\r\n", want: []string{"PING"}},
	{in: "*+1\r\n$4\r\nPING\r\n", err: "invalid multibulk length"},
	{in: "*01\r\n$4\r\nPING\r\n", err: "invalid multibulk length"},
	{in: "* 1\r\n$4\r\nPING\r\n", err: "invalid multibulk length"},
	{in: "*1 \r\n$4\r\nPING\r\n", err: "invalid multibulk length"},
	{in: "*x\r\n", err: "invalid multibulk length"},
	{in: "*\r\n", err: "invalid multibulk length"},
	{in: "*-\r\n", err: "invalid multibulk length"},
	{in: "*-0\r\n", err: "invalid multibulk length"},
	{in: "*00\r\n", err: "invalid multibulk length"},
	{in: "*1.0\r\n", err: "invalid multibulk length"},
	{in: "*1\n$4\r\nPING\r\n", err: "invalid multibulk length"},
	{in: "*1\n", want: nil},
	{in: "*0\r\n*1\r\n$4\r\nPING\r\n", want: []string{"PING"}},
	{in: "*-1\r\n*1\r\n$4\r\nPING\r\n", want: []string{"PING"}},
	{in: "*-100\r\nPING\r\n", want: []string{"PING"}},
	{in: "*-9223372036854775808\r\nPING\r\n", want: []string{"PING"}},
	{in: "*-9223372036854775809\r\nPING\r\n", err: "invalid multibulk length"},
	{in: "*1048577\r\n", want: nil},
	{in: "*2147483647\r\n", want: nil},
	{in: "*2147483648\r\n", err: "invalid multibulk length"},
	{in: "*9223372036854775808\r\n", err: "invalid multibulk length"},
	{in: "*99999999999999999999\r\n", err: "invalid multibulk length"},
	{in: "*000000000000000000000001\r\n", err: "invalid multibulk length"},
	{in: "*10\r\n", unauth: true, want: nil},
	{in: "*11\r\n", unauth: true, err: "unauthenticated multibulk length"},
	{in: "*2147483648\r\n", unauth: true, err: "invalid multibulk length"},
	{in: "*-11\r\n*1\r\n$4\r\nPING\r\n", unauth: true, want: []string{"PING"}},

	// The byte behind '\r' and the two behind an argument may be anything.
	{in: "*1\r.$4\r\nPING\r\n", want: []string{"PING"}},
	{in: "*1\r\n$4\r.PING\r\n", want: []string{"PING"}},
	{in: "*1\r\n$4\r\nPING..*1\r\n$4\r\nPING\n\n", want: []string{"PING", "PING"}},
	{in: "*1\r\r$4\r\rPING\r\r", want: []string{"PING"}},
	{in: "*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\r\n\r\n", want: []string{"ECHO|\r\n\r\n"}},

	// Sizes.
	{in: "*1\r\nPING\r\n", err: "expected '$', got 'P'"},
	{in: "*1\r\n*1\r\n", err: "expected '$', got '*'"},
	{in: "*1\r\n\r\n", err: "expected '$', got ' '"},
	{in: "*1\r\n\nxx\r\n", err: "expected '$', got ' '"},
	{in: "*1\r\n \r\n", err: "expected '$', got ' '"},
	{in: "*1\r\n'\r\n", err: "expected '$', got '''"},
	{in: "*1\r\n\x01\r\n", err: "expected '$', got '\x01'"},
	{in: "*1\r\n\xff\r\n", err: "expected '$', got '\xff'"},
	{in: "*1\r\nPING", want: nil},
	{in: "*1\r\nPING\r", want: nil},
	{in: "*1\r\n$\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$-1\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$-0\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$+4\r\nPING\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$04\r\nPING\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$004\r\nPING\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$0004\r\nPING\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$4x\r\nPING\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$x4\r\nPING\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$1x4\r\nPING\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$10x\r\nPING\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$100x\r\nPING\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$4\nPING\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$536870912\r\n", want: nil},
	{in: "*1\r\n$536870913\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$9223372036854775808\r\n", err: "invalid bulk length"},
	{in: "*1\r\n$16384\r\n", unauth: true, want: nil},
	{in: "*1\r\n$16385\r\n", unauth: true, err: "unauthenticated bulk length"},
	{in: "*1\r\n$536870913\r\n", unauth: true, err: "invalid bulk length"},
	{in: "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", want: []string{"ECHO|"}},

	// Lines without an end, and ends hidden by a NUL.
	{in: "*" + strings.Repeat("1", 65536), err: "too big mbulk count string"},
	{in: "*" + strings.Repeat("1", 65535), want: nil},
	{in: "*1\r\n$" + strings.Repeat("1", 65536), err: "too big bulk count string"},
	{in: "*1\r\n$" + strings.Repeat("1", 65535), want: nil},
	{in: strings.Repeat("1", 65537), err: "too big inline request"},
	{in: strings.Repeat("1", 65536), want: nil},
	{in: "*1\x00\r\n$4\r\nPING\r\n", want: nil},
	{in: "*1\r\n$4\x00\r\nPING\r\n", want: nil},
	{in: "PI\x00NG\r\nPING\r\n", want: nil},
	{in: "\x00" + strings.Repeat("\n", 65536), err: "too big inline request"},
	{in: "*\x00" + strings.Repeat("\r", 65535), err: "too big mbulk count string"},
	{in: "*1\r\n\x00" + strings.Repeat("\r", 65536), err: "too big bulk count string"},

	// Inline commands.
	{in: "PING\r\n", want: []string{"PING"}},
	{in: "PING\n", want: []string{"PING"}},
	{in: "\r\n\n \r\n\t\v\f\nPING\r\n", want: []string{"PING"}},
	{in: "ping\r\r\n", want: []string{"ping"}},
	{in: "  ECHO   hello  \r\n", want: []string{"ECHO|hello"}},
	{in: "ECHO\thello\n", want: []string{"ECHO|hello"}},
	{in: "ECHO a\rb\n", want: []string{"ECHO|a|b"}},
	{in: "ECHO a\vb\n", want: []string{"ECHO|a\vb"}},
	{in: "ECHO \va\n", want: []string{"ECHO|a"}},
	{in: "ECHO \"a b\"\n", want: []string{"ECHO|a b"}},
	{in: "ECHO \"\"\n", want: []string{"ECHO|"}},
	{in: "ECHO ''\n", want: []string{"ECHO|"}},
	{in: "EVAL 'return ARGV' 0 a \"b c\" 'd e' \"\" f\n", want: []string{"EVAL|return ARGV|0|a|b c|d e||f"}},
	{in: `ECHO "\n\r\t\b\a\\\"\q\x41\xfF\x4\xg0\x"` + "\n", want: []string{"ECHO|\n\r\t\b\a\\\"qA\xffx4xg0x"}},
	{in: `ECHO '\n\'\\ \x41'` + "\n", want: []string{`ECHO|\n'\\ \x41`}},
	{in: `ECHO a"b c"` + "\n", want: []string{"ECHO|ab c"}},
	{in: `ECHO a'b c'` + "\n", want: []string{"ECHO|ab c"}},
	{in: "ECHO \"a\"\vb\n", want: []string{"ECHO|a|b"}},
	{in: "ECHO \\x41\\n\n", want: []string{"ECHO|\\x41\\n"}},
	{in: "ECHO \"a\"b\n", err: "unbalanced quotes in request"},
	{in: "ECHO 'a'b\n", err: "unbalanced quotes in request"},
	{in: "ECHO a\"b\"c\n", err: "unbalanced quotes in request"},
	{in: "ECHO 'a'\"b\"\n", err: "unbalanced quotes in request"},
	{in: "ECHO \"a\n", err: "unbalanced quotes in request"},
	{in: "ECHO 'a\n", err: "unbalanced quotes in request"},
	{in: "ECHO \"a\\\n", err: "unbalanced quotes in request"},
	{in: "ECHO \"a\\\"\n", err: "unbalanced quotes in request"},
	{in: "ECHO 'a\\'\n", err: "unbalanced quotes in request"},
	{in: "ECHO a\"\n", err: "unbalanced quotes in request"},
	{in: "\"\n", err: "unbalanced quotes in request"},
	{in: "$4\r\n", want: []string{"$4"}},
	{in: "PING\r\n*1\r\n$4\r\nPING\r\nPING\n*x\r\nPING\r\n", want: []string{"PING", "PING", "PING"}, err: "invalid multibulk length"},
}

func TestProtocol(t *testing.T) {
	for _, c := range protocolCases {
		lim := defaults
		if c.unauth {
			lim = unauth
		}
		want := fmt.Sprintf("%q", c.want)
		if c.err != "" {
			want += "Protocol error: " + c.err
		}
		f := func(how string, pieces ...string) {
			t.Helper()
			out := parse(lim, pieces...)
			var got []string
			for _, cmd := range out.Commands {
				got = append(got, strings.Join(cmd, "|"))
			}
			if got := fmt.Sprintf("%q", got) + out.Err; got != want {
				t.Errorf("%.60q (%s): %s, want %s", c.in, how, got, want)
			}
		}
		f("whole", c.in)
		f("byte by byte", bytewise(c.in)...)
	}
}
