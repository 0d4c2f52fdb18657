package save

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/shoaldb/shoal/persist/rdb"
)

const (
	outBytes   = 256 << 10 // that are given to the sink at once
	mostPacked = 4 << 20   // longest string that is compressed, bytes
)

// output turns pieces into the bytes of an RDB file.
type output struct {
	o    *Options
	q    *queue
	crc  uint64
	out  []byte
	side *os.File // what has no room in memory while it waits
	used int64    // bytes of side
}

// flush gives what is in out to the sink.
func (w *output) flush() error {
	b := w.out
	w.out = w.out[:0]
	if cap(w.out) > 2*outBytes {
		w.out = nil
	}
	return w.write(b)
}

func (w *output) write(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if w.o.Checksum {
		w.crc = rdb.Checksum(w.crc, b)
	}
	_, err := w.o.Sink.Write(b)
	return err
}

// piece writes p.
func (w *output) piece(p *piece) error {
	if p.spilled > 0 {
		return w.copySide(p)
	}
	if w.out = w.encode(w.out, p); len(w.out) >= outBytes || len(p.long) > mostPacked {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if len(p.long) > mostPacked || len(p.long) > 0 && !w.o.Compress {
		return w.write(p.long)
	}
	return nil
}

// encode appends p's bytes, but for a very long string, of which it appends the length.
func (w *output) encode(dst []byte, p *piece) []byte {
	from := uint32(0)
	for _, t := range p.texts {
		dst = append(dst, p.buf[from:t.from]...)
		dst = rdb.AppendString(dst, p.buf[t.from:t.to], true)
		from = t.to
	}
	dst = append(dst, p.buf[from:]...)
	switch n := len(p.long); {
	case n == 0:
	case n > mostPacked || !w.o.Compress:
		dst = rdb.AppendLen(dst, uint64(n))
	default:
		dst = rdb.AppendString(dst, p.long, true)
	}
	return dst
}

// copySide writes a piece that lies in the side file.
func (w *output) copySide(p *piece) error {
	for from, left := p.from, p.spilled; left > 0; {
		if err := w.flush(); err != nil {
			return err
		}
		n := min(left, outBytes)
		if int64(cap(w.out)) < n {
			w.out = make([]byte, 0, outBytes)
		}
		w.out = w.out[:n]
		if _, err := w.side.ReadAt(w.out, from); err != nil && !errors.Is(err, io.EOF) {
			w.out = w.out[:0]
			return &Error{"read", err}
		}
		from, left = from+n, left-n
	}
	return nil
}

// spill takes the pieces of a lane to the side file. Those that follow each other become one.
func (w *output) spill(l *lane, failed bool) error {
	take := w.takeAside
	if failed {
		take = w.giveUp
	}
	aside, inOrder := w.q.inMemory(l)
	for _, p := range aside {
		if err := take(l, p); err != nil {
			return err
		}
	}
	merged := make([]*piece, 0, len(inOrder)/16+1)
	for _, p := range inOrder {
		if p.at == 0 && p.spilled == 0 {
			l.ready.Add(-p.bytes())
			if err := take(l, p); err != nil {
				return err
			}
		}
		if n := len(merged); n > 0 && p.spilled > 0 && merged[n-1].spilled > 0 && merged[n-1].from+merged[n-1].spilled == p.from {
			merged[n-1].spilled += p.spilled
		} else if p.at > 0 || p.spilled > 0 {
			merged = append(merged, p)
		}
	}
	w.q.merged(l, len(inOrder), merged)
	return nil
}

// giveUp drops a piece.
func (w *output) giveUp(l *lane, p *piece) error {
	was, done := p.bytes(), *p
	*p = piece{}
	w.q.done(l, &done, was)
	return nil
}

// takeAside takes one piece to the side file.
func (w *output) takeAside(l *lane, p *piece) error {
	if w.side == nil {
		f, err := os.CreateTemp(w.o.Dir, "temp-*.side")
		if err != nil {
			return &Error{"open", err}
		}
		w.side = f
		if err := os.Remove(f.Name()); err != nil {
			return &Error{"unlink", fmt.Errorf("the side file: %w", err)}
		}
	}
	if err := w.flush(); err != nil {
		return err
	}
	was := p.bytes()
	w.out = w.encode(w.out, p)
	n, err := w.side.WriteAt(w.out, w.used)
	w.out = w.out[:0]
	if err == nil && len(p.long) > 0 && (len(p.long) > mostPacked || !w.o.Compress) {
		var more int
		more, err = w.side.WriteAt(p.long, w.used+int64(n))
		n += more
	}
	if err != nil {
		return &Error{"write", err}
	}
	done := *p
	*p = piece{spilled: int64(n), from: w.used}
	w.used += int64(n)
	w.q.done(l, &done, was)
	return nil
}

// finish writes the end.
func (w *output) finish() error {
	w.out = rdb.AppendEOF(w.out)
	if err := w.flush(); err != nil {
		return err
	}
	if err := w.write(rdb.AppendChecksum(nil, w.crc)); err != nil { // 0 without checksums
		return err
	}
	return w.o.Sink.Commit()
}

func (w *output) close() {
	if w.side != nil {
		w.side.Close()
	}
}
