package command

import (
	"math"
	"time"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

// Waiting is what a command waits for.
type Waiting struct {
	Args    [][]byte      // the command as it is to run again: Args but for what must not change meaning meanwhile
	Keys    []shard.Key   // those of the command's keys that may become ready
	Timeout time.Duration // 0: for ever
	Expired func(w *resp.Writer)
	// Lost is the reply when one of Keys ceases to be what it is: it is deleted, or gets another type. If it is empty, the
	// client goes on waiting.
	Lost Error
}

// Wait makes the client wait until one of keys is ready: comes into being with the type that the command's group works on,
// or is named by Ready. Then the handler runs again, with args, still under the locks of the write that made the key ready. It
// either serves the client or calls Wait again, and then the client keeps its place. Clients that wait for a key are
// served in the order in which they came. After timeout (0: never), or at once where a command cannot wait, as in a
// transaction, expired replies. args are copied. A handler that has called Wait does nothing more.
func (c *Ctx) Wait(args [][]byte, keys []shard.Key, timeout time.Duration, expired func(w *resp.Writer)) {
	c.WaitFor(Waiting{Args: args, Keys: keys, Timeout: timeout, Expired: expired})
}

// WaitFor is Wait with all its options.
func (c *Ctx) WaitFor(w Waiting) {
	if c.Block == nil {
		w.Expired(c.Reply)
		return
	}
	c.Block(c, w)
}

// Tries tells whether a blocking command looks at key i for something to serve its client with. When it has just been
// sent, it tries all keys in their order. When it runs again, it tries only the key that has become ready; others may have been
// written to later in the same transaction, or hold something that is of no use.
func (c *Ctx) Tries(i int) bool { return c.Woken == nil || c.Woken == &c.Keys[i] }

// Ready serves the clients that wait for k, after the command. A value that comes into being needs no such call; one that gets
// more elements does if clients may wait for these, as those of a stream.
func (c *Ctx) Ready(k *shard.Key) { k.DB.NoteReady(k) }

const (
	errTimeoutNotFloat Error = "ERR timeout is not a float or out of range"
	errTimeoutRange    Error = "ERR timeout is out of range"
)

// timeoutArg returns argument i, the time in seconds that a blocking command waits, rounded up to ms. It replies with an
// error to anything else.
func (c *Ctx) timeoutArg(i int) (time.Duration, bool) {
	var x longDouble
	if !x.parse(c.Args[i]) {
		c.Error(errTimeoutNotFloat)
		return 0, false
	}
	sec := math.Ldexp(float64(x.mant), x.exp)
	if x.inf {
		sec = math.Inf(1)
	}
	if x.neg {
		sec = -sec
	}
	switch ms := math.Ceil(sec * 1000); {
	case ms < 0, ms >= math.MaxInt64: // to redis, on amd64, what exceeds 64 bits is negative
		c.Error(ErrTimeoutNegative)
	default:
		return c.timeout(int64(ms))
	}
	return 0, false
}

// TimeoutArgMS is timeoutArg for a time in ms.
func (c *Ctx) TimeoutArgMS(i int) (time.Duration, bool) {
	ms, ok := c.intArgOr(i, ErrTimeoutInteger)
	if !ok {
		return 0, false
	}
	if ms < 0 {
		c.Error(ErrTimeoutNegative)
		return 0, false
	}
	return c.timeout(ms)
}

// timeout checks that the end of a wait of ms can be told. What is too long for a Duration, 292 years, is as good as that.
func (c *Ctx) timeout(ms int64) (time.Duration, bool) {
	if ms > math.MaxInt64-c.NowMS {
		c.Error(errTimeoutRange)
		return 0, false
	}
	return time.Duration(min(ms, math.MaxInt64/int64(time.Millisecond))) * time.Millisecond, true
}
