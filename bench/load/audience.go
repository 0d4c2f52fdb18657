package load

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"
)

// Audience is connections that are subscribed to a channel and count the messages.
type Audience struct {
	size   int
	heard  atomic.Int64
	failed atomic.Pointer[error]
	close  func()
}

// Listen opens Options.Conns connections and subscribes them.
func Listen(o Options, channel string) (*Audience, error) {
	if o.Network == "" {
		o.Network = "tcp"
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.TLS != nil {
		return nil, errors.New("subscribers cannot use TLS")
	}
	o.subscribe = channel
	a := &Audience{size: o.Conns}
	if err := a.start(&o); err != nil {
		return nil, fmt.Errorf("could not subscribe to %s: %w", channel, err)
	}
	return a, nil
}

// Heard is the number of messages that have arrived, over all connections.
func (a *Audience) Heard() int64 { return a.heard.Load() }

// Size is the number of connections.
func (a *Audience) Size() int { return a.size }

// Await waits until so many messages have arrived.
func (a *Audience) Await(ctx context.Context, messages int64) error {
	begin, seen := time.Now(), a.Heard()
	for a.Heard() < messages {
		if err := a.failed.Load(); err != nil {
			return *err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if now := a.Heard(); now != seen {
			begin, seen = time.Now(), now
		} else if time.Since(begin) > defaultTimeout {
			return fmt.Errorf("%d of %d messages have arrived, and no more in %v", now, messages, defaultTimeout)
		}
		time.Sleep(100 * time.Microsecond)
	}
	return nil
}

// Close closes the connections.
func (a *Audience) Close() { a.close() }

func (a *Audience) fail(err error) { a.failed.CompareAndSwap(nil, &err) }

var errNotSubscribed = errors.New("the server closed the connection of a subscriber, or sent it something that is not RESP")

// listener is one connection.
type listener struct {
	scanner scanner
	carry   []byte
}

// take counts the messages in b, which buf begins with; what is cut short is kept for the next time.
func (l *listener) take(b []byte) (messages int, ok bool) {
	if len(l.carry) > 0 {
		b = append(l.carry, b...)
	}
	messages, used := l.scanner.scan(b)
	if used == malformed {
		return 0, false
	}
	l.carry = append(l.carry[:0], b[used:]...)
	return messages, true
}
