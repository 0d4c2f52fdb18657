package rdb

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
)

// Op is what a record is.
type Op uint8

const (
	OpKey       Op = iota // a key, whose value is to be read next
	OpAux                 // an auxiliary field
	OpFunction            // a library of functions
	OpResize              // how large the database is
	OpModuleAux           // data of a module, which has been skipped
)

// Record is a record of a file. Its slices are valid until the Reader's next call.
type Record struct {
	Op Op
	DB int // of OpKey and OpResize

	Key      []byte
	Type     Type
	ExpireMS int64 // unix ms, positive; 0: the key does not expire
	IdleSec  int64 // since its last access; -1: not told
	Freq     int   // LFU counter; -1: not told

	Name, Text    []byte // of OpAux; the code of OpFunction is Text; a module's name is Name
	Keys, Expires uint64 // of OpResize
}

// Reader reads a file record by record. An error is final, but for ErrEmpty.
type Reader struct {
	d       Decoder
	version int
	db      int
	key     []byte
	waiting bool // the value of rec is yet to be read
	typ     Type

	// NoChecksum says that the checksum at the end is not to be computed, nor compared.
	NoChecksum bool
}

// Refused says why a file is not read at all.
type Refused string

func (r Refused) Error() string { return string(r) }

// ChecksumError says that a file is not what was written.
type ChecksumError struct{ Want, Got uint64 }

func (e *ChecksumError) Error() string {
	return fmt.Sprintf("RDB CRC error: the file says %016x, its contents %016x", e.Want, e.Got)
}

// Open begins the file src and returns its version.
func (r *Reader) Open(src io.Reader) (version int, err error) {
	r.d.Reset(src)
	r.version, r.db, r.waiting = 0, 0, false
	r.d.summing = !r.NoChecksum
	head := r.d.take(len(magic) + 4)
	if r.d.err != nil {
		return 0, r.d.err
	}
	if string(head[:len(magic)]) != magic {
		r.d.fail(Refused("Wrong signature trying to load DB from file"))
		return 0, r.d.err
	}
	for _, c := range head[len(magic):] {
		if c < '0' || c > '9' {
			break
		}
		r.version = r.version*10 + int(c-'0')
	}
	if r.version < 1 || r.version > MaxVersion {
		r.d.fail(Refused(fmt.Sprintf("Can't handle RDB format version %d", r.version)))
	}
	return r.version, r.d.err
}

// Decoder returns what reads the value of a key: by Value, Raw or Skip, with the type that its record tells. Next skips
// a value that was not read.
func (r *Reader) Decoder() *Decoder {
	r.waiting = false
	return &r.d
}

// Offset returns how many bytes have been read.
func (r *Reader) Offset() int64 { return r.d.Offset() }

// Rest returns what stands behind the end of the file, once Next has come to it.
func (r *Reader) Rest() io.Reader {
	return io.MultiReader(bytes.NewReader(r.d.buf[r.d.pos:]), r.d.src)
}

// Next reads the next record. At the end of the file, if that is what it says it is, the error is io.EOF.
func (r *Reader) Next(rec *Record) error {
	d := &r.d
	if r.waiting {
		r.waiting = false
		if err := d.Skip(r.typ); err != nil {
			return err
		}
	}
	*rec = Record{IdleSec: -1, Freq: -1}
	for d.err == nil {
		switch op := d.byte(); {
		case d.err != nil:
		case op == opExpire:
			if b := d.take(4); b != nil {
				rec.ExpireMS = max(1, 1000*int64(int32(binary.LittleEndian.Uint32(b))))
			}
		case op == opExpireMS:
			rec.ExpireMS = max(1, d.ms())
		case op == opIdle:
			rec.IdleSec = int64(min(d.length(), math.MaxInt64))
		case op == opFreq:
			rec.Freq = int(d.byte())
		case op == opSelectDB:
			r.db = int(min(d.length(), math.MaxInt32))
		case op == opSlotInfo:
			for range 3 { // a hint, as that of opResizeDB
				d.length()
			}
		case op == opEOF:
			return r.end()
		case op >= opFunction:
			return r.special(op, rec)
		default:
			return r.keyRecord(Type(op), rec)
		}
	}
	return d.err
}

func (r *Reader) keyRecord(t Type, rec *Record) error {
	d := &r.d
	if !t.Valid() {
		d.corrupt("unknown type %d", t)
		return d.err
	}
	r.key = append(r.key[:0], d.text()...)
	rec.Op, rec.DB, rec.Key, rec.Type = OpKey, r.db, r.key, t
	r.waiting, r.typ = true, t
	return d.err
}

func (r *Reader) special(op byte, rec *Record) error {
	d := &r.d
	switch op {
	case opAux:
		rec.Op = OpAux
		r.key = append(r.key[:0], d.text()...)
		rec.Name, rec.Text = r.key, d.text()
	case opResizeDB:
		rec.Op, rec.DB = OpResize, r.db
		rec.Keys = d.length()
		rec.Expires = d.length()
	case opFunction:
		rec.Op, rec.Text = OpFunction, d.text()
	case opFunctionPre:
		r.oldFunction(rec)
	case opModuleAux:
		r.moduleAux(rec)
	}
	return d.err
}

// oldFunction reads a library as Redis 7.0's release candidates wrote it, and gives it the head that it has today.
func (r *Reader) oldFunction(rec *Record) {
	d := &r.d
	name := bytes.Clone(d.text())
	code := append(append([]byte("#!"), d.text()...), " name="...)
	code = append(append(code, name...), '\n')
	if d.length() != 0 {
		d.text() // a description
	}
	rec.Op, rec.Text = OpFunction, append(code, d.text()...)
}

func (r *Reader) moduleAux(rec *Record) {
	d := &r.d
	id := d.length()
	if op := d.length(); d.err == nil && op != moduleUint {
		d.corrupt("bad when_opcode")
	}
	d.length() // whether it stands before the keys or behind them
	s := skipper{Decoder: d}
	s.module()
	rec.Op, rec.Name = OpModuleAux, []byte(moduleName(id))
}

// end reads the checksum and compares it.
func (r *Reader) end() error {
	d := &r.d
	if r.version < 5 {
		return io.EOF
	}
	d.addSum(d.pos)
	d.summing = false
	got := d.sum
	want := d.uint64()
	if d.err == nil && want != 0 && want != got && !r.NoChecksum {
		d.fail(&ChecksumError{Want: want, Got: got})
	}
	if d.err != nil {
		return d.err
	}
	return io.EOF
}
