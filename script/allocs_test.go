//go:build !race

package script

import (
	"testing"

	"github.com/shoaldb/shoal/resp"
)

// TestAllocations holds the token bucket to what it needs.
func TestAllocations(t *testing.T) {
	vm := NewVM(canned{}, false)
	s, err := NewCache(commands).Add("return redis.call('SET', KEYS[1], ARGV[1])", true)
	if err != nil {
		t.Fatal(err)
	}
	keys, args := byteStrings([]string{"k"}), byteStrings([]string{"v"})
	var w resp.Writer
	n := testing.AllocsPerRun(100, func() {
		vm.Run(s, keys, args, false)
		w.Buf = w.Buf[:0]
		vm.Reply(&w, "x")
	})
	if n > 14 {
		t.Errorf("%v allocations", n)
	}
}
