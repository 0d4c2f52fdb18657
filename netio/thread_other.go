//go:build !linux

package netio

import (
	"errors"
	"time"
)

// A threadClock would read the CPU time of a thread.
type threadClock struct{}

func (*threadClock) own()                {}
func (*threadClock) read() time.Duration { return 0 }

func pinThread(cpu int) error {
	if cpu < 0 {
		return nil
	}
	return errors.ErrUnsupported
}
