package load

import (
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// portable is the engine on package net: a goroutine per connection, one batch in flight on each.
type portable struct {
	conns []*netWorker
}

func newPortable(o *Options) (engine, error) {
	e := &portable{}
	for range o.Conns {
		conn, err := o.dial()
		if err != nil {
			e.close()
			return nil, err
		}
		e.conns = append(e.conns, &netWorker{options: o, conn: conn, buf: make([]byte, 64<<10)})
	}
	return e, nil
}

func (e *portable) workers() []worker {
	list := make([]worker, len(e.conns))
	for i, c := range e.conns {
		list[i] = c
	}
	return list
}

func (e *portable) close() {
	for _, c := range e.conns {
		if c.conn != nil {
			c.conn.Close()
		}
	}
}

// netWorker drives one connection.
type netWorker struct {
	tally
	options *Options
	conn    net.Conn // nil: to be dialled for the next batch
	session session
	batches *batcher
	buf     []byte
}

func (w *netWorker) counts() *tally { return &w.tally }

func (w *netWorker) run(p *pass, index int) error {
	w.batches = newBatcher(p.workload, workerSeed(p.workload.Seed, index))
	if p.interval > 0 {
		return w.openLoop(p, index)
	}
	for {
		now := p.now()
		first, n := p.take(now)
		if n == 0 {
			return nil
		}
		if err := w.exchange(first, n, p.now()); err != nil {
			return err
		}
	}
}

func (w *netWorker) openLoop(p *pass, index int) error {
	s := p.schedule(index)
	for {
		at, ok := s.due()
		if !ok {
			return nil
		}
		if wait := at - p.now(); wait > 0 {
			// In slices, so that an abort is seen soon.
			time.Sleep(min(time.Duration(wait), 100*time.Millisecond))
			continue
		}
		first, n := s.take()
		w.sentLate(p.now()-at, n)
		if err := w.exchange(first, n, at); err != nil {
			return err
		}
	}
}

// exchange sends one batch and reads all its replies.
func (w *netWorker) exchange(first int64, n int, since int64) error {
	if w.conn == nil {
		conn, err := w.options.dial()
		if err != nil {
			return err
		}
		w.conn = conn
	}
	w.session.flights.push(flight{since: since, left: int32(n * w.pass.workload.Replies)})
	sent := make(chan error, 1)
	wire := w.batches.fill(first, n)
	w.conn.SetDeadline(time.Now().Add(w.options.Timeout))
	if len(wire) > 64<<10 {
		// A server that answers while it reads must find a reader, or both sides block.
		go func() { _, err := w.conn.Write(wire); sent <- err }()
	} else {
		_, err := w.conn.Write(wire)
		sent <- err
	}
	if err := w.collect(); err != nil {
		return err
	}
	if err := <-sent; err != nil {
		return err
	}
	if w.options.Reconnect {
		w.conn.Close()
		w.conn = nil
	}
	return nil
}

func (w *netWorker) collect() error {
	kept := 0
	for w.session.flights.len() > 0 {
		n, err := w.conn.Read(w.buf[kept:])
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return errStalled(w.options.Timeout)
			}
			return fmt.Errorf("reading replies: %w", err)
		}
		rest, err := w.receive(&w.session, w.buf[:kept+n], w.pass.now())
		if err != nil {
			return err
		}
		if kept = copy(w.buf, rest); kept == len(w.buf) {
			return errLongLine
		}
	}
	return nil
}

var errLongLine = errors.New("the server sent a line that does not end")

func errStalled(timeout time.Duration) error {
	return fmt.Errorf("no reply for %v although some are due", timeout)
}

// workerSeed gives each worker its own sequence.
func workerSeed(seed uint64, index int) uint64 {
	r := random(seed + uint64(index)*0x9e3779b97f4a7c15)
	return r.uint64()
}
