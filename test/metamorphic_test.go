package test

import (
	"fmt"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle/random"
)

// TestMetamorphic sends random command streams to servers of different shapes: all must give the same replies.
func TestMetamorphic(t *testing.T) {
	var targets []*random.Target
	for _, engine := range engines(t) {
		for _, shape := range []struct{ shards, reactors int }{{1, 1}, {4, 2}, {64, 4}} {
			target := shoalTarget(t, "--net-engine", engine, "--shards", fmt.Sprint(shape.shards), "--reactors", fmt.Sprint(shape.reactors))
			target.Name = fmt.Sprintf("%s, %d shards, %d reactors", engine, shape.shards, shape.reactors)
			targets = append(targets, target)
		}
	}
	checkStreams(t, targets...)
}
