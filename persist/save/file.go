package save

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/shoaldb/shoal/persist/rdb"
)

const (
	syncBytes  = 4 << 20 // between two syncs of a file that is synced piece by piece
	mostKept   = 1 << 20 // memory for strings that is kept from one to the next, bytes
	mostPacked = 4 << 20 // longest string that is compressed, bytes
)

// file is the file that is being written.
type file struct {
	o        *Options
	f        *os.File
	made     bool // there is a file named Temp
	crc      uint64
	written  int64
	unsynced int64
	scratch  []byte
}

// Error says what could not be done with a file: open, write, fsync, close or rename it.
type Error struct {
	Op  string
	Err error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Op, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

func (w *file) open() error {
	f, err := os.OpenFile(w.o.Temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return &Error{"open", err}
	}
	w.f, w.made = f, true
	return nil
}

func (w *file) write(b []byte) error {
	if w.o.Checksum {
		w.crc = rdb.Checksum(w.crc, b)
	}
	n, err := w.f.Write(b)
	w.written += int64(n)
	if err != nil {
		return &Error{"write", err}
	}
	if w.unsynced += int64(n); w.o.SyncPieces && w.unsynced >= syncBytes {
		w.unsynced = 0
		if err := w.f.Sync(); err != nil {
			return &Error{"fsync", err}
		}
	}
	return nil
}

// piece writes p.
func (w *file) piece(p *piece) error {
	if err := w.write(p.buf); err != nil || p.text == nil {
		return err
	}
	if len(p.text) > mostPacked || !w.o.Compress {
		if err := w.write(rdb.AppendLen(w.scratch[:0], uint64(len(p.text)))); err != nil {
			return err
		}
		return w.write(p.text)
	}
	w.scratch = rdb.AppendString(w.scratch[:0], p.text, true)
	err := w.write(w.scratch)
	if cap(w.scratch) > mostKept {
		w.scratch = nil
	}
	return err
}

// finish writes the end of the file, syncs it and gives it its name.
func (w *file) finish() error {
	if err := w.write(rdb.AppendEOF(nil)); err != nil {
		return err
	}
	crc := w.crc // 0 without checksums
	if err := w.write(rdb.AppendChecksum(nil, crc)); err != nil {
		return err
	}
	if err := w.f.Sync(); err != nil {
		return &Error{"fsync", err}
	}
	if err := w.f.Close(); err != nil {
		return &Error{"close", err}
	}
	w.f = nil
	if err := os.Rename(w.o.Temp, w.o.Name); err != nil {
		return &Error{"rename", err}
	}
	w.made = false
	return syncFolder(w.o.Name)
}

// syncFolder makes the new name of a file durable.
func syncFolder(name string) error {
	d, err := os.Open(filepath.Dir(name))
	if err != nil {
		return &Error{"fsync", err}
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return &Error{"fsync", err}
	}
	return nil
}

// abandon removes what has been written, unless it is finished.
func (w *file) abandon() {
	if w.f != nil {
		w.f.Close()
	}
	if w.made {
		os.Remove(w.o.Temp)
	}
}
