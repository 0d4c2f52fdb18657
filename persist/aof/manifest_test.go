package aof

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/persist/disk"
)

func TestParseManifest(t *testing.T) {
	text := "file appendonly.aof.2.base.rdb seq 2 type b\nfile \"a b.aof\" seq 1 type h\nfile appendonly.aof.3.incr.aof seq 3 type i\nfile appendonly.aof.4.incr.aof seq 4 type i\n"
	m, err := ParseManifest(strings.NewReader("# a comment\n" + text))
	if err != nil {
		t.Fatal(err)
	}
	if m.String() != text {
		t.Errorf("read and written again:\n%s", m)
	}
	if got := m.WithIncrement("appendonly.aof").Increments[2]; got.Name != "appendonly.aof.5.incr.aof" || got.Seq != 5 {
		t.Error(got)
	}
	m, err = ParseManifest(strings.NewReader("TYPE b FILE x future 1 SEQ 9\n"))
	if err != nil || *m.Base != (File{"x", 9, Base}) {
		t.Error(m, err)
	}
}

func TestBadManifests(t *testing.T) {
	for text, reason := range map[string]string{
		"":                        "Found an empty AOF manifest",
		"\n":                      "Invalid AOF manifest file format",
		"file a seq 1 type b":     "too long line",
		"file a seq 1 type\n":     "Invalid AOF manifest file format",
		"file a seq x type b\n":   "Invalid AOF manifest file format",
		"file \"a seq 1 type b\n": "Invalid AOF manifest file format",
		"file a/b seq 1 type b\n": "can't be a path",
		"file .. seq 1 type b\n":  "can't be a path",
		"file " + strings.Repeat("a", 256) + " seq 1 type b\n":  "Invalid AOF manifest file format",
		"file a seq 1 type x\n":                                 "Unknown AOF file type",
		"file a seq 1 type b\nfile b seq 2 type b\n":            "duplicate base",
		"file a seq 2 type i\nfile b seq 2 type i\n":            "non-monotonic",
		"file " + strings.Repeat("a", 1100) + " seq 1 type b\n": "too long line",
	} {
		if m, err := ParseManifest(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%.40q: %v, %v", text, m, err)
		}
	}
}

func FuzzManifest(f *testing.F) {
	f.Add("file appendonly.aof.2.base.rdb seq 2 type b\n")
	f.Add("file \"a b\" seq 2 type i\n")
	f.Add("file \"" + strings.Repeat("\xa4", 255) + "\" seq -9223372036854775808 type b\n") // as long as can be when it is written
	f.Fuzz(func(t *testing.T, text string) {
		m, err := ParseManifest(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, f := range append(m.Files(), m.History...) {
			if strings.Contains(f.Name, "/") {
				t.Fatalf("a path: %q", f.Name)
			}
		}
		again, err := ParseManifest(strings.NewReader("#\n" + m.String()))
		if err != nil || again.String() != m.String() {
			t.Fatalf("%q written as %q: %v", text, m, err)
		}
	})
}

func TestRewriteOfManifest(t *testing.T) {
	m := (&Manifest{}).WithBase("a", true, 0).WithIncrement("a")
	m = m.WithIncrement("a") // a rewrite begins
	m = m.WithBase("a", false, 1)
	want := "file a.2.base.aof seq 2 type b\nfile a.1.incr.aof seq 1 type h\nfile a.1.base.rdb seq 1 type h\nfile a.2.incr.aof seq 2 type i\n"
	if m.String() != want {
		t.Errorf("got\n%s", m)
	}
}

func folder(t *testing.T) Folder {
	return Folder{disk.OS{}, t.TempDir(), "appendonlydir", "appendonly.aof"}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFolder(t *testing.T) {
	f := folder(t)
	m, upgraded, err := f.Load()
	if err != nil || upgraded || !m.Empty() {
		t.Fatal(m, upgraded, err)
	}
	m = m.WithBase(f.Filename, true, 0).WithIncrement(f.Filename)
	for _, file := range m.Files() {
		out, err := f.Create(file.Name)
		if err != nil {
			t.Fatal(err)
		}
		out.Write([]byte("12345"))
		out.Close()
	}
	if err := f.Store(m); err != nil {
		t.Fatal(err)
	}
	again, _, err := f.Load()
	if err != nil || again.String() != m.String() {
		t.Fatal(again, err)
	}
	if total, base, err := f.Size(m); total != 10 || base != 5 || err != nil {
		t.Error(total, base, err)
	}
	m = m.WithIncrement(f.Filename).WithBase(f.Filename, true, 1)
	m, removed, err := f.RemoveHistory(m)
	if err != nil || len(removed) != 2 || len(m.History) != 0 {
		t.Error(m, removed, err)
	}
	if _, _, err := f.Size(m); err == nil {
		t.Error("a missing file has a size")
	}
}

// The single file of older versions becomes the base, also when a crash has come between the manifest and the move.
func TestUpgrade(t *testing.T) {
	f := folder(t)
	old := filepath.Join(f.Dir, f.Filename)
	write(t, old, "old")
	if err := f.Store(&Manifest{Base: &File{f.Filename, 1, Base}}); err != nil {
		t.Fatal(err)
	}
	m, upgraded, err := f.Load()
	if err != nil || !upgraded || m.String() != "file appendonly.aof seq 1 type b\n" {
		t.Fatal(m, upgraded, err)
	}
	if b, err := os.ReadFile(f.Path(f.Filename)); string(b) != "old" || err != nil {
		t.Error(b, err)
	}
	// A file beside a folder that is in use is left alone.
	write(t, old, "another")
	if _, upgraded, err := f.Load(); upgraded || err != nil {
		t.Error(upgraded, err)
	}
	if b, _ := os.ReadFile(old); string(b) != "another" {
		t.Error("the other file has gone")
	}
}
