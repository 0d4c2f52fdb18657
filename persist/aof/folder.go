package aof

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Folder is the place of an append only file.
type Folder struct {
	Dir      string // working directory of the server
	Name     string // of the folder in Dir (appenddirname)
	Filename string // beginning of the files' names (appendfilename)
}

// Path is the path of a file in the folder.
func (f Folder) Path(name string) string { return filepath.Join(f.Dir, f.Name, name) }

func (f Folder) manifestName() string { return f.Filename + ".manifest" }

// Load reads the manifest; it is empty if there is none. A single file of the time before Redis 7 is first made the base of a folder;
// upgraded tells so.
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
	if err := os.Rename(old, f.Path(f.Filename)); err != nil {
		return nil, false, fmt.Errorf("cannot move the old AOF file into %s: %w", f.Name, err)
	}
	return m, true, syncDir(f.Path(""))
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

// Store writes the manifest, in one step: whatever happens, there is the old one or the new one. It makes the folder if needed.
func (f Folder) Store(m *Manifest) error {
	if err := os.MkdirAll(f.Path(""), 0o755); err != nil {
		return fmt.Errorf("cannot open or create append-only dir %s: %w", f.Name, err)
	}
	temp := f.Path("temp-" + f.manifestName())
	if err := writeSynced(temp, []byte(m.String())); err != nil {
		return fmt.Errorf("cannot write the AOF manifest: %w", err)
	}
	if err := os.Rename(temp, f.Path(f.manifestName())); err != nil {
		return fmt.Errorf("cannot replace the AOF manifest: %w", err)
	}
	return syncDir(f.Path(""))
}

// Create makes or empties a file in the folder, for writing.
func (f Folder) Create(name string) (*os.File, error) {
	if err := os.MkdirAll(f.Path(""), 0o755); err != nil {
		return nil, err
	}
	return os.OpenFile(f.Path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o644)
}

// Open opens a file of the folder to append to it.
func (f Folder) Open(name string) (*os.File, error) {
	return os.OpenFile(f.Path(name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
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
		if err := os.Remove(f.Path(h.Name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
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

// Strays are files in the folder that begin like ours but that the manifest does not name: what a crash has left.
func (f Folder) Strays(m *Manifest) []string {
	entries, err := os.ReadDir(f.Path(""))
	if err != nil {
		return nil
	}
	known := slices.Concat(m.Files(), m.History)
	var strays []string
	for _, e := range entries {
		name := e.Name()
		ours, _ := filepath.Match(escapePattern(f.Filename)+".*.aof", name)
		temp := name == f.TempIncrement() || name == "temp-"+f.manifestName()
		named := slices.ContainsFunc(known, func(file File) bool { return file.Name == name })
		if (ours || temp) && !named {
			strays = append(strays, name)
		}
	}
	return strays
}

// escapePattern makes a pattern that matches a name and nothing else.
func escapePattern(name string) string {
	var b []byte
	for i := range len(name) {
		if c := name[i]; c == '*' || c == '?' || c == '[' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, name[i])
	}
	return string(b)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func writeSynced(path string, b []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		return err
	}
	return f.Sync()
}

// syncDir makes the names in a folder durable.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
