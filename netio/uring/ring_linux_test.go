//go:build linux && (amd64 || arm64)

package uring

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// onRing runs f with a ring on a thread of its own, or not at all where io_uring is not to be had. In CI a kernel that
// has it must let us use it.
func onRing(t testing.TB, entries uint32, f func(r *Ring)) {
	t.Helper()
	if _, err := Probe(); err != nil {
		if _, e := os.Stat("/proc/sys/kernel/io_uring_disabled"); e == nil && os.Getenv("CI") == "true" {
			t.Fatalf("this kernel has io_uring, but it cannot be used: %v", err)
		}
		t.Logf("not tested here: %v", err)
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		r, err := New(entries)
		if err != nil {
			t.Error(err)
			return
		}
		defer r.Close()
		f(r)
	}()
	<-done
}

// await waits for n completions and takes them.
func await(t testing.TB, r *Ring, n int) []CQE {
	var got []CQE
	for deadline := time.Now().Add(2 * time.Minute); len(got) < n && time.Now().Before(deadline); {
		if r.Completions() == 0 {
			if err := r.Wait(time.Second); err != nil {
				t.Error(err)
				return got
			}
		}
		m := r.Completions()
		for i := range m {
			got = append(got, *r.Completion(i))
		}
		r.Seen(m)
	}
	if len(got) != n {
		t.Errorf("%d completions, want %d", len(got), n)
	}
	return got
}

// TestMoreThanFits queues several times what the rings hold.
func TestMoreThanFits(t *testing.T) {
	onRing(t, 8, func(r *Ring) {
		for i := range uint64(25) {
			r.nop(i)
		}
		for i, c := range await(t, r, 25) {
			if c.UserData != uint64(i) || c.Res != 0 {
				t.Errorf("completion %d: %+v", i, c)
			}
		}
		if n := r.Queued(); n != 0 {
			t.Errorf("%d left in the queue", n)
		}
	})
}

func TestWaitTimesOut(t *testing.T) {
	onRing(t, 8, func(r *Ring) {
		var took time.Duration
		for range 100 { // a signal ends a wait as well
			began := time.Now()
			if err := r.Wait(20 * time.Millisecond); err != nil {
				t.Error(err)
			}
			if took = time.Since(began); took >= 15*time.Millisecond {
				return
			}
		}
		t.Errorf("waited %v", took)
	})
}

// TestBufRing passes each buffer round many times, so that the tail passes slot 0 and wraps at 16 bits, and
// runs out of buffers.
func TestBufRing(t *testing.T) {
	const group, bufs, size = 3, 4, 64
	onRing(t, 16, func(r *Ring) {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer unix.Close(pair[0])
		defer unix.Close(pair[1])
		b, err := r.NewBufRing(group, bufs, size, bufs)
		if err != nil {
			t.Error(err)
			return
		}
		defer b.Close()
		if b.Size() != size {
			t.Errorf("size %d", b.Size())
		}
		const recv = 9
		armed := false
		var want, got []byte
		for i := range 70_000 {
			if !armed {
				r.Recv(FD(pair[0]), group, true, recv)
				armed = true
			}
			message := fmt.Appendf(nil, "message %d;", i)
			if _, err := unix.Write(pair[1], message); err != nil {
				t.Error(err)
				return
			}
			want = append(want[:0], message...)
			got = got[:0]
			for len(got) < len(want) && !t.Failed() {
				for _, c := range await(t, r, 1) {
					if c.Res < 0 {
						t.Errorf("message %d: %v", i, unix.Errno(-c.Res))
						return
					}
					bid, ok := c.Buffer()
					if !ok || int(bid) >= bufs {
						t.Errorf("buffer %d, %v", bid, ok)
						return
					}
					got = append(got, b.Bytes(bid, int(c.Res))...)
					b.Put(bid)
					b.Publish()
					if armed = c.More(); !armed {
						t.Errorf("message %d ended the receive", i)
					}
				}
			}
			if !bytes.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
				return
			}
		}
		// Kept buffers run out: the receive ends with ENOBUFS, after all of them were used.
		if _, err := unix.Write(pair[1], make([]byte, (bufs+1)*size)); err != nil {
			t.Error(err)
			return
		}
		cs := await(t, r, bufs+1)
		if len(cs) != bufs+1 {
			return
		}
		seen := map[uint16]bool{}
		for _, c := range cs[:bufs] {
			bid, _ := c.Buffer()
			seen[bid] = true
		}
		if err := unix.Errno(-cs[bufs].Res); err != unix.ENOBUFS || cs[bufs].More() || len(seen) != bufs {
			t.Errorf("ends with %v after %d buffers", err, len(seen))
		}
		for bid := range seen {
			b.Put(bid)
		}
		b.Publish()
		r.Recv(FD(pair[0]), group, false, recv)
		if cs := await(t, r, 1); len(cs) == 1 && cs[0].Res != size {
			t.Errorf("the receive after that has %d", cs[0].Res)
		}
	})
}

// TestSendAndCancel fills a socket, cancels the send that waits, and reads through fixed files what went before.
func TestSendAndCancel(t *testing.T) {
	onRing(t, 16, func(r *Ring) {
		pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		if err != nil {
			t.Error(err)
			return
		}
		defer unix.Close(pair[0])
		defer unix.Close(pair[1])
		if err := r.RegisterFiles(4); err != nil {
			t.Error(err)
			return
		}
		if err := r.SetFile(2, pair[1]); err != nil {
			t.Error(err)
			return
		}
		msg := new(Msg)
		block := bytes.Repeat([]byte("x"), 100_000)
		sent := 0
		for {
			msg.Reset()
			msg.Add(block[:60_000])
			msg.Add(block[60_000:])
			r.SendMsg(FD(pair[0]), msg, 1)
			if err := r.Poll(false); err != nil {
				t.Error(err)
				return
			}
			if r.Completions() == 0 {
				break
			}
			sent += int(await(t, r, 1)[0].Res)
		}
		r.Cancel(1, 2)
		if cs := await(t, r, 1); len(cs) != 1 || cs[0].UserData != 1 || unix.Errno(-cs[0].Res) != unix.ECANCELED {
			t.Errorf("after the cancellation: %+v", cs)
		}
		r.Cancel(1, 2)
		if cs := await(t, r, 1); len(cs) != 1 || cs[0].UserData != 2 || unix.Errno(-cs[0].Res) != unix.ENOENT {
			t.Errorf("cancelling nothing: %+v", cs)
		}
		in := make([]byte, 1<<16)
		for got := 0; got < sent; {
			r.Read(Fixed(2), in, 3)
			cs := await(t, r, 1)
			if len(cs) != 1 || cs[0].Res <= 0 {
				t.Errorf("reading: %+v", cs)
				return
			}
			got += int(cs[0].Res)
		}
		if err := r.SetFile(2, -1); err != nil {
			t.Error(err)
		}
		r.Read(Fixed(2), in, 4)
		if cs := await(t, r, 1); len(cs) == 1 && unix.Errno(-cs[0].Res) != unix.EBADF {
			t.Errorf("an empty slot: %+v", cs)
		}
	})
}

func TestExplain(t *testing.T) {
	for _, errno := range []unix.Errno{unix.ENOSYS, unix.EPERM, unix.ENOMEM, unix.EINVAL} {
		err := explain(fmt.Errorf("io_uring_setup: %w", errno))
		if !errors.Is(err, errno) || len(err.Error()) <= len(errno.Error())+len("io_uring_setup: ") {
			t.Errorf("%v", err)
		}
	}
}

func BenchmarkNop(b *testing.B) {
	onRing(b, 64, func(r *Ring) {
		b.ReportAllocs()
		for range b.N {
			r.nop(1)
			if err := r.Poll(true); err != nil {
				b.Error(err)
			}
			r.Seen(r.Completions())
		}
	})
}

// nop completes at once.
func (r *Ring) nop(userData uint64) {
	s := r.sqe()
	s.opcode, s.fd, s.userData = opNop, -1, userData
}
