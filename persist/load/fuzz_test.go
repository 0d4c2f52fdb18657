package load

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
)

// FuzzLoad loads files that may be anything, whatever their checksums are. What comes of them must be free of faults,
// and when all keys are deleted nothing may be left.
func FuzzLoad(f *testing.F) {
	for _, version := range []int{3, 7, 9, 12} {
		f.Add(file(version, historicValues()))
	}
	for name, v := range historicValues() {
		f.Add(file(7, map[string][]byte{name: v}))
	}
	f.Add(specials())
	ks := shard.New(shard.Options{Shards: 1, Databases: 2, Seed: 7, NowMS: 1}, alloc.NewHeap())
	f.Fuzz(func(t *testing.T, b []byte) {
		o := options()
		o.Workers, o.NoChecksum, o.AllowDup, o.KeepExpired = 1, true, len(b)%2 == 0, len(b)%3 == 0
		if len(b)%5 < 3 {
			o.At, o.largest = bytes.NewReader(b), 1+len(b)%64
		}
		o.Aux = func(name, value []byte) {}
		o.Function = func(code []byte) error { return nil }
		Load(ks, bytes.NewReader(b), o)
		s := ks.Shard(0)
		s.Lock(o.NowMS)
		defer s.Unlock()
		most := 1<<20 + 200*len(b)
		if n := s.Arena().Stats().Allocated; n > most {
			t.Fatalf("%d bytes of a file take %d", len(b), n)
		}
		if err := s.Check(); err != nil {
			t.Fatal(err)
		}
		clear(t, ks, s)
	})
}

// clear deletes all keys of s one by one.
func clear(t *testing.T, ks *shard.Keyspace, s *shard.Shard) {
	for id := range ks.Databases() {
		db := s.DB(id)
		for db.Len() > 0 {
			k := ks.Key(id, bytes.Clone(db.Random()))
			db.Delete(&k)
		}
	}
	for s.Tick(1000) {
	}
	if err := s.Check(); err != nil {
		t.Fatal(err)
	}
}

// specials is a file with a record of every kind.
func specials() []byte {
	out := rdb.AppendHeader(nil, 12)
	out = rdb.AppendInfo(out, &rdb.Info{RedisVersion: "7.0.0", CreatedSec: 1, Replication: true, ReplID: "0123456789012345678901234567890123456789"})
	out = rdb.AppendFunction(out, []byte("#!lua name=lib\nredis.register_function('f', function() end)"), false)
	out = append(append(append(append(append(out, 246), text("lib")...), text("lua")...), 0), text("code")...)
	out = append(out, 247, 0x81, 0x17, 0x8a, 0x3c, 0x5d, 0x20, 0x61, 0x04, 0x01, 2, 2, 1, 5, 5, 1, 'x', 3, 0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	out = rdb.AppendDB(out, 1, 3, 2)
	out = append(out, 244, 0x7F, 0xFF, 3, 2) // of a slot, in cluster mode
	out = rdb.AppendKey(out, []byte("a"), rdb.String, rdb.Attributes{ExpireMS: 4102444800000, IdleSec: 5, Freq: -1}, false)
	out = append(out, text("value")...)
	out = rdb.AppendKey(out, []byte("b"), rdb.String, rdb.Attributes{ExpireMS: 5, IdleSec: -1, Freq: 7}, false)
	out = append(out, text("12")...)
	out = append(out, 253, 0, 0, 0, 0x70)
	out = rdb.AppendKey(out, []byte("c"), rdb.Hash, rdb.Attributes{IdleSec: -1, Freq: -1}, false)
	out = append(out, texts(2, "a", "1")...)
	out = rdb.AppendEOF(out)
	return rdb.AppendChecksum(out, rdb.Checksum(0, out))
}

// TestRecords loads a file with a record of every kind.
func TestRecords(t *testing.T) {
	ks := newKeyspace()
	o := options()
	var seen []string
	o.Aux = func(name, value []byte) { seen = append(seen, fmt.Sprintf("%s=%s", name, value)) }
	o.Function = func(code []byte) error { seen = append(seen, string(code)); return nil }
	o.Module = func(name []byte) { seen = append(seen, "module") }
	b := append(specials(), "rest"...)
	res, err := Load(ks, bytes.NewReader(b), o)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"redis-ver=7.0.0", "redis-bits=64", "ctime=1", "used-mem=0", "repl-stream-db=0",
		"repl-id=0123456789012345678901234567890123456789", "repl-offset=0", "aof-base=0",
		"#!lua name=lib\nredis.register_function('f', function() end)", "#!lua name=lib\ncode", "module"}
	if fmt.Sprintf("%q", seen) != fmt.Sprintf("%q", want) {
		t.Errorf("%q\nwant\n%q", seen, want)
	}
	if res.Keys != 2 || res.Expired != 1 || res.Bytes != int64(len(b)-4) {
		t.Errorf("%+v", res)
	}
	var rest [10]byte
	if n, _ := res.Rest.Read(rest[:]); string(rest[:n]) != "rest" {
		t.Errorf("%q is left", rest[:n])
	}
}
