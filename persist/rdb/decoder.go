package rdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/hash"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/lzf"
	"github.com/shoaldb/shoal/types/member"
	"github.com/shoaldb/shoal/types/set"
	"github.com/shoaldb/shoal/types/zset"
)

// Error tells where reading failed.
type Error struct {
	Offset int64 // bytes of the input that had been read
	Err    error
}

func (e *Error) Error() string { return fmt.Sprintf("offset %d: %v", e.Offset, e.Err) }

func (e *Error) Unwrap() error { return e.Err }

// Corrupt is what is wrong with bytes that are not what they should be.
type Corrupt string

func (c Corrupt) Error() string { return string(c) }

// ErrEmpty says that a value has no elements, which Redis once wrote and now skips.
var ErrEmpty = errors.New("empty value")

const (
	windowBytes = 256 << 10 // of the input that are read at once
	keptBytes   = 1 << 20   // buffers that have grown beyond are given up
)

// Decoder reads lengths, strings and values. An error is final.
type Decoder struct {
	// Deep makes Sanitized count, as with sanitize-dump-payload. Everything is checked either way.
	Deep      bool
	Sanitized int // listpacks and intsets read, each as Redis counts it
	// Size is the length of what an io.Reader has to give, or 0: only as many elements as it has room for are believed to come.
	Size int64
	// Pause, unless it is nil, is called while a value is being read, after each n elements. Others may use the arena meanwhile.
	Pause func(n int)
	// Go, unless it is nil, runs f at some time, here or on another goroutine: the nodes of a list or a stream are decompressed and
	// checked there, some ahead of those that are added. It must not wait for anything that the caller of Value holds.
	Go func(f func())

	src  io.Reader // nil: buf is all there is
	buf  []byte    // buf[pos:] is yet to be read
	pos  int
	off  int64 // of buf[0] in the input
	mark int   // buf is kept from here on; -1: from pos
	err  error

	summing bool
	sum     uint64 // checksum of the input up to buf[summed]
	summed  int

	num     [20]byte
	plain   []byte // a string that was compressed
	name    []byte // a field, kept while its value is read
	pack    []byte // a listpack being made
	seen    seen
	unique  listpack.Unique
	members []scored
	names   []byte // of members
	pending []pending
	builder *builder
}

// NewDecoder returns a decoder of all that src has.
func NewDecoder(src io.Reader) *Decoder {
	d := &Decoder{}
	d.Reset(src)
	return d
}

// Reset makes d read from src.
func (d *Decoder) Reset(src io.Reader) {
	d.src, d.buf, d.pos, d.off, d.mark, d.err = src, d.buf[:0], 0, 0, -1, nil
	d.sum, d.summed, d.summing, d.Sanitized = 0, 0, false, 0
}

// ResetBytes makes d read b, of which it copies nothing that need not be.
func (d *Decoder) ResetBytes(b []byte) {
	d.src, d.buf, d.pos, d.off, d.mark, d.err = nil, b, 0, 0, -1, nil
	d.sum, d.summed, d.summing, d.Sanitized = 0, 0, false, 0
}

// Offset returns how many bytes have been read.
func (d *Decoder) Offset() int64 { return d.off + int64(d.pos) }

// Err returns the error, if any: an *Error.
func (d *Decoder) Err() error { return d.err }

func (d *Decoder) fail(err error) { d.failAt(d.Offset(), err) }

func (d *Decoder) failAt(offset int64, err error) {
	if d.err == nil {
		d.err = &Error{Offset: offset, Err: err}
	}
}

func (d *Decoder) corrupt(format string, args ...any) {
	if d.err == nil {
		d.fail(Corrupt(fmt.Sprintf(format, args...)))
	}
}

// take returns the next n bytes, or nil after an error. They are valid until the next call.
func (d *Decoder) take(n int) []byte {
	if n > len(d.buf)-d.pos {
		return d.takeSlow(n)
	}
	b := d.buf[d.pos : d.pos+n]
	d.pos += n
	return b
}

func (d *Decoder) takeSlow(n int) []byte {
	if d.err != nil || !d.fill(n) {
		return nil
	}
	b := d.buf[d.pos : d.pos+n]
	d.pos += n
	return b
}

// fill reads until n bytes are there to be taken.
func (d *Decoder) fill(n int) bool {
	if d.src == nil {
		d.fail(io.ErrUnexpectedEOF)
		return false
	}
	d.drop()
	idle := 0
	for len(d.buf)-d.pos < n {
		if len(d.buf) == cap(d.buf) {
			grown := make([]byte, len(d.buf), max(windowBytes, 2*cap(d.buf)))
			copy(grown, d.buf)
			d.buf = grown
		}
		m, err := d.src.Read(d.buf[len(d.buf):cap(d.buf)])
		d.buf = d.buf[:len(d.buf)+m]
		if m > 0 {
			idle = 0
			continue
		}
		if idle++; err == nil && idle > 100 {
			err = io.ErrNoProgress
		}
		if err == nil {
			continue
		}
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		d.fail(err)
		return false
	}
	return true
}

// drop forgets what has been read, but for what is marked.
func (d *Decoder) drop() {
	keep := d.pos
	if d.mark >= 0 {
		keep = d.mark
	}
	d.addSum(keep)
	rest := d.buf[keep:]
	if cap(d.buf) > keptBytes && len(rest) < windowBytes {
		d.buf = append(make([]byte, 0, windowBytes), rest...)
	} else {
		d.buf = d.buf[:copy(d.buf, rest)]
	}
	d.off += int64(keep)
	d.pos -= keep
	d.summed -= keep
	if d.mark >= 0 {
		d.mark = 0
	}
}

// addSum adds what has been read up to buf[to] to the checksum.
func (d *Decoder) addSum(to int) {
	if to <= d.summed {
		return
	}
	if d.summing {
		d.sum = Checksum(d.sum, d.buf[d.summed:to])
	}
	d.summed = to
}

func (d *Decoder) byte() byte {
	if d.pos < len(d.buf) {
		b := d.buf[d.pos]
		d.pos++
		return b
	}
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *Decoder) uint64() uint64 {
	if b := d.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// ms reads a time.
func (d *Decoder) ms() int64 { return int64(d.uint64()) }

// length reads a length; a string in a special encoding is an error.
func (d *Decoder) length() uint64 {
	b := d.byte()
	if b < len14 {
		return uint64(b)
	}
	return d.lengthSlow(b)
}

// lengthSlow reads a length that begins with b.
func (d *Decoder) lengthSlow(b byte) uint64 {
	switch {
	case b < len14:
		return uint64(b)
	case b < len32:
		return uint64(b&0x3F)<<8 | uint64(d.byte())
	case b == len32:
		if b := d.take(4); b != nil {
			return uint64(binary.BigEndian.Uint32(b))
		}
	case b == len64:
		if b := d.take(8); b != nil {
			return binary.BigEndian.Uint64(b)
		}
	default:
		d.corrupt("unknown length encoding %d", b)
	}
	return 0
}

// size reads a length in bytes.
func (d *Decoder) size(b byte) int {
	n := d.lengthSlow(b)
	if n > math.MaxInt64/2 {
		d.fail(io.ErrUnexpectedEOF) // no input is so long
		return 0
	}
	return int(n)
}

// text reads a string; nil after an error. It is valid until the next call.
func (d *Decoder) text() []byte { return d.textOf(d.byte()) }

// textOf reads a string that begins with b.
func (d *Decoder) textOf(b byte) []byte {
	if b < len14 {
		return d.take(int(b))
	}
	if b < encInt8 {
		n := d.size(b)
		if d.err != nil {
			return nil
		}
		return d.take(n)
	}
	if b == encLZF {
		return d.compressed()
	}
	n := d.integer(b)
	if d.err != nil {
		return nil
	}
	return strconv.AppendInt(d.num[:0], n, 10)
}

// integer reads an integer in the encoding b.
func (d *Decoder) integer(b byte) int64 {
	switch b {
	case encInt8:
		return int64(int8(d.byte()))
	case encInt16:
		if b := d.take(2); b != nil {
			return int64(int16(binary.LittleEndian.Uint16(b)))
		}
	case encInt32:
		if b := d.take(4); b != nil {
			return int64(int32(binary.LittleEndian.Uint32(b)))
		}
	default:
		d.corrupt("unknown string encoding %d", b&0x3F)
	}
	return 0
}

// maxExpansion is how many bytes a compressed one stands for at most.
const maxExpansion = 88

const errCompressed = Corrupt("Invalid LZF compressed string")

func (d *Decoder) compressed() []byte {
	b, size := d.packed()
	if d.err != nil {
		return nil
	}
	d.growPlain(size)
	if lzf.Decompress(d.plain, b) != nil {
		d.fail(errCompressed)
		return nil
	}
	return d.plain
}

// packed reads a compressed string, without its first byte, and returns it with its size before compression.
func (d *Decoder) packed() (b []byte, size int) {
	n := d.size(d.byte())
	size = d.size(d.byte())
	if d.err != nil {
		return nil, 0
	}
	if b = d.take(n); d.err == nil && size/maxExpansion > n {
		d.fail(errCompressed)
	}
	return b, size
}

// growPlain makes plain n bytes long.
func (d *Decoder) growPlain(n int) {
	if cap(d.plain) < n || cap(d.plain) > keptBytes && n < windowBytes {
		d.plain = make([]byte, n, max(n, 512))
	}
	d.plain = d.plain[:n]
}

// blob reads a string, but leaves it compressed if it is. size is that before compression; 0: it is not compressed.
func (d *Decoder) blob() (b []byte, size int) {
	first := d.byte()
	if first != encLZF {
		return d.textOf(first), 0
	}
	if b, size = d.packed(); size == 0 && d.err == nil && len(b) != 0 {
		d.fail(errCompressed)
	}
	return b, size
}

// Text reads a string, as of a key. It is valid until the next call.
func (d *Decoder) Text() ([]byte, error) { return d.text(), d.err }

// Type reads a type.
func (d *Decoder) Type() (Type, error) {
	t := Type(d.byte())
	if d.err == nil && !t.Valid() {
		d.corrupt("unknown type %d", t)
	}
	return t, d.err
}

// Value is a value that was read.
type Value struct {
	Kind types.Type
	Text []byte     // of a string; valid until the decoder's next call
	Root types.Root // of any other; the caller's
}

// Value reads a value of type t into sp. Where lim differs from what the writer had the encoding is changed, as Redis does it at
// load. ErrEmpty, within the error, is not final. After an error nothing is left in sp.
func (d *Decoder) Value(sp *types.Space, lim *types.Limits, t Type) (Value, error) {
	if t == String {
		text := d.text()
		return Value{Kind: types.String, Text: text}, d.err
	}
	b := d.builder
	if b == nil {
		b = &builder{Decoder: d, pausing: d.pause}
		d.builder = b
	}
	b.sp, b.lim = sp, lim
	r := b.value(t)
	if err := d.err; err != nil {
		if errors.Is(err, ErrEmpty) {
			d.err = nil
		}
		return Value{}, err
	}
	return Value{Kind: r.Type, Root: r}, nil
}

// builder builds values.
type builder struct {
	*Decoder
	sp  *types.Space
	lim *types.Limits

	pausing func(n int) // is pause
	sets    set.Builder
	hashes  hash.Builder
	zsets   zset.Builder
	node    node
	idle    []*batch // that can be used again
}

// built fails with an error of a types' Builder, if it is one: twice if an element is there twice.
func (b *builder) built(err error, twice Corrupt) {
	switch {
	case err == member.ErrTwice:
		b.fail(twice)
	case err != nil:
		b.fail(err)
	}
}

func (b *builder) value(t Type) types.Root {
	switch t {
	case List, ListZiplist, ListQuicklist, ListQuicklist2:
		return b.list(t)
	case Set, SetIntset, SetListpack:
		return b.set(t)
	case ZSet, ZSet2, ZSetZiplist, ZSetListpack:
		return b.zset(t)
	case Hash, HashZipmap, HashZiplist, HashListpack, HashTimedPre, HashListpackPre, HashTimed, HashListpackEx:
		return b.hash(t)
	case StreamListpacks, StreamListpacks2, StreamListpacks3:
		return b.stream(t)
	case Module, Module2:
		b.module()
		return types.Root{}
	}
	b.corrupt("unknown type %d", t)
	return types.Root{}
}

// module fails with the name of the module that the value is of.
func (d *Decoder) module() {
	if id := d.length(); d.err == nil {
		d.fail(ModuleError{Name: moduleName(id)})
	}
}

// ModuleError says that a value, or auxiliary data, is of a module's type.
type ModuleError struct{ Name string }

func (e ModuleError) Error() string {
	return fmt.Sprintf("The RDB file contains module data I can't load: no matching module type '%s'", e.Name)
}

// moduleName returns the name in an ID: nine characters of 6 bits, over 10 bits of a version.
func moduleName(id uint64) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	var name [9]byte
	id >>= 10
	for i := len(name) - 1; i >= 0; i-- {
		name[i] = alphabet[id&63]
		id >>= 6
	}
	return string(name[:])
}

// believed returns how many of the n elements that are announced, of so many bytes each or more, can come: for them
// memory is taken ahead.
func (d *Decoder) believed(n uint64, each int) int {
	left := int64(len(d.buf) - d.pos)
	if d.src != nil {
		left = max(left, d.Size-d.Offset())
	}
	return int(min(n, uint64(left)/uint64(each)))
}

// pause is called after each n elements.
func (d *Decoder) pause(n int) {
	if d.Pause != nil {
		d.Pause(n)
	}
}

// Forget makes d let go of what it read from.
func (d *Decoder) Forget() {
	if d.src == nil {
		d.buf = nil
	}
	d.src, d.Size, d.Pause, d.Go, d.err = nil, 0, nil, nil, nil
}

// count counts a listpack or intset for Sanitized.
func (d *Decoder) count() {
	if d.Deep {
		d.Sanitized++
	}
}
