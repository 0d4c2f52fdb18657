package load

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/persist/rdb"
)

// largeOptions are options by which nearly all values of a file are made by builders.
func largeOptions(file []byte) Options {
	o := options()
	o.At, o.largest = bytes.NewReader(file), 8
	return o
}

func TestLargeValues(t *testing.T) {
	f := file(10, historicValues())
	sameDigest(t, f, largeOptions(f))
}

// largeFile is a file of n sets of 300 members.
func largeFile(n int) []byte {
	values := map[string][]byte{}
	for i := range n {
		var members []string
		for j := range 300 {
			members = append(members, fmt.Sprintf("member:%d:%d", i, j))
		}
		values[fmt.Sprint("set:", i)] = typed(rdb.Set, texts(1, members...))
	}
	return file(10, values)
}

// Builders work on the same shards as others, and the progress they tell comes to the end of the file.
func TestBuildersBesideEachOther(t *testing.T) {
	f := largeFile(200)
	for _, workers := range []int{1, 4} {
		o := largeOptions(f)
		o.Workers, o.largest = workers, 5000
		last := int64(-1)
		o.Progress = func(offset, keys int64) { last = max(last, offset) }
		ks := newKeyspace()
		res, err := Load(ks, bytes.NewReader(f), o)
		if err != nil || res.Keys != 200 || res.Bytes != int64(len(f)) {
			t.Fatalf("%d workers: %+v, %v", workers, res, err)
		}
		if last > int64(len(f)) {
			t.Fatalf("the progress was %d bytes of %d", last, len(f))
		}
		for i := range ks.Shards() {
			s := ks.Shard(i)
			s.Lock(o.NowMS)
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			s.Unlock()
		}
	}
}

// Whatever is wrong with a large value is told as it is when the loader itself reads it.
func TestErrorsOfBuilders(t *testing.T) {
	f := largeFile(5)
	wrong := func(name string, f []byte, want any) {
		t.Helper()
		o := largeOptions(f)
		_, o.NoChecksum = want.(*rdb.Corrupt) // the caller may come to the checksum before a builder comes to the fault
		if _, ok := want.(**DuplicateError); ok {
			o.NoChecksum = true
		}
		_, err := Load(newKeyspace(), bytes.NewReader(f), o)
		if err == nil || !errors.As(err, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := 20; n < len(f)-9; n += 997 {
		wrong(fmt.Sprint("of ", n, " bytes"), f[:n], new(*rdb.Error))
	}
	twice := bytes.Clone(f)
	copy(twice[bytes.Index(twice, []byte("member:0:17")):], "member:0:16")
	wrong("a member twice", twice, new(rdb.Corrupt))
	key := bytes.Clone(f)
	copy(key[bytes.Index(key, []byte("set:1")):], "set:2")
	wrong("a key twice", key, new(*DuplicateError))
	sum := bytes.Clone(f)
	sum[bytes.Index(sum, []byte("member:3:3"))] = 'M'
	wrong("another checksum", sum, new(*rdb.ChecksumError))
}

func TestErrorOfBuilderHasItsOffset(t *testing.T) {
	f := file(10, map[string][]byte{"set": typed(rdb.Set, texts(1, "member", "member", strings.Repeat("x", 30)))})
	var at *rdb.Error
	_, err := Load(newKeyspace(), bytes.NewReader(f), largeOptions(f))
	if want := int64(bytes.LastIndex(f, []byte("member")) + len("member")); !errors.As(err, &at) || at.Offset != want {
		t.Errorf("%v, want an error at offset %d", err, want)
	}
}
