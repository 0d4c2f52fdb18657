package random

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
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

// result is all that a session shows of a server.
type result struct {
	replies  []reply            // to the commands, in their order; fewer if the connection broke
	messages [listeners][]reply // what the listeners were sent
	digest   reply              // of all databases, in the end
}

// run executes the batches on empty databases.
func (t *Target) run(batches []batch, timeout time.Duration) (result, error) {
	c, err := t.open(timeout)
	if err != nil {
		return result{}, err
	}
	defer c.close()
	for _, b := range batches {
		if !c.batch(b) {
			return c.result, nil
		}
	}
	c.listen()
	c.digestAll()
	return c.result, nil
}

// listenerSetups say what each of the listeners subscribes to, of what values.go calls channels. No two patterns of one
// match the same channel, as redis-server then sends two messages in no order. Both hear of the end.
var listenerSetups = [listeners][][]string{
	{{"PSUBSCRIBE", "ch:*"}, {"PSUBSCRIBE", "__key*__:*"}, {"SUBSCRIBE", "ch:a"}, {"SUBSCRIBE", endChannel}},
	{{"HELLO", "3"}, {"SUBSCRIBE", "ch:b"}, {"SUBSCRIBE", "ch:a"}, {"SSUBSCRIBE", "ch:c"}, {"PSUBSCRIBE", "__keyevent@[1-9]__:*"}, {"SUBSCRIBE", endChannel}},
}

const (
	listeners  = 2
	endChannel = "the end"
)

// link is the connections to one target, and what came over them.
type link struct {
	conns   [conns]*oracle.Conn
	listens [listeners]*oracle.Conn
	control *oracle.Conn
	result
}

func (t *Target) open(timeout time.Duration) (*link, error) {
	if t.server == nil || t.server.Ended() {
		server, err := t.Start()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		t.server = server
	}
	l := new(link)
	for _, c := range l.all() {
		var err error
		if *c, err = oracle.Dial(t.server.Address()); err != nil {
			l.close()
			return nil, fmt.Errorf("%s: %w", t.Name, err)
		}
		(*c).Timeout = timeout
	}
	if err := l.setUp(); err != nil {
		l.close()
		return nil, fmt.Errorf("%s: %w", t.Name, err)
	}
	return l, nil
}

// all returns where the connections are.
func (l *link) all() (list []**oracle.Conn) {
	for i := range l.conns {
		list = append(list, &l.conns[i])
	}
	for i := range l.listens {
		list = append(list, &l.listens[i])
	}
	return append(list, &l.control)
}

func (l *link) setUp() error {
	do := func(c *oracle.Conn, args ...string) error {
		if r, err := c.Do(args...); err != nil || r[0] == '-' {
			return fmt.Errorf("%q: %q, %w", args, r, err)
		}
		return nil
	}
	for _, args := range [][]string{{"FLUSHALL"}, {"SCRIPT", "FLUSH"}, {"CONFIG", "SET", "notify-keyspace-events", ""}} {
		if err := do(l.control, args...); err != nil {
			return err
		}
	}
	for i, setup := range listenerSetups {
		for _, args := range setup {
			if err := do(l.listens[i], args...); err != nil {
				return err
			}
		}
	}
	return do(l.conns[resp3Conn], "HELLO", "3")
}

func (l *link) close() {
	for _, c := range l.all() {
		if *c != nil {
			(*c).Close()
		}
	}
}

// listen takes the messages that the listeners were sent.
func (l *link) listen() {
	if _, err := l.control.Do("PUBLISH", endChannel, endChannel); err != nil {
		return // shows in the digest
	}
	for i, c := range l.listens {
		for {
			raw, err := c.Reply()
			if err != nil {
				l.messages[i] = append(l.messages[i], reply{raw, err.Error()})
				break
			}
			l.messages[i] = append(l.messages[i], reply{raw: raw})
			if bytes.Contains(raw, []byte("\r\n"+endChannel+"\r\n$")) {
				break
			}
		}
	}
}

// digestAll asks for the digest of all databases. Keys that have expired count until somebody looks at them, which only
// oldKeys may.
func (l *link) digestAll() {
	for db := range 16 {
		commands := [][]string{{"SELECT", strconv.Itoa(db)}, append([]string{"EXISTS"}, oldKeys...)}
		for _, args := range commands {
			if raw, err := l.control.Do(args...); err != nil {
				l.digest = reply{raw, err.Error()}
				return
			}
		}
	}
	raw, err := l.control.Do("DEBUG", "DIGEST")
	l.digest = reply{raw: raw}
	if err != nil {
		l.digest.fail = err.Error()
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
