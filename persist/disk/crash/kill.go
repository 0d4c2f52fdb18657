package crash

import (
	"io/fs"
	"os"
	"sync"
	"syscall"

	"github.com/shoaldb/shoal/persist/disk"
)

// Killer is a disk.System that kills its process before the step number At, or in the middle of it if that is a write.
type Killer struct {
	At int

	mu   sync.Mutex
	step int
}

var _ disk.System = (*Killer)(nil)

// next counts a step, and begins none if it is time: then it runs half, unless that is nil, and does not return.
func (k *Killer) next(half func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.step++; k.step != k.At {
		return
	}
	if half != nil {
		half()
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // a process may always kill itself
	select {}
}

// OpenFile is a step.
func (k *Killer) OpenFile(path string, flag int, perm fs.FileMode) (disk.File, error) {
	k.next(nil)
	f, err := disk.OS{}.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err
	}
	return &mortal{k, f}, nil
}

// Truncate is a step.
func (k *Killer) Truncate(path string, size int64) error {
	k.next(nil)
	return disk.OS{}.Truncate(path, size)
}

// Rename is a step.
func (k *Killer) Rename(from, to string) error {
	k.next(nil)
	return disk.OS{}.Rename(from, to)
}

// Remove is a step.
func (k *Killer) Remove(path string) error {
	k.next(nil)
	return disk.OS{}.Remove(path)
}

// Mkdir is a step.
func (k *Killer) Mkdir(path string, perm fs.FileMode) error {
	k.next(nil)
	return disk.OS{}.Mkdir(path, perm)
}

// SyncDir is a step.
func (k *Killer) SyncDir(path string) error {
	k.next(nil)
	return disk.OS{}.SyncDir(path)
}

// mortal is an open file.
type mortal struct {
	k *Killer
	f disk.File
}

func (f *mortal) Write(b []byte) (int, error) {
	f.k.next(func() { _, _ = f.f.Write(b[:len(b)/2]) })
	return f.f.Write(b)
}

func (f *mortal) Sync() error {
	f.k.next(nil)
	return f.f.Sync()
}

func (f *mortal) Close() error { return f.f.Close() }
