package disk

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// System is a file system. Its methods are those of package os, whose errors they return, and may be called from any goroutine.
type System interface {
	OpenFile(path string, flag int, perm fs.FileMode) (File, error) // for writing, with os.O_TRUNC or os.O_APPEND
	Truncate(path string, size int64) error
	Rename(from, to string) error
	Remove(path string) error
	Mkdir(path string, perm fs.FileMode) error
	SyncDir(path string) error // makes the names in a folder durable
}

// File is a file to write. One goroutine writes it.
type File interface {
	io.WriteCloser
	Sync() error // makes what has been written durable; the file's times may be lost
}

// OS is the system of the machine.
type OS struct{}

// OpenFile is os.OpenFile.
func (OS) OpenFile(path string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err
	}
	return file{f}, nil
}

// Truncate is os.Truncate, and makes the new length durable.
func (OS) Truncate(path string, size int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		return err
	}
	return f.Sync()
}

// Rename is os.Rename.
func (OS) Rename(from, to string) error { return os.Rename(from, to) }

// Remove is os.Remove.
func (OS) Remove(path string) error { return os.Remove(path) }

// Mkdir is os.Mkdir.
func (OS) Mkdir(path string, perm fs.FileMode) error { return os.Mkdir(path, perm) }

// SyncDir opens the folder and syncs it.
func (OS) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// MakeDir makes a folder whose parent exists, durably, unless it is there.
func MakeDir(s System, path string, perm fs.FileMode) error {
	err := s.Mkdir(path, perm)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return s.SyncDir(filepath.Dir(path))
}
