package resp

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
)

// FuzzParser cuts a stream at random, detaches, releases and takes buffers at
// random, and wants the commands of the stream in one piece.
func FuzzParser(f *testing.F) {
	for i, in := range streams {
		f.Add([]byte(in), uint64(i))
	}
	for i, c := range protocolCases {
		f.Add([]byte(c.in), uint64(i))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		for _, lim := range []*Limits{defaults, unauth, {MaxBulk: 5}} {
			want := parse(lim, string(in))
			var got parsed
			var big countingBuffers
			p := Parser{Big: &big}
			rnd := rand.New(rand.NewPCG(seed, 0))
			fuzzFeed(t, &got, &p, lim, in, rnd)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			if held := p.Buffered() + p.ArgvMem(); held > (1+sliceBytes)*len(in) {
				t.Errorf("%d bytes held of %d", held, len(in))
			}
			p.Close()
			if len(big.out) != 0 {
				t.Errorf("%d large buffers not returned", len(big.out))
			}
		}
	})
}

func fuzzFeed(t *testing.T, out *parsed, p *Parser, lim *Limits, in []byte, rnd *rand.Rand) {
	for len(in) > 0 {
		n := rnd.IntN(min(len(in), 1<<rnd.IntN(12))) + 1
		buf := bytes.Clone(in[:n])
		in = in[n:]
		p.Feed(buf)
		for {
			if rnd.IntN(8) == 0 {
				p.Detach()
				clear(buf)
				if rnd.IntN(2) == 0 {
					break
				}
			}
			args, st, err := p.Next(make([][]byte, 0, rnd.IntN(12)), lim)
			if st == Error {
				out.Err = err.Error()
				return
			}
			if st == NeedMore {
				break
			}
			var cmd []string
			for _, arg := range args {
				cmd = append(cmd, string(arg))
			}
			if n := len(out.Commands); p.SameHead() && (n == 0 || len(out.Commands[n-1]) != len(cmd) || out.Commands[n-1][0] != cmd[0]) {
				t.Errorf("%q has the same head as the command before", cmd)
			}
			out.Commands = append(out.Commands, cmd)
			if rnd.IntN(4) == 0 {
				p.Release()
			}
		}
		clear(buf)
	}
	if !out.drain(p, lim) {
		return
	}
}

// FuzzReply reads replies: whatever ParseReply takes, a ReplyScanner ends at the
// same place, in one piece or many.
func FuzzReply(f *testing.F) {
	for _, r := range replies {
		f.Add([]byte(r.in), uint64(1))
	}
	f.Fuzz(func(t *testing.T, in []byte, seed uint64) {
		v, n, err := ParseReply(in)
		m, ok, scanErr := ScanReply(in)
		if err == nil && (!ok || m != n || scanErr != nil) {
			t.Errorf("parsed %v of %d bytes, scanned %d, %v, %v", v, n, m, ok, scanErr)
		}
		var s ReplyScanner
		rnd := rand.New(rand.NewPCG(seed, 0))
		total, done := 0, false
		for total < len(in) && !done {
			size := rnd.IntN(len(in)-total) + 1
			var used int
			var err error
			used, done, err = s.Scan(in[total : total+size])
			total += used
			if (err != nil) && scanErr == nil {
				t.Fatalf("%v in pieces", err)
			}
			if err != nil {
				return
			}
			if !done && used != size {
				t.Fatalf("took %d of %d bytes", used, size)
			}
		}
		if scanErr == nil && (done != ok || total != m) {
			t.Errorf("in pieces %d, %v; in one %d, %v", total, done, m, ok)
		}
	})
}
