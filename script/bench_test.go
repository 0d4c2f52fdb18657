package script

import (
	"os"
	"testing"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
)

// canned is a Host whose commands cost nothing.
type canned struct{}

func (canned) Call(args [][]byte, w *resp.Writer) command.Error {
	switch string(args[0]) {
	case "TIME":
		w.Array(2)
		w.BulkString("1700000000")
		w.BulkString("123456")
	case "HMGET":
		w.Array(2)
		w.BulkString("12.345")
		w.BulkString("1699999999000")
	case "SET":
		w.OK()
	default:
		w.Int(1)
	}
	return ""
}
func (canned) Allowed([][]byte) (allowed, exists bool) { return true, true }
func (canned) Replicate(Replication)                   {}
func (canned) LogLevel() int                           { return 3 }
func (canned) Log(int, string)                         {}
func (canned) Attend() Verdict                         { return GoOn }

var commands = command.NewTable(command.StringCommands, command.HashCommands, command.KeyCommands, command.ExpireCommands,
	command.ListCommands, command.SetCommands, command.ZSetCommands, command.SortCommands, command.StreamCommands, command.ScanCommands,
	[]command.Spec{{Name: "TIME", Arity: 1}, {Name: "PUBLISH", Arity: 3, Flags: command.MayReplicate}, {Name: "FLUSHALL_", Arity: 1, Flags: command.LockAll}})

func BenchmarkTokenBucket(b *testing.B) {
	body, err := os.ReadFile("../bench/scripts/token_bucket.lua")
	if err != nil {
		b.Fatal(err)
	}
	for _, watched := range []bool{false, true} {
		b.Run(map[bool]string{false: "straight", true: "watched"}[watched], func(b *testing.B) {
			s, err := NewCache(commands).Add(string(body), true)
			if err != nil {
				b.Fatal(err)
			}
			vm := NewVM(canned{}, false)
			keys, args := [][]byte{[]byte("bucket:123456")}, [][]byte{[]byte("100"), []byte("10"), []byte("1")}
			var w resp.Writer
			b.ReportAllocs()
			for b.Loop() {
				vm.Run(s, keys, args, watched)
				w.Buf = w.Buf[:0]
				vm.Reply(&w, "x")
			}
			if w.Buf[0] == '-' {
				b.Fatalf("%s %+v", w.Buf, s.Traits)
			}
			b.Logf("%q %+v", w.Buf, s.Traits)
		})
	}
}
