package test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shoaldb/shoal/internal/oracle"
)

// TestFilesExhausted takes the file descriptors away from a running server: clients that are there are served, and new ones
// again as soon as descriptors are free.
func TestFilesExhausted(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		first := srv.Dial(t)
		first.Do("PING")
		var old unix.Rlimit
		if err := unix.Prlimit(srv.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 64, Max: 64}, &old); err != nil {
			t.Fatal(err)
		}
		var waiting []*oracle.Client
		for range 120 {
			c := srv.Dial(t) // the kernel accepts into its backlog
			c.Send("PING")
			waiting = append(waiting, c)
			if got := first.Do("PING"); got != "+PONG\r\n" {
				t.Fatalf("PING: %q", got)
			}
		}
		for _, c := range waiting {
			c.Close()
		}
		oracle.WaitFor(t, "a new client to be served", func() bool {
			c := srv.Dial(t)
			defer c.Close()
			reply, err := c.Conn.Do("PING")
			return err == nil && string(reply) == "+PONG\r\n"
		})
		first.Do("PING")
		if strings.Contains(srv.Log(), "goroutine ") {
			t.Error(tail(srv.Log()))
		}
	})
}
