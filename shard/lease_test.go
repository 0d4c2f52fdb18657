package shard

import (
	"slices"
	"testing"
)

func TestLeases(t *testing.T) {
	ks := newTest(t, 1)
	k := ks.Key(0, []byte("key"))
	other := ks.Key(1, []byte("key"))
	must := func(ok bool, what string) {
		t.Helper()
		if !ok {
			t.Fatal(what)
		}
	}
	must(!k.Leased(true), "a key is leased before anybody has asked")
	k.Lease(false)
	k.Lease(false)
	must(!k.Leased(false), "a reader waits for readers")
	must(k.Leased(true) && other.Leased(true), "a writer does not wait for a reader")
	var order []int
	for i := range 3 {
		k.Await(func() { order = append(order, i) })
	}
	must(k.Awaited(), "nobody waits")
	k.EndLease(false)
	must(len(order) == 0, "one of two leases has ended, and somebody was called")
	k.EndLease(false)
	must(slices.Equal(order, []int{0, 1, 2}), "those who wait were not called in their order")
	must(!k.Leased(true) && !k.DB.Shard().AwaitAny(func() {}), "the lease has not ended")
	k.Lease(true)
	must(k.Leased(false), "a reader does not wait for a writer")
	called := false
	must(k.DB.Shard().AwaitAny(func() { called = true }), "there is a lease")
	k.EndLease(true)
	must(called, "who awaited any lease was not called")
}

func TestLeasedKeyDoesNotExpire(t *testing.T) {
	ks := newTest(t, 1)
	k := ks.Key(0, []byte("key"))
	s := k.DB.Shard()
	k.DB.SetText(&k, []byte("v"), SetMode{ExpireMS: testStartMS + 500})
	k.Lease(false)
	s.setNow(testStartMS + 1000)
	for range 100 {
		s.Expire(100)
	}
	if k.DB.Find(&k).Exists() || k.DB.Len() != 1 {
		t.Fatalf("a leased key that has expired must be hidden and kept; the database has %d keys", k.DB.Len())
	}
	k.EndLease(false)
	for ms := int64(testStartMS + 1001); k.DB.Len() > 0; ms++ {
		if ms > testStartMS+5000 {
			t.Fatal("the key was not deleted after its lease")
		}
		s.setNow(ms)
		s.Expire(100)
	}
}
