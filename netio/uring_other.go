//go:build !(linux && (amd64 || arm64))

package netio

import "errors"

var errNoURing = errors.New("this system has none")

func probeURing() (string, error) { return "", errNoURing }

func newRingLoop(*Reactor) (backend, error) { return nil, errNoURing }

// connIO is what the engine keeps about a conn.
type connIO struct{ pollIO }

func (o *connIO) sending() bool { return o.writing }
