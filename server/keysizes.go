package server

import (
	"fmt"
	"math/bits"
	"strconv"

	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// sizeBins counts values by size: bin 0 those of size 0, bin i those of 2^(i-1) up to what is less than 2^i.
type sizeBins [65]int64

// keySizes are the sizes of a database's values, by type.
type keySizes [types.Stream + 1]sizeBins

// sizedTypes are the types whose sizes INFO keysizes shows, in its order.
var sizedTypes = [...]struct {
	kind types.Type
	name string
}{
	{types.String, "strings_sizes"}, {types.List, "lists_items"}, {types.Set, "sets_items"}, {types.ZSet, "zsets_items"}, {types.Hash, "hashes_items"},
}

// keySizes looks at all values. It holds the lock of one shard at a time, for a few microseconds, so what it finds is
// not of one moment: what is moved meanwhile, or lies in a table that shrinks, may be counted twice.
func (s *Server) keySizes(nowMS int64) []keySizes {
	sizes := make([]keySizes, s.ks.Databases())
	for i := range s.ks.Shards() {
		for j := range sizes {
			sizes[j].add(s.ks.Shard(i), j, nowMS)
		}
	}
	return sizes
}

// add counts the values of a database that are in one shard.
func (k *keySizes) add(sh *shard.Shard, db int, nowMS int64) {
	sh.Lock(nowMS)
	defer sh.Unlock()
	for cursor := uint32(0); sh.DB(db).Len() > 0; {
		if cursor = sh.DB(db).Scan(cursor, k.visit(sh.DB(db))); cursor == 0 {
			return
		}
		sh.Unlock()
		sh.Lock(nowMS)
	}
}

func (k *keySizes) visit(db *shard.DB) func(shard.Entry) {
	return func(e shard.Entry) {
		if n, ok := valueSize(db, e); ok {
			k[e.Type()][bits.Len64(uint64(n))]++
		}
	}
}

// valueSize returns the length of a string, or how many elements a value has. Streams do not count.
func valueSize(db *shard.DB, e shard.Entry) (n int, ok bool) {
	switch e.Type() {
	case types.String:
		return db.StrLen(e), true
	case types.Stream:
		return 0, false
	}
	return db.Elements(e), true
}

func (r *infoReport) keySizes() {
	for db := range r.sizes {
		for _, t := range sizedTypes {
			if line := r.sizes[db][t.kind].String(); line != "" {
				r.str(fmt.Sprintf("db%d_distrib_%s", db, t.name), line)
			}
		}
	}
}

// String writes the bins that are not empty as INFO keysizes does: by the least size in them, 1K being 1024.
func (b *sizeBins) String() string {
	var text []byte
	for i, n := range b {
		if n == 0 {
			continue
		}
		if len(text) > 0 {
			text = append(text, ',')
		}
		text = append(text, binName(i)...)
		text = append(text, '=')
		text = strconv.AppendInt(text, n, 10)
	}
	return string(text)
}

func binName(i int) string {
	if i == 0 {
		return "0"
	}
	exponent := i - 1
	return strconv.Itoa(1<<(exponent%10)) + [...]string{"", "K", "M", "G", "T", "P", "E"}[exponent/10]
}
