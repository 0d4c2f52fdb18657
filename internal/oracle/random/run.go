package random

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// Target is a server to run streams on.
type Target struct {
	Name  string
	Start func() (*oracle.Server, error) // called once, and again when the server has died

	server *oracle.Server
}

// reply is what one command was answered with, or why there is no reply.
type reply struct {
	raw  []byte
	fail string
}

// run executes the batches on empty databases and returns a reply for each command, fewer if the connection broke.
func (t *Target) run(batches []batch, timeout time.Duration) ([]reply, error) {
	c, err := t.open(timeout)
	if err != nil {
		return nil, err
	}
	defer c.close()
	for _, b := range batches {
		if !c.batch(b) {
			break
		}
	}
	return c.replies, nil
}

// session is the connections to one target, and the replies that came.
type link struct {
	conns   [conns]*oracle.Conn
	replies []reply
}

func (t *Target) open(timeout time.Duration) (*link, error) {
	if t.server == nil || t.server.Ended() {
		server, err := t.Start()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		t.server = server
	}
	var l link
	for i := range l.conns {
		c, err := oracle.Dial(t.server.Address())
		if err != nil {
			l.close()
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		c.Timeout = timeout
		l.conns[i] = c
	}
	for _, setup := range []struct {
		conn int
		args []string
	}{{0, []string{"FLUSHALL"}}, {resp3Conn, []string{"HELLO", "3"}}} {
		if r, err := l.conns[setup.conn].Do(setup.args...); err != nil || r[0] == '-' {
			l.close()
			return nil, fmt.Errorf("%s: %q: %q, %w", t.Name, setup.args, r, err)
		}
	}
	return &l, nil
}

func (l *link) close() {
	for _, c := range l.conns {
		if c != nil {
			c.Close()
		}
	}
}

// batch sends a batch in pieces and reads its replies. It returns false if the connection broke.
func (l *link) batch(b batch) bool {
	c := l.conns[b.conn]
	var out []byte
	commands := 0
	for _, op := range b.ops {
		out = op.append(out)
		commands += len(op.Commands)
	}
	sent := make(chan error, 1)
	go func() { sent <- sendInPieces(c, out, b.cuts) }()
	ok := true
	for range commands {
		raw, err := c.Reply()
		if err != nil {
			l.replies = append(l.replies, reply{raw, err.Error()})
			ok = false
			break
		}
		l.replies = append(l.replies, reply{raw: raw})
	}
	if !ok {
		c.Close()
	}
	if err := <-sent; err != nil {
		ok = false
	}
	return ok
}

// sendInPieces writes b cut at up to three places.
func sendInPieces(c *oracle.Conn, b []byte, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 0))
	for range r.IntN(4) {
		n := r.IntN(len(b))
		if err := c.SendRaw(b[:n]); err != nil {
			return err
		}
		if b = b[n:]; len(b) == 0 {
			return nil
		}
	}
	return c.SendRaw(b)
}
