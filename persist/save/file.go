package save

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/shoaldb/shoal/persist/disk"
)

const syncBytes = 4 << 20 // between two syncs of a file that is synced piece by piece

// Sink takes the bytes of a snapshot, in order. Its functions are called on one goroutine, which is no reactor's and
// may block: Open, any number of times Write, then Commit when all has been written. Abort follows instead, or after a
// Commit that failed, if the snapshot will not be had; not if Open has failed, after which nothing is called.
type Sink interface {
	Open() error
	Write(b []byte) (n int, err error)
	Commit() error
	Abort()
}

// File is a Sink that writes a file under a temporary name, syncs it and then gives it its name. Its errors are of type *Error.
type File struct {
	Disk       disk.System
	Temp, Name string
	SyncPieces bool // it is synced every 4 MiB (rdb-save-incremental-fsync)

	f        disk.File
	made     bool // there is a file named Temp
	unsynced int64
}

// Error says what could not be done with a file: open, write, fsync, close or rename it.
type Error struct {
	Op  string
	Err error
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %v", e.Op, e.Err) }
func (e *Error) Unwrap() error { return e.Err }

// Open begins the file.
func (w *File) Open() error {
	f, err := w.Disk.OpenFile(w.Temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return &Error{"open", err}
	}
	w.f, w.made = f, true
	return nil
}

// Write appends to the file.
func (w *File) Write(b []byte) (n int, err error) {
	n, err = w.f.Write(b)
	if err != nil {
		return n, &Error{"write", err}
	}
	if w.unsynced += int64(n); w.SyncPieces && w.unsynced >= syncBytes {
		w.unsynced = 0
		if err := w.f.Sync(); err != nil {
			return n, &Error{"fsync", err}
		}
	}
	return n, nil
}

// Commit syncs the file and gives it its name.
func (w *File) Commit() error {
	if err := w.f.Sync(); err != nil {
		return &Error{"fsync", err}
	}
	err := w.f.Close()
	w.f = nil
	if err != nil {
		return &Error{"close", err}
	}
	if err := w.Disk.Rename(w.Temp, w.Name); err != nil {
		return &Error{"rename", err}
	}
	w.made = false
	if err := w.Disk.SyncDir(filepath.Dir(w.Name)); err != nil {
		return &Error{"fsync", err}
	}
	return nil
}

// Abort removes what has been written, unless it has its name.
func (w *File) Abort() {
	if w.f != nil {
		w.f.Close()
	}
	if w.made {
		w.Disk.Remove(w.Temp)
	}
}
