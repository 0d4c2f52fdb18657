package command

import (
	"fmt"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// introspectCases are commands about commands whose replies have one order.
const introspectCases = `
COMMAND COUNT x
COMMAND GETKEYS
COMMAND GETKEYS x
COMMAND GETKEYS nosuch x
COMMAND GETKEYS get k
COMMAND GETKEYS get k l
COMMAND GETKEYS GET k
COMMAND GETKEYS DBSIZE x
COMMAND GETKEYS set k
COMMAND GETKEYS mset a 1 b 2 c
COMMAND GETKEYS mset a
COMMAND GETKEYS del a b c
COMMAND GETKEYS rename a b
COMMAND GETKEYS copy a b DB 1
COMMAND GETKEYS object encoding k
COMMAND GETKEYS object nosuch k
COMMAND GETKEYS object encoding
COMMAND GETKEYS object help
COMMAND GETKEYS scan 0
COMMAND GETKEYSANDFLAGS get k
COMMAND GETKEYSANDFLAGS rename a b
COMMAND GETKEYSANDFLAGS renamenx a b
COMMAND GETKEYSANDFLAGS copy a b
COMMAND GETKEYSANDFLAGS del a b
COMMAND GETKEYSANDFLAGS lcs a b
COMMAND GETKEYSANDFLAGS nosuch a b
COMMAND GETKEYSANDFLAGS command count
COMMAND INFO nosuch
COMMAND INFO object|nosuch
COMMAND INFO nosuch|encoding
COMMAND INFO GET
COMMAND INFO get nosuch Get del
COMMAND INFO object|encoding OBJECT|help
COMMAND INFO append
COMMAND INFO rename
COMMAND INFO copy
COMMAND DOCS nosuch
COMMAND DOCS object|nosuch
COMMAND LIST x
COMMAND LIST FILTERBY
COMMAND LIST FILTERBY MODULE
COMMAND LIST FILTERBY MODULE x
COMMAND LIST FILTERBY MODULE x y
COMMAND LIST FILTERBY ACLCAT nosuch
COMMAND LIST FILTERBY ACLCAT @string
COMMAND LIST FILTERBY NOSUCH x
COMMAND LIST filterby pattern PTT?
COMMAND LIST FILTERBY PATTERN object|enc*
COMMAND LIST FILTERBY PATTERN nosuch
COMMAND HELP x
`

func TestIntrospectionLikeRedis(t *testing.T) {
	srv := oracle.Redis(t)
	for proto := 2; proto <= 3; proto++ {
		t.Run(fmt.Sprint("RESP", proto), func(t *testing.T) {
			c := newTestCtx(t, keyLists...)
			c.Reply.Proto = uint8(proto)
			redis, err := oracle.Dial(srv.Address())
			if err != nil {
				t.Fatal(err)
			}
			defer redis.Close()
			if _, err := redis.Do("HELLO", fmt.Sprint(proto)); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(introspectCases) {
				words := strings.Fields(line)
				if len(words) == 0 {
					continue
				}
				want, err := redis.Do(words...)
				if err != nil {
					t.Fatal(err)
				}
				if got := c.do(words...); got != string(want) {
					t.Errorf("%q replied\n %.500q, redis replies\n %.500q", words, got, want)
				}
			}
		})
	}
}

func TestCommandListAndCount(t *testing.T) {
	c := newTestCtx(t, keyLists...)
	names := list(c.do("COMMAND", "LIST"))
	top := 0
	for _, name := range names {
		if !strings.Contains(name, "|") {
			top++
		}
		if c.Table.Find(name) == nil || c.Table.Find(strings.ToUpper(name)) == nil {
			t.Errorf("%s is not found", name)
		}
	}
	if want := fmt.Sprintf(":%d\r\n", top); c.do("COMMAND", "COUNT") != want || len(names) != c.Table.Count() {
		t.Errorf("%d names, %d of commands; COUNT %q", len(names), top, c.do("COMMAND", "COUNT"))
	}
	fast := list(c.do("COMMAND", "LIST", "FILTERBY", "ACLCAT", "FAST"))
	slow := list(c.do("COMMAND", "LIST", "FILTERBY", "ACLCAT", "slow"))
	if len(fast)+len(slow) != len(names) {
		t.Errorf("%d fast and %d slow of %d", len(fast), len(slow), len(names))
	}
	if a, b := c.do("COMMAND"), c.do("COMMAND", "INFO"); a != b {
		t.Error("COMMAND is not COMMAND INFO")
	}
}

func TestLegacyKeyRange(t *testing.T) {
	f := func(first, last, step int, movable bool, keys ...[]KeySpec) {
		t.Helper()
		s := Spec{Name: "X"}
		for _, k := range keys {
			s.Keys = append(s.Keys, k...)
		}
		a, b, c := s.KeyRange()
		if a != first || b != last || c != step || s.movable() != movable {
			t.Errorf("%+v: %d %d %d, movable %v", s.Keys, a, b, c, s.movable())
		}
	}
	f(0, 0, 0, false)
	f(1, 1, 1, false, OneKey(1, RO))
	f(1, -1, 2, false, KeyRange(1, -1, 2, OW))
	f(1, 2, 1, false, OneKey(1, RW), OneKey(2, OW))
	f(2, -1, 1, false, OneKey(2, OW), KeyRange(3, -1, 1, RO))
	f(1, 1, 1, true, OneKey(1, RW), OneKey(3, OW))
	f(0, 0, 0, true, []KeySpec{{Index: 1, Counted: true, FirstKey: 1}})
	f(1, 1, 1, true, OneKey(1, RO|Incomplete))
	f(1, 1, 1, true, OneKey(1, RO), []KeySpec{{Keyword: "STORE", StartFrom: 2, Step: 1}})
	f(0, 0, 0, true, []KeySpec{{Unknown: true}})
}
