//go:build !linux

package load

import (
	"net"
	"sync"
)

// start reads each connection in a goroutine.
func (a *Audience) start(o *Options) error {
	var conns []net.Conn
	hangUp := func() {
		for _, c := range conns {
			c.Close()
		}
	}
	for range o.Conns {
		conn, err := o.dial()
		if err != nil {
			hangUp()
			return err
		}
		conns = append(conns, conn)
	}
	var running sync.WaitGroup
	for _, conn := range conns {
		running.Go(func() { a.listen(conn) })
	}
	a.close = sync.OnceFunc(func() {
		hangUp()
		running.Wait()
	})
	return nil
}

func (a *Audience) listen(conn net.Conn) {
	var l listener
	buf := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buf)
		messages, ok := l.take(buf[:n])
		a.heard.Add(int64(messages))
		if err != nil || !ok {
			a.fail(errNotSubscribed)
			return
		}
	}
}
