package command

import (
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

func flushall(c *Ctx) {
	wait, ok := c.flushMode()
	if !ok {
		return
	}
	if c.Flushing != nil {
		c.Flushing(c)
	}
	n := 0
	for i := range c.KS.Shards() {
		s := c.KS.Shard(i)
		for db := range c.KS.Databases() {
			n += s.DB(db).Len()
		}
		s.FlushAll()
	}
	c.flushed(n, wait)
}

func flushdb(c *Ctx) {
	wait, ok := c.flushMode()
	if !ok {
		return
	}
	n := 0
	for i := range c.KS.Shards() {
		db := c.KS.Shard(i).DB(c.DB)
		n += db.Len()
		db.Flush()
	}
	c.flushed(n, wait)
}

// flushMode tells whether the client wants to wait until the memory has been given back.
func (c *Ctx) flushMode() (wait, ok bool) {
	switch {
	case len(c.Args) == 1:
		return !c.Env.LazyFlush, true
	case len(c.Args) == 2 && c.isOption(1, "SYNC"):
		return true, true
	case len(c.Args) == 2 && c.isOption(1, "ASYNC"):
		return false, true
	}
	c.Error(ErrSyntax)
	return false, false
}

// flushed replies to a command that has detached n keys. A client that waits is answered when their memory is
// gone; in a transaction, where it cannot wait, at once.
func (c *Ctx) flushed(n int, wait bool) {
	c.Changed(n)
	c.Propagate(c.DB, c.Args...) // also when nothing was there
	if !wait || n == 0 || c.Later == nil {
		c.Reply.OK()
		return
	}
	f := &freeing{ks: c.KS, purgeBytes: c.KS.RetiredBytes()}
	c.Later(c, f.step, (*resp.Writer).OK)
}

// freeing is the work that a waiting client's flush has left, done in steps of less than a millisecond.
type freeing struct {
	ks         *shard.Keyspace
	shard      int // whose detached databases are being freed
	purgeBytes int // to be returned to the operating system
}

const (
	freeBuckets = 64
	freeBytes   = 8 << 20
)

func (f *freeing) step(nowMS int64) (more bool) {
	for ; f.shard < f.ks.Shards(); f.shard++ {
		s := f.ks.Shard(f.shard)
		s.Lock(nowMS)
		left := s.Pending()
		if left > 0 {
			s.Tick(freeBuckets)
		}
		s.Unlock()
		if left > 0 {
			return true
		}
	}
	if f.ks.ReleaseStep(freeBytes) {
		return true
	}
	n := f.ks.Heap().Purge(min(freeBytes, f.purgeBytes))
	f.purgeBytes -= n
	return n > 0 && f.purgeBytes > 0
}

func swapdb(c *Ctx) {
	i, ok := c.intArgOr(1, errFirstDB)
	if !ok {
		return
	}
	j, ok := c.intArgOr(2, errSecondDB)
	if !ok {
		return
	}
	switch {
	case i != int64(int32(i)):
		c.Error(errFirstDB)
	case j != int64(int32(j)):
		c.Error(errSecondDB)
	case min(i, j) < 0 || max(i, j) >= int64(c.Env.Databases):
		c.Error(ErrDBIndex)
	default:
		c.KS.SwapDB(int(i), int(j))
		c.Changed(1)
		c.Reply.OK()
	}
}

const (
	errFirstDB  Error = "ERR invalid first DB index"
	errSecondDB Error = "ERR invalid second DB index"
)
