package random

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// Options say what Check runs.
type Options struct {
	Seed     uint64
	Commands int // over all sessions, about
	Targets  []*Target
	Log      func(format string, args ...any)
}

const (
	sessionCommands = 500
	shrinkTime      = 60 * time.Second
	shrinkTimeout   = 5 * time.Second // for one reply while shrinking
)

// Check runs random sessions on all targets and compares their replies with the first target's. It returns a
// description of the first difference, shrunk, or "".
func Check(o Options) (string, error) {
	done := 0
	for number := uint64(0); done < o.Commands; number++ {
		batches := session(o.Seed, number, min(sessionCommands, o.Commands-done))
		done += count(batches)
		d, err := compare(o.Targets, batches, oracle.Deadline)
		if err != nil {
			return "", fmt.Errorf("seed %d, session %d: %w", o.Seed, number, err)
		}
		if d == nil {
			continue
		}
		o.Log("seed %d, session %d: a difference, shrinking: %s", o.Seed, number, d)
		batches, d = shrink(o.Targets, batches, d)
		return fmt.Sprintf("seed %d, session %d: %s\n%s", o.Seed, number, d, describe(batches)), nil
	}
	return "", nil
}

func count(batches []batch) int {
	n := 0
	for _, b := range batches {
		for _, op := range b.ops {
			n += len(op.Commands)
		}
	}
	return n
}

// difference is the first command that two targets answered differently.
type difference struct {
	args        []string
	names       [2]string
	replies     [2]reply
	proto, conn int
}

func (d *difference) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (RESP%d)\n", quoteArgs(d.args), d.proto)
	for i, r := range d.replies {
		text := r.fail
		if text == "" {
			text = oracle.Render(r.raw, d.proto)
		}
		fmt.Fprintf(&b, "  %s: %s\n", d.names[i], strings.ReplaceAll(text, "\n", "\n    "))
	}
	return b.String()
}

// compare runs the batches on all targets at once.
func compare(targets []*Target, batches []batch, timeout time.Duration) (*difference, error) {
	results := make([]result, len(targets))
	errs := make([]error, len(targets))
	var wg sync.WaitGroup
	for i, t := range targets {
		wg.Go(func() { results[i], errs[i] = t.run(batches, timeout) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	for i := range targets[1:] {
		if d := firstDifference(batches, &results[0], &results[i+1]); d != nil {
			d.names = [2]string{targets[0].Name, targets[i+1].Name}
			return d, nil
		}
	}
	return nil, nil
}

func firstDifference(batches []batch, a, b *result) *difference {
	if d := differentReplies(batches, a.replies, b.replies); d != nil {
		return d
	}
	for i := range a.messages {
		for n := range max(len(a.messages[i]), len(b.messages[i])) {
			x, y := messageAt(a.messages[i], n), messageAt(b.messages[i], n)
			if x.fail != y.fail || !bytes.Equal(x.raw, y.raw) {
				return &difference{args: []string{"message", strconv.Itoa(n + 1), "to", "listener", strconv.Itoa(i + 1)}, replies: [2]reply{x, y}, proto: 2 + i}
			}
		}
	}
	if x, y := a.digest, b.digest; x.fail != y.fail || !bytes.Equal(x.raw, y.raw) {
		return &difference{args: []string{"DEBUG", "DIGEST"}, replies: [2]reply{x, y}, proto: 2}
	}
	return nil
}

func messageAt(list []reply, n int) reply {
	if n < len(list) {
		return list[n]
	}
	return reply{fail: "none"}
}

func differentReplies(batches []batch, a, b []reply) *difference {
	i := 0
	var queues [conns]queue
	at := func(r []reply) reply {
		if i < len(r) {
			return r[i]
		}
		return reply{fail: "not executed"}
	}
	for _, bt := range batches {
		for _, op := range bt.ops {
			for _, args := range op.Commands {
				if x, y := at(a), at(b); !queues[bt.conn].equal(args, x, y) {
					proto := 2
					if bt.conn == resp3Conn {
						proto = 3
					}
					return &difference{args: args, replies: [2]reply{x, y}, proto: proto, conn: bt.conn}
				}
				i++
			}
		}
	}
	return nil
}

// describe lists the commands, a line for each, with the connection where it is not the first.
func describe(batches []batch) string {
	var b strings.Builder
	for _, bt := range batches {
		for i, op := range bt.ops {
			for _, args := range op.Commands {
				if bt.conn > 0 {
					fmt.Fprintf(&b, "@%d ", bt.conn+1)
				}
				b.WriteString(quoteArgs(args))
				if op.Inline {
					b.WriteString("   # inline")
				}
				if i > 0 {
					b.WriteString("   # same pipeline")
				}
				b.WriteByte('\n')
			}
		}
	}
	return b.String()
}

func quoteArgs(args []string) string {
	words := make([]string, len(args))
	for i, a := range args {
		words[i] = a
		if q := oracle.Quote(a); a == "" || len(q) != len(a)+2 || strings.ContainsAny(a, " '") {
			words[i] = q
		}
	}
	return strings.Join(words, " ")
}
