package server

import (
	"sync"

	"github.com/shoaldb/shoal/resp"
)

// Messages that are no replies (pub/sub, invalidations of caches) go to a client between two replies. All that is written to a
// client is written by its own reactor; others post.

// push lets f write a message to cl, a client of this reactor. If a command of cl is being answered the message follows
// the reply. f must not keep the writer. CLIENT REPLY OFF does not suppress it.
func (r *reactor) push(cl *Client, f func(w *resp.Writer)) {
	switch {
	case cl.flags&clientClosing != 0:
	case r.answering(cl):
		w := resp.Writer{Buf: cl.pushes, Proto: cl.proto}
		f(&w)
		cl.pushes = w.Buf
		r.checkOutput(cl)
	default:
		w := resp.Writer{Buf: cl.conn.Out(), Proto: cl.proto}
		before := len(w.Buf)
		f(&w)
		r.flow.netOut += int64(len(w.Buf) - before)
		r.flow.writes++
		cl.conn.SetOut(w.Buf)
		r.checkOutput(cl)
	}
}

// answering tells whether a reply to cl is being written, so that what else it is sent has to wait in cl.pushes.
func (r *reactor) answering(cl *Client) bool {
	return cl.flags&clientStreaming != 0 || r.w.Buf != nil && r.ctx.Client == cl
}

// flushPushes writes what has been waiting for the end of the reply to cl, to which the writer is attached.
func (r *reactor) flushPushes(cl *Client) {
	if cl.flags&clientStreaming == 0 {
		r.w.Raw(cl.pushes)
		cl.pushes = nil
	}
}

// shared is a message for several clients. It is encoded once for each version of the protocol that they speak.
type shared struct {
	write   func(w *resp.Writer)
	once    [2]sync.Once
	encoded [2][]byte
}

// newShared returns the message that write writes.
func newShared(write func(w *resp.Writer)) *shared { return &shared{write: write} }

// bytes returns the message in a version of the protocol. Any goroutine may ask.
func (m *shared) bytes(proto uint8) []byte {
	i := 0
	if proto >= 3 {
		i = 1
	}
	m.once[i].Do(func() {
		w := resp.Writer{Proto: proto}
		m.write(&w)
		m.encoded[i] = w.Buf
	})
	return m.encoded[i]
}
