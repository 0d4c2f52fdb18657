package server

import (
	"bytes"
	"testing"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/persist/rdb"
)

// FuzzLibraries reads the payloads of FUNCTION RESTORE. What is read has the form that FUNCTION DUMP gives it.
func FuzzLibraries(f *testing.F) {
	code := []byte("#!lua name=a\nredis.register_function('f', function(keys) return redis.call('GET', keys[1]) end)")
	f.Add(rdb.AppendFunction(nil, code, false))
	f.Add(rdb.AppendFunction(rdb.AppendFunction(nil, code, true), []byte("#!lua name=b\nredis.register_function('g', function() end)"), true))
	f.Add([]byte{opFunctionOld, 1, 'a'})
	f.Add([]byte{opFunction, 0xc3, 1, 0x80, 0xff})
	r := &reactor{srv: &Server{table: command.NewTable(command.StringCommands)}}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if bytes.Contains(payload, []byte("while")) || bytes.Contains(payload, []byte("for")) || bytes.Contains(payload, []byte("repeat")) {
			return // may take half a second
		}
		set, err := r.readLibraries(payload)
		if err != nil {
			return
		}
		var again []byte
		for _, lib := range set.All() {
			again = rdb.AppendFunction(again, []byte(lib.Code), true)
		}
		if other, err := r.readLibraries(again); err != nil || len(other.All()) != len(set.All()) {
			t.Errorf("%q, written again: %v", payload, err)
		}
	})
}
