package load

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestFeed(t *testing.T) {
	var mu sync.Mutex
	var got []string
	f := &fake{answer: func(n int64, args []string) string {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, strings.Join(args, " "))
		if args[1] == "17" || args[1] == "18" {
			return "-ERR no " + args[1] + "\r\n"
		}
		return ":1\r\n"
	}}
	f.start(t)
	c, err := DialClient(Options{Address: f.address})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	request := func(dst []byte, i int64) []byte {
		return AppendCommand(dst, "ADD", string(rune('0'+i/10))+string(rune('0'+i%10)))
	}
	if err := c.Feed(7, 3, request); err != nil {
		t.Fatal(err)
	}
	if want := []string{"ADD 00", "ADD 01", "ADD 02", "ADD 03", "ADD 04", "ADD 05", "ADD 06"}; !slices.Equal(got, want) {
		t.Errorf("sent %q", got)
	}
	if err := c.Feed(30, 10, request); err == nil || err.Error() != "ERR no 17" {
		t.Errorf("error %v", err)
	}
	if n := len(got); n != 7+20 {
		t.Errorf("%d commands sent, want no batch after the error", n)
	}
	if reply, err := c.Do("ADD", "ok"); err != nil || reply != int64(1) {
		t.Errorf("then %v, %v", reply, err)
	}
}
