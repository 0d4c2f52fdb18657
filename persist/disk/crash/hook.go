package crash

import (
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/shoaldb/shoal/persist/disk"
)

// Hook is a disk.System that asks before each step.
type Hook struct {
	// Before is told the step and the path that it is about. It may return an error, which is that of the step, take
	// its time, or end the process. half makes half of a write; it is nil for other steps. Any goroutine may call it.
	Before func(step Step, path string, half func()) error
}

// Step is a sort of steps.
type Step int

const (
	Open Step = iota
	Write
	Sync
	Truncate
	Rename
	Remove
	Mkdir
	SyncDir
)

var _ disk.System = Hook{}

// Killer returns a System that kills the process before its step number at, counted from 1, or in the middle of it if
// that is a write.
func Killer(at int) Hook {
	var steps atomic.Int64
	return Hook{func(_ Step, _ string, half func()) error {
		if n := steps.Add(1); n < int64(at) || at <= 0 {
			return nil
		} else if n == int64(at) {
			if half != nil {
				half()
			}
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // a process may always kill itself
		}
		select {}
	}}
}

// OpenFile is a step.
func (h Hook) OpenFile(path string, flag int, perm fs.FileMode) (disk.File, error) {
	if err := h.Before(Open, path, nil); err != nil {
		return nil, err
	}
	f, err := disk.OS{}.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err
	}
	return &hooked{h, f, path}, nil
}

// Truncate is a step.
func (h Hook) Truncate(path string, size int64) error {
	if err := h.Before(Truncate, path, nil); err != nil {
		return err
	}
	return disk.OS{}.Truncate(path, size)
}

// Rename is a step.
func (h Hook) Rename(from, to string) error {
	if err := h.Before(Rename, to, nil); err != nil {
		return err
	}
	return disk.OS{}.Rename(from, to)
}

// Remove is a step.
func (h Hook) Remove(path string) error {
	if err := h.Before(Remove, path, nil); err != nil {
		return err
	}
	return disk.OS{}.Remove(path)
}

// Mkdir is a step.
func (h Hook) Mkdir(path string, perm fs.FileMode) error {
	if err := h.Before(Mkdir, path, nil); err != nil {
		return err
	}
	return disk.OS{}.Mkdir(path, perm)
}

// SyncDir is a step.
func (h Hook) SyncDir(path string) error {
	if err := h.Before(SyncDir, path, nil); err != nil {
		return err
	}
	return disk.OS{}.SyncDir(path)
}

// hooked is an open file.
type hooked struct {
	h    Hook
	f    disk.File
	path string
}

func (f *hooked) Write(b []byte) (int, error) {
	n := 0
	half := func() { n, _ = f.f.Write(b[:len(b)/2]) }
	if err := f.h.Before(Write, f.path, half); err != nil {
		return n, err
	}
	return f.f.Write(b)
}

func (f *hooked) Sync() error {
	if err := f.h.Before(Sync, f.path, nil); err != nil {
		return err
	}
	return f.f.Sync()
}

func (f *hooked) Close() error { return f.f.Close() }
