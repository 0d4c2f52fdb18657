package shard

import (
	"reflect"
	"testing"
)

// What commands write together is in one cache line, and no line belongs to two shards.
func TestShardLines(t *testing.T) {
	const line = 64
	shard := reflect.TypeFor[Shard]()
	stats, _ := shard.FieldByName("stats")
	lag, _ := stats.Type.FieldByName("ExpireLag")
	if end := stats.Offset + lag.Offset; end != line {
		t.Errorf("the first line ends %d bytes behind the counters of commands", line-int(end))
	}
	if n := shard.Size(); n%line != 0 {
		t.Errorf("a shard takes %d bytes: change what fills it up, at its end, to a multiple of %d", n, line)
	}
	ks := New(Options{Shards: 64, Databases: 16}, nil)
	for i := range ks.shards {
		if at := reflect.ValueOf(ks.shards[i]).Pointer(); at%line != 0 {
			t.Fatalf("shard %d is at %#x", i, at)
		}
	}
}
