package server

import (
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/server/latency"
	"github.com/shoaldb/shoal/shard"
)

// reactorFigures are what a reactor tells of itself on its own goroutine.
type reactorFigures struct {
	clients     int
	clientBytes int64 // what its clients cost
	maxInput    int   // bytes of the largest query buffer
	maxOutput   int
	userUS      int64 // CPU time of its thread
	systemUS    int64
	callNanos   int64       // that all calls took
	calls       []callStats // if asked for
	evictions   latency.Counts
}

// figures collects a reactor's figures.
func (r *reactor) figures(needs infoNeeds) reactorFigures {
	f := reactorFigures{clients: len(r.list)}
	for _, cl := range r.list {
		f.clientBytes += int64(cl.memory())
		f.maxInput = max(f.maxInput, cl.parser.Buffered())
		f.maxOutput = max(f.maxOutput, cl.conn.OutCap())
	}
	f.userUS, f.systemUS = threadTimes()
	for i := range r.calls {
		f.callNanos += r.calls[i].nanos
	}
	r.evictionWaits.AddTo(&f.evictions)
	if needs&fromCalls != 0 {
		f.calls = r.copyCalls()
	}
	return f
}

func sumFigures(parts []reactorFigures) (all reactorFigures) {
	for i := range parts {
		p := &parts[i]
		all.clients += p.clients
		all.clientBytes += p.clientBytes
		all.maxInput = max(all.maxInput, p.maxInput)
		all.maxOutput = max(all.maxOutput, p.maxOutput)
		all.userUS += p.userUS
		all.systemUS += p.systemUS
		all.callNanos += p.callNanos
		for j, n := range p.evictions {
			all.evictions[j] += n
		}
	}
	return all
}

// census is what all shards tell of themselves, one after the other.
type census struct {
	arena   alloc.Stats // sums
	stats   shard.Stats
	pending int // entries that a flush has left to be freed
	dbs     []dbCensus
}

// dbCensus describes a database.
type dbCensus struct {
	keys, expires    int
	ttlSumMS         int64
	tableBytes       int
	expiryIndexBytes int
}

// census asks each shard. It holds one lock at a time, for a few microseconds.
func (r *reactor) census() census {
	c := census{dbs: make([]dbCensus, r.srv.ks.Databases())}
	r.eachShard(c.add)
	return c
}

func (c *census) add(sh *shard.Shard) {
	a := sh.Arena().Stats()
	c.arena.Allocated += a.Allocated
	c.arena.Tables += a.Tables
	c.arena.Active += a.Active
	c.pending += sh.Pending()
	st := sh.Stats()
	c.stats.Hits += st.Hits
	c.stats.Misses += st.Misses
	c.stats.Expired += st.Expired
	c.stats.Evicted += st.Evicted
	c.stats.FreedLater += st.FreedLater
	c.stats.ExpiredStale += st.ExpiredStale
	for i, n := range st.ExpireLag {
		c.stats.ExpireLag[i] += n
	}
	for i := range c.dbs {
		c.dbs[i].add(sh.DB(i))
	}
}

func (d *dbCensus) add(db *shard.DB) {
	d.keys += db.Len()
	keys, ttlSumMS := db.Expires()
	d.expires += keys
	d.ttlSumMS += ttlSumMS
	table, index := db.Overhead()
	d.tableBytes += table
	d.expiryIndexBytes += index
}

// keys returns the number of keys in all databases.
func (c *census) keys() (n int64) {
	for i := range c.dbs {
		n += int64(c.dbs[i].keys)
	}
	return n
}

// indexBytes returns what the indexes of expiry times take.
func (c *census) indexBytes() (n int64) {
	for i := range c.dbs {
		n += int64(c.dbs[i].expiryIndexBytes)
	}
	return n
}

// lagMS returns the lag in ms that the given part of the expired keys did not exceed: the upper end of a step of the
// histogram.
func lagMS(l *shard.Lag, part float64) int64 {
	total := int64(0)
	for _, n := range l {
		total += n
	}
	if total == 0 {
		return 0
	}
	seen := int64(0)
	for i, n := range l {
		if seen += n; float64(seen) >= part*float64(total) {
			return 1<<i - 1
		}
	}
	return 0
}
