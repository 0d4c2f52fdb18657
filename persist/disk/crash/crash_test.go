package crash

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// replaceFile replaces root's file f, with the steps that words name.
func replaceFile(t *testing.T, root, words string) []Image {
	t.Helper()
	if err := os.WriteFile(filepath.Join(root, "f"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := New(root)
	if err != nil {
		t.Fatal(err)
	}
	temp := filepath.Join(root, "temp")
	f, err := r.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.FieldsSeq(words) {
		switch word {
		case "write":
			_, err = f.Write([]byte("newest"))
		case "sync":
			err = f.Sync()
		case "rename":
			err = r.Rename(temp, filepath.Join(root, "f"))
		case "folder":
			err = r.SyncDir(root)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	r.Mark(1)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return r.Images()
}

func TestImages(t *testing.T) {
	f := func(words, before, after string) {
		t.Helper()
		found := [2]map[string]bool{{}, {}} // contents of f before and after the promise
		for _, i := range replaceFile(t, t.TempDir(), words) {
			found[i.Must][string(i.Files["f"])] = true
		}
		for i, want := range []string{before, after} {
			var got []string
			for content := range found[i] {
				got = append(got, content)
			}
			slices.Sort(got)
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%s: %q after a crash, want %q (promised: %d)", words, s, want, i)
			}
		}
	}
	f("write sync rename folder", "newest old", "newest")
	f("write sync rename", "old", "newest old")
	f("write rename folder", " new newest old", " new newest")
	f("rename write sync folder", " new newest old", "newest")
}

func TestWriteTo(t *testing.T) {
	root := t.TempDir()
	i := Image{Files: map[string][]byte{"d": nil, "d/f": []byte("x"), "empty": {}}}
	for range 2 {
		if err := i.WriteTo(root); err != nil {
			t.Fatal(err)
		}
		r, err := New(root)
		if err != nil {
			t.Fatal(err)
		}
		if got := fingerprint(r.base); got != fingerprint(i.Files) {
			t.Error(got)
		}
	}
}
