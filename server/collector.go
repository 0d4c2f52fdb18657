package server

import (
	"runtime/debug"
	"runtime/metrics"
)

// Scripts make garbage: strings and tables. The Go heap beside it is small, as all data lies outside, so that the
// garbage collector would run every few MiB of it, hundreds of times a second. Once there are scripts it is told to
// wait until the heap has at least collectedBytes of room to grow, by setting GOGC to what that is of the live heap.
// (Token bucket: 1.7 times cheaper.)

// collectedBytes is how much garbage is let pile up at least.
const collectedBytes = 64 << 20

// collector adapts the garbage collector. It belongs to the first reactor.
type collector struct {
	percent int // that is set; 0: Go's own
	sample  [1]metrics.Sample
}

// pace sets the percentage anew if the heap has changed much. used tells that there have been scripts.
func (c *collector) pace(used bool) {
	if !used {
		return
	}
	c.sample[0].Name = "/gc/heap/live:bytes"
	metrics.Read(c.sample[:])
	live := max(int(c.sample[0].Value.Uint64()), 1<<20)
	percent := max(100, collectedBytes/(live/100))
	if percent > c.percent*5/4 || percent < c.percent*4/5 {
		c.percent = percent
		debug.SetGCPercent(percent)
	}
}
