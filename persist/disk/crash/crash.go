package crash

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/shoaldb/shoal/persist/disk"
)

// Recorder is a disk.System that works on the files below Root and notes each step.
type Recorder struct {
	Root string // absolute

	mu    sync.Mutex
	base  map[string][]byte // what was there at the beginning, by its path; nil: a folder
	steps []step
	marks []mark
}

var _ disk.System = (*Recorder)(nil)

// mark says that from the step at on the value n was promised to survive.
type mark struct{ at, n int }

// step changes the model of the disk.
type step struct {
	name string
	do   func(*model)
}

// New returns a recorder of what happens below root from now on. What is there is durable.
func New(root string) (*Recorder, error) {
	r := &Recorder{Root: root, base: map[string][]byte{}}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		var content []byte
		if !d.IsDir() {
			if content, err = os.ReadFile(path); content == nil {
				content = []byte{}
			}
		}
		r.base[r.relative(path)] = content
		return err
	})
	return r, err
}

func (r *Recorder) relative(path string) string {
	rel, err := filepath.Rel(r.Root, path)
	if err != nil || strings.HasPrefix(rel, "..") {
		panic("crash: " + path + " is not below " + r.Root)
	}
	return rel
}

// Mark notes that what has been done up to now has to survive: the last image from here on that loses it is wrong.
func (r *Recorder) Mark(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.marks = append(r.marks, mark{len(r.steps), n})
}

// Steps is how many steps there have been.
func (r *Recorder) Steps() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.steps)
}

// did notes a step that succeeded. The caller holds mu, so that the order is that of the real disk.
func (r *Recorder) did(err error, do func(*model), format string, args ...any) error {
	if err == nil {
		r.steps = append(r.steps, step{fmt.Sprintf(format, args...), do})
	}
	return err
}

// OpenFile notes a file that is made or emptied.
func (r *Recorder) OpenFile(path string, flag int, perm fs.FileMode) (disk.File, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, err := disk.OS{}.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err
	}
	rel := r.relative(path)
	id := len(r.steps) // of the open file
	_ = r.did(nil, func(m *model) { m.open(id, rel, flag&os.O_TRUNC != 0) }, "open %s", rel)
	return &recorded{r: r, f: f, id: id, path: rel}, nil
}

// Truncate notes a file that is cut.
func (r *Recorder) Truncate(path string, size int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	rel := r.relative(path)
	return r.did(disk.OS{}.Truncate(path, size), func(m *model) { m.truncate(rel, size) }, "truncate %s", rel)
}

// Rename notes a new name.
func (r *Recorder) Rename(from, to string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	a, b := r.relative(from), r.relative(to)
	return r.did(disk.OS{}.Rename(from, to), func(m *model) { m.rename(a, b) }, "rename %s to %s", a, b)
}

// Remove notes a name that is gone.
func (r *Recorder) Remove(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	rel := r.relative(path)
	return r.did(disk.OS{}.Remove(path), func(m *model) { m.unlink(rel) }, "remove %s", rel)
}

// Mkdir notes a new folder.
func (r *Recorder) Mkdir(path string, perm fs.FileMode) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	rel := r.relative(path)
	return r.did(disk.OS{}.Mkdir(path, perm), func(m *model) { m.link(rel, &node{folder: true}) }, "mkdir %s", rel)
}

// SyncDir notes that the names in a folder are durable.
func (r *Recorder) SyncDir(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	rel := r.relative(path)
	return r.did(disk.OS{}.SyncDir(path), func(m *model) { m.syncDir(rel) }, "sync the folder %s", rel)
}

// recorded is an open file.
type recorded struct {
	r    *Recorder
	f    disk.File
	id   int
	path string
}

func (f *recorded) Write(b []byte) (int, error) {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	n, err := f.f.Write(b)
	kept := slices.Clone(b[:n])
	_ = f.r.did(nil, func(m *model) { m.write(f.id, kept) }, "write %d bytes to %s", n, f.path)
	return n, err
}

func (f *recorded) Sync() error {
	f.r.mu.Lock()
	defer f.r.mu.Unlock()
	return f.r.did(f.f.Sync(), func(m *model) { m.sync(f.id) }, "sync %s", f.path)
}

func (f *recorded) Close() error { return f.f.Close() }

// Image is what a crash may leave.
type Image struct {
	Step  int    // how many steps had been made
	After string // the last of them
	How   string // what became of what was not synced
	Must  int    // the last value that was promised to survive, 0 if none was
	Files map[string][]byte
}

func (i *Image) String() string {
	return fmt.Sprintf("after step %d (%s), %s", i.Step, i.After, i.How)
}

// Names lists the files, with their sizes in bytes.
func (i *Image) Names() []string {
	var all []string
	for _, path := range slices.Sorted(maps.Keys(i.Files)) {
		all = append(all, fmt.Sprintf("%s (%d)", path, len(i.Files[path])))
	}
	return all
}

// WriteTo makes the files below root, which is emptied first.
func (i *Image) WriteTo(root string) error {
	entries, err := os.ReadDir(root)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(root, e.Name())); err != nil {
			return err
		}
	}
	for _, path := range slices.Sorted(maps.Keys(i.Files)) { // a folder comes before what is in it
		content, full := i.Files[path], filepath.Join(root, path)
		if content == nil {
			err = os.Mkdir(full, 0o755)
		} else {
			err = os.WriteFile(full, content, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Images returns what crashes may leave, from before the first step to behind the last. Equal ones with an equal
// promise are returned once.
func (r *Recorder) Images() []Image {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := newModel(r.base)
	seen := map[string]bool{}
	var all []Image
	must, marks := 0, r.marks
	for i := 0; i <= len(r.steps); i++ {
		after := "the beginning"
		if i > 0 {
			r.steps[i-1].do(m)
			after = r.steps[i-1].name
		}
		for len(marks) > 0 && marks[0].at <= i {
			must, marks = max(must, marks[0].n), marks[1:]
		}
		for _, o := range m.outcomes() {
			key := fmt.Sprint(must, fingerprint(o.files))
			if !seen[key] {
				seen[key] = true
				all = append(all, Image{i, after, o.how, must, o.files})
			}
		}
	}
	return all
}

func fingerprint(files map[string][]byte) string {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "%q %t %q\n", path, files[path] == nil, files[path])
	}
	return b.String()
}
