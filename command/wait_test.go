package command

import (
	"testing"
	"time"

	"github.com/shoaldb/shoal/resp"
)

func TestTimeoutArg(t *testing.T) {
	var got time.Duration
	list := []Spec{
		{Name: "SEC", Arity: 2, Run: func(c *Ctx) {
			if d, ok := c.timeoutArg(1); ok {
				got = d
				c.Reply.OK()
			}
		}},
		{Name: "MS", Arity: 2, Run: func(c *Ctx) {
			if d, ok := c.TimeoutArgMS(1); ok {
				got = d
				c.Reply.OK()
			}
		}},
	}
	c := newTestCtx(t, list)
	f := func(unit, arg string, want time.Duration) {
		t.Helper()
		if reply := c.do(unit, arg); reply != "+OK\r\n" || got != want {
			t.Errorf("%s %s: %q, %v, not %v", unit, arg, reply, got, want)
		}
	}
	f("SEC", "0", 0)
	f("SEC", "1", time.Second)
	f("SEC", "0.001", time.Millisecond)
	f("SEC", "0.0010001", 2*time.Millisecond)
	f("SEC", "1e-10", time.Millisecond)
	f("SEC", "-0.0001", 0)
	f("SEC", "0x10", 16*time.Second)
	f("SEC", "1.5e3", 1500*time.Second)
	f("SEC", "1e12", (1<<63-1)/time.Millisecond*time.Millisecond)
	f("MS", "0", 0)
	f("MS", "1500", 1500*time.Millisecond)
	f("MS", "9000000000000000", (1<<63-1)/time.Millisecond*time.Millisecond)

	bad := func(unit, arg string, want Error) {
		t.Helper()
		if reply := c.do(unit, arg); reply != "-"+string(want)+"\r\n" {
			t.Errorf("%s %q: %q, not %q", unit, arg, reply, want)
		}
	}
	for _, arg := range []string{"", "text", "1s", " 1", "1 ", "nan", "1e5000"} {
		bad("SEC", arg, errTimeoutNotFloat)
	}
	for _, arg := range []string{"-1", "-0.001", "-inf", "-1e300", "inf", "1e300", "0x7FFFFFFFFFFFFFFF"} {
		bad("SEC", arg, ErrTimeoutNegative)
	}
	bad("SEC", "9223372036854774", errTimeoutRange)
	for _, arg := range []string{"", "1.5", "text", "9223372036854775808"} {
		bad("MS", arg, ErrTimeoutInteger)
	}
	bad("MS", "-1", ErrTimeoutNegative)
	bad("MS", "9223372036854775807", errTimeoutRange)
}

// TestWaitWhereItCannot has no Block, as in a transaction.
func TestWaitWhereItCannot(t *testing.T) {
	c := newTestCtx(t, []Spec{{Name: "WAITING", Arity: 1, Run: func(c *Ctx) {
		c.Wait(c.Args, c.Keys, 0, (*resp.Writer).NullArray)
	}}})
	if reply := c.do("WAITING"); reply != "*-1\r\n" {
		t.Errorf("%q", reply)
	}
}
