package command

import (
	"crypto/subtle"
	"encoding/binary"

	"github.com/valyala/bytebufferpool"

	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// bitOperation combines dst with src, of the same length, into dst.
type bitOperation func(dst, src []byte)

// bitOperationOf returns the operation of argument i; that of NOT is nil.
func (c *Ctx) bitOperationOf(i int) (op bitOperation, ok bool) {
	switch {
	case c.isOption(i, "AND"):
		return andBytes, true
	case c.isOption(i, "OR"):
		return orBytes, true
	case c.isOption(i, "XOR"):
		return xorBytes, true
	case c.isOption(i, "NOT"):
		return nil, true
	}
	c.Error(ErrSyntax)
	return nil, false
}

func bitop(c *Ctx) {
	op, ok := c.bitOperationOf(1)
	if !ok {
		return
	}
	if op == nil && len(c.Args) != 4 {
		c.Error(ErrBitOpNot)
		return
	}
	var room [16][]byte
	sources, longest, ok := c.bitopSources(room[:0])
	if !ok {
		return
	}
	if c.Long(longest / bytesPerElement * len(sources)) {
		return
	}
	dest := &c.Keys[0]
	switch {
	case longest == 0:
		if dest.DB.Delete(dest) {
			c.Changed(1)
			c.Notify(NotifyGeneric, "del", dest.Name)
		}
	case !c.storeBitop(dest, op, sources, longest):
		c.Error(ErrNoMemory)
		return
	default:
		c.Changed(1)
		c.Notify(NotifyString, "set", dest.Name)
	}
	c.Reply.Int(int64(longest))
}

// bitopSources appends the values of the keys after the first one to dst, a missing one as empty.
func (c *Ctx) bitopSources(dst [][]byte) (sources [][]byte, longest int, ok bool) {
	for i := 1; i < len(c.Keys); i++ {
		k := &c.Keys[i]
		e := c.lookup(k)
		var v []byte
		if e.Exists() {
			if !c.isString(e) {
				return nil, 0, false
			}
			var scratch []byte
			if e.Encoding() == types.Int {
				scratch = make([]byte, 20)
			}
			v = k.DB.Bytes(e, scratch)
		}
		dst = append(dst, v)
		longest = max(longest, len(v))
	}
	return dst, longest, true
}

// storeBitop sets dest to the combination of sources, which has n bytes. It reports false if there is no memory.
func (c *Ctx) storeBitop(dest *shard.Key, op bitOperation, sources [][]byte, n int) bool {
	c.notifyNew(dest)
	if n >= shard.LargeMin {
		l := c.KS.NewLarge(n)
		if l == nil {
			return false
		}
		c.combine(l.Bytes(), op, sources)
		return dest.DB.SetLarge(dest, l, shard.SetMode{})
	}
	buf := bytebufferpool.Get()
	if cap(buf.B) < n {
		buf.B = make([]byte, n)
	}
	c.combine(buf.B[:n], op, sources)
	ok := dest.DB.SetRaw(dest, buf.B[:n], shard.SetMode{})
	bytebufferpool.Put(buf)
	return ok
}

// combineStep is how much of the result is computed at a time, so that it stays in the first-level cache, in bytes.
const combineStep = 8 << 10

// combine writes the combination of sources to dst. Shorter sources count as followed by zeros.
func (c *Ctx) combine(dst []byte, op bitOperation, sources [][]byte) {
	for at := 0; at < len(dst); at += combineStep {
		c.Pause(combineStep / bytesPerElement * len(sources))
		end := min(at+combineStep, len(dst))
		out := dst[at:end]
		if op == nil {
			notBytes(out, sources[0][at:end])
			continue
		}
		clear(out[copy(out, part(sources[0], at, end)):])
		for _, s := range sources[1:] {
			p := part(s, at, end)
			op(out[:len(p)], p)
			if rest := out[len(p):]; len(rest) > 0 {
				op(rest, zeros[:len(rest)])
			}
		}
	}
}

var zeros [combineStep]byte

// part returns bytes [from, to) of b, as far as it has them.
func part(b []byte, from, to int) []byte {
	return b[min(from, len(b)):min(to, len(b))]
}

func andBytes(dst, src []byte) {
	for len(dst) >= 32 && len(src) >= 32 {
		le := binary.LittleEndian
		le.PutUint64(dst, le.Uint64(dst)&le.Uint64(src))
		le.PutUint64(dst[8:], le.Uint64(dst[8:])&le.Uint64(src[8:]))
		le.PutUint64(dst[16:], le.Uint64(dst[16:])&le.Uint64(src[16:]))
		le.PutUint64(dst[24:], le.Uint64(dst[24:])&le.Uint64(src[24:]))
		dst, src = dst[32:], src[32:]
	}
	for i, b := range src {
		dst[i] &= b
	}
}

func orBytes(dst, src []byte) {
	for len(dst) >= 32 && len(src) >= 32 {
		le := binary.LittleEndian
		le.PutUint64(dst, le.Uint64(dst)|le.Uint64(src))
		le.PutUint64(dst[8:], le.Uint64(dst[8:])|le.Uint64(src[8:]))
		le.PutUint64(dst[16:], le.Uint64(dst[16:])|le.Uint64(src[16:]))
		le.PutUint64(dst[24:], le.Uint64(dst[24:])|le.Uint64(src[24:]))
		dst, src = dst[32:], src[32:]
	}
	for i, b := range src {
		dst[i] |= b
	}
}

func xorBytes(dst, src []byte) { subtle.XORBytes(dst, dst, src) }

func notBytes(dst, src []byte) {
	for len(dst) >= 32 && len(src) >= 32 {
		le := binary.LittleEndian
		le.PutUint64(dst, ^le.Uint64(src))
		le.PutUint64(dst[8:], ^le.Uint64(src[8:]))
		le.PutUint64(dst[16:], ^le.Uint64(src[16:]))
		le.PutUint64(dst[24:], ^le.Uint64(src[24:]))
		dst, src = dst[32:], src[32:]
	}
	for i, b := range src {
		dst[i] = ^b
	}
}
