package aof

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/shoaldb/shoal/persist/disk"
)

// Folder is the place of an append only file.
type Folder struct {
	Disk     disk.System
	Dir      string // working directory of the server
	Name     string // of the folder in Dir (appenddirname)
	Filename string // beginning of the files' names (appendfilename)
}

// Path is the path of a file in the folder.
func (f Folder) Path(name string) string { return filepath.Join(f.Dir, f.Name, name) }

func (f Folder) manifestName() string { return f.Filename + ".manifest" }

// Load reads the manifest; it is empty if there is none. A single file of the time before Redis 7 is first made the
// base of a folder; upgraded tells so.
func (f Folder) Load() (m *Manifest, upgraded bool, err error) {
	m, err = f.ReadManifest()
	if err != nil {
		return nil, false, err
	}
	old := filepath.Join(f.Dir, f.Filename)
	if info, err := os.Stat(old); err != nil || !info.Mode().IsRegular() {
		return m, false, nil
	}
	// An upgrade that was cut off between its two steps has left a manifest that names a file which is not there yet.
	cutOff := m.Base != nil && len(m.Increments) == 0 && m.Base.Name == f.Filename && !exists(f.Path(f.Filename))
	if !m.Empty() && !cutOff {
		return m, false, nil
	}
	m = &Manifest{Base: &File{f.Filename, 1, Base}, baseSeq: 1}
	if err := f.Store(m); err != nil {
		return nil, false, err
	}
	if err := f.Disk.Rename(old, f.Path(f.Filename)); err != nil {
		return nil, false, fmt.Errorf("cannot move the old AOF file into %s: %w", f.Name, err)
	}
	return m, true, f.Disk.SyncDir(f.Path(""))
}

// ReadManifest reads the manifest; it is empty if there is none. Unlike Load it changes nothing.
func (f Folder) ReadManifest() (*Manifest, error) {
	in, err := os.Open(f.Path(f.manifestName()))
	if errors.Is(err, fs.ErrNotExist) {
		return &Manifest{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open the AOF manifest: %w", err)
	}
	defer in.Close()
	return ParseManifest(in)
}

// Make makes the folder unless it is there.
func (f Folder) Make() error { return disk.MakeDir(f.Disk, f.Path(""), 0o755) }

// Store writes the manifest, in one step: whatever happens, there is the old one or the new one, and the files that it
// names have their names. It makes the folder if needed.
func (f Folder) Store(m *Manifest) error {
	if err := f.Make(); err != nil {
		return fmt.Errorf("cannot open or create append-only dir %s: %w", f.Name, err)
	}
	temp := f.Path("temp-" + f.manifestName())
	if err := f.writeSynced(temp, []byte(m.String())); err != nil {
		return fmt.Errorf("cannot write the AOF manifest: %w", err)
	}
	if err := f.Disk.SyncDir(f.Path("")); err != nil {
		return fmt.Errorf("cannot sync append-only dir %s: %w", f.Name, err)
	}
	if err := f.Disk.Rename(temp, f.Path(f.manifestName())); err != nil {
		return fmt.Errorf("cannot replace the AOF manifest: %w", err)
	}
	return f.Disk.SyncDir(f.Path(""))
}

// Stored tells whether m is the manifest that is there. Store may have failed when it was.
func (f Folder) Stored(m *Manifest) bool {
	there, err := f.ReadManifest()
	return err == nil && there.String() == m.String()
}

// Restore makes m, which may be empty, the manifest again.
func (f Folder) Restore(m *Manifest) error {
	if !m.Empty() {
		return f.Store(m)
	}
	if err := f.Disk.Remove(f.Path(f.manifestName())); err != nil {
		return err
	}
	return f.Disk.SyncDir(f.Path(""))
}

// Create makes or empties a file in the folder, for writing.
func (f Folder) Create(name string) (disk.File, error) {
	if err := f.Make(); err != nil {
		return nil, err
	}
	return f.Disk.OpenFile(f.Path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o644)
}

// Open opens a file of the folder to append to it.
func (f Folder) Open(name string) (disk.File, error) {
	return f.Disk.OpenFile(f.Path(name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
}

// TempIncrement is the name of an increment that no manifest names yet, as the first rewrite has not ended.
func (f Folder) TempIncrement() string { return "temp-" + f.Filename + ".incr" }

// RemoveHistory deletes the files that a rewrite has replaced and returns the manifest without them, which it has stored, and
// their names. Deleting large files takes long.
func (f Folder) RemoveHistory(m *Manifest) (*Manifest, []string, error) {
	if len(m.History) == 0 {
		return m, nil, nil
	}
	var names []string
	for _, h := range m.History {
		if err := f.Disk.Remove(f.Path(h.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return m, names, err
		}
		names = append(names, h.Name)
	}
	m = m.WithoutHistory()
	return m, names, f.Store(m)
}

// Size is the number of bytes in the base and in all increments. A file that is missing is an error.
func (f Folder) Size(m *Manifest) (total, base int64, err error) {
	for _, file := range m.Files() {
		info, err := os.Stat(f.Path(file.Name))
		if err != nil {
			return 0, 0, err
		}
		total += info.Size()
		if file.Type == Base {
			base = info.Size()
		}
	}
	return total, base, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// writeSynced makes a file that is durable, but for its name.
func (f Folder) writeSynced(path string, b []byte) error {
	out, err := f.Disk.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	if _, err := out.Write(b); err != nil {
		return err
	}
	return out.Sync()
}
