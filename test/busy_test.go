package test

import (
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// TestBusy: whoever needs a key of a script that does not end is told so, and not kept waiting.
func TestBusy(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, "--busy-reply-threshold", "100")
		c, other := srv.Dial(t), srv.Dial(t)
		for round, words := range [][]string{
			{"INCR", "k"},
			{"EXEC"},
			{"EVAL", "return redis.call('INCR', KEYS[1])", "1", "k"},
			{"EVAL", "return redis.call('INCR', 'k')", "0"},
			{"FLUSHALL"},
		} {
			script := srv.Dial(t)
			inside := words[0] == "EXEC"
			if inside {
				c.Do("MULTI")
				c.Do("INCR", "k")
				c.Do("INCR", "never")
			}
			script.Send("EVAL", "while true do end", "1", "k")
			// Of commands that come before the script is slow, some are answered, others wait until it is.
			oracle.WaitFor(t, strings.Join(words, " "), func() bool {
				if inside {
					return strings.HasPrefix(other.Do("SET", "k", "1"), "-BUSY ")
				}
				return strings.HasPrefix(c.Do(words...), "-BUSY ")
			})
			if inside {
				if got := c.Do("EXEC"); !strings.HasPrefix(got, "-EXECABORT Transaction discarded because of: BUSY ") {
					t.Errorf("EXEC: %q", got)
				}
			}
			if got := c.Do("SCRIPT", "KILL"); got != "+OK\r\n" {
				t.Errorf("round %d: SCRIPT KILL: %q", round, got)
			}
			if got := script.Reply(); !strings.Contains(got, "Script killed by user with SCRIPT KILL") {
				t.Errorf("the script ended with %q", got)
			}
			if got := c.Do("EXISTS", "never"); got != ":0\r\n" {
				t.Errorf("the transaction ran: %q", got)
			}
		}
	})
}
