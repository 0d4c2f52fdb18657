package server

import (
	"bytes"
	"sync"
)

// errorStats counts error replies by their code, for INFO errorstats.
type errorStats struct {
	mu     sync.Mutex
	counts map[string]int64
	total  int64
}

// maxErrorCodes bounds the map: a client can cause codes of its own by scripts.
const maxErrorCodes = 128

// count notes the error reply that begins reply.
func (e *errorStats) count(reply []byte) {
	if len(reply) == 0 {
		return
	}
	code := reply[1:]
	if i := bytes.IndexAny(code, " \r"); i >= 0 {
		code = code[:i]
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.total++
	if _, known := e.counts[string(code)]; !known && len(e.counts) >= maxErrorCodes {
		return
	}
	e.counts[string(code)]++
}

// reset forgets everything.
func (e *errorStats) reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.counts, e.total = map[string]int64{}, 0
}
