package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/resp"
)

func TestRewritten(t *testing.T) {
	f := func(old, want string, sets ...string) {
		t.Helper()
		c := mustLoad(t, old)
		if err := c.Set(pairsOf(sets), Caller{}); err != nil {
			t.Fatal(err)
		}
		got := string(rewritten(old, c.Load(), nil, false))
		got = strings.ReplaceAll(got, "dir "+resp.Quote(c.Load().Dir)+"\n", "")
		got = strings.ReplaceAll(got, "save 3600 1\nsave 300 100\nsave 60 10000\n", "")
		got = strings.ReplaceAll(got, "latency-tracking-info-percentiles 50 99 99.9\n", "")
		got = strings.TrimSuffix(got, rewriteSignature+"\n")
		if got != want {
			t.Errorf("%q with %q becomes %q, want %q", old, sets, got, want)
		}
	}
	f("", "")
	f("# only a comment", "# only a comment\n")
	f("port 1\nport 2", "port 2\n\n")
	f("hz 20\n\n\n\ntimeout 5", "hz 10\n\ntimeout 5\n", "hz", "10")
	f("unixsocket /a\nport 1", "unixsocket \"/a\"\nport 1\n")
	f("unixsocket ''\nport 1", "\nport 1\n")
	f("include /no/such/*\nrename-command A ''\nuser  a on", "include /no/such/*\nrename-command A ''\nuser  a on\n")
	f("lua-replicate-commands yes", "# ??? lua-replicate-commands yes\n")
	f("loadmodule /x \"a b\" ''", "loadmodule /x \"a b\" \"\"\n")
	f("save 1 1\nsave 2 2", "save \"\"\n\n", "save", "")
	f("slaveof 127.0.0.1 1", "replicaof 127.0.0.1 1\n")
}

func TestRewriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.conf")
	writeFiles(t, dir, map[string]string{"test.conf": "# mine\nport 7000\n"})
	c := mustLoadArgs(t, []string{path, "--hz", "20"})
	if err := c.Set([][2]string{{"maxmemory", "2gb"}}, Caller{}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second changes nothing
		if err := c.Rewrite([]string{"default on nopass"}); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := "# mine\nport 7000\n\n" + rewriteSignature + "\ndir " + resp.Quote(c.Load().Dir) + "\nhz 20\nmaxmemory 2gb\n" +
			"latency-tracking-info-percentiles 50 99 99.9\nsave 3600 1\nsave 300 100\nsave 60 10000\nuser default on nopass\n"
		if strings.TrimRight(string(text), "\n")+"\n" != want {
			t.Errorf("got:\n%s\nwant:\n%s", text, want)
		}
	}
	names, err := filepath.Glob(path + "*")
	if err != nil || len(names) != 1 {
		t.Errorf("left over: %q", names)
	}
}

func TestRewriteKeeps(t *testing.T) {
	dir := t.TempDir()
	writeFiles(t, dir, map[string]string{"real.conf": "port 7000\n"})
	link := filepath.Join(dir, "link.conf")
	if err := errors.Join(os.Chmod(filepath.Join(dir, "real.conf"), 0o600), os.Symlink("real.conf", link)); err != nil {
		t.Fatal(err)
	}
	if err := mustLoadArgs(t, []string{link, "--hz", "20"}).Rewrite(nil); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(link)
	if err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link has become a file: %v", err)
	}
	info, err = os.Stat(link)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("permissions: %v, %v", info.Mode(), err)
	}
	if text, err := os.ReadFile(link); err != nil || !strings.Contains(string(text), "\nhz 20\n") {
		t.Errorf("%q, %v", text, err)
	}
}

// TestRewriteAll reads back a file in which every directive has a line.
func TestRewriteAll(t *testing.T) {
	file := filepath.Join(t.TempDir(), "test.conf")
	if err := os.WriteFile(file, []byte("hz 20\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	c := mustLoadArgs(t, []string{file})
	want := c.Get("*")
	if err := c.RewriteAll(); err != nil {
		t.Fatal(err)
	}
	if got := mustLoadArgs(t, []string{file}).Get("*"); !slices.Equal(got, want) {
		t.Errorf("%q has become %q", want, got)
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "\nport 6379\n") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestRewriteErrors(t *testing.T) {
	if err := New().Rewrite(nil); !errors.Is(err, ErrNoFile) {
		t.Errorf("without a file: %v", err)
	}
	c := newConfig(defaults(), "/no/such/dir/test.conf")
	if err := c.Rewrite(nil); err == nil || err.Error() != "Rewriting config file: No such file or directory" {
		t.Errorf("in a missing directory: %v", err)
	}
}

// shown returns all values as CONFIG GET shows them, hidden ones too.
func shown(v *Values) []string {
	var all []string
	for d := range directives.primary {
		all = append(all, d.Name+"="+d.Kind.get(v))
	}
	return all
}

// FuzzFile reads any file, without touching the file system, and if that succeeds rewrites it and reads it again.
func FuzzFile(f *testing.F) {
	f.Add("unixsocketperm 700\nmaxmemory-clients 5%\nnotify-keyspace-events KEA\n", "hz 1")
	f.Add("include a\nsave 1 1\n", "include a")
	f.Add("bind a b\nsave ''\nuser \"a b\" on\nrename-command a ''\nloadmodule \"/x y\" ''\n", "")
	f.Add("client-output-buffer-limit normal 1 1 1\nreplicaof 'a b' 1\nunixsocket \"\\x00\"\n", "")
	f.Add("latency-tracking-info-percentiles 1 2.5\noom-score-adj-values '' 1 2\nshutdown-on-sigint now force\n", "")
	f.Fuzz(func(t *testing.T, text, included string) {
		v, err := parseForFuzz(text, included)
		if err != nil {
			return
		}
		if strings.Contains(strings.ToLower(text), "include") {
			return // a list that an included file begins is written as a whole, and so grows
		}
		once := rewritten(text, v, nil, false)
		back, err := parseForFuzz(string(once), included)
		if err != nil {
			t.Fatalf("%q becomes %q, which cannot be read: %v", text, once, err)
		}
		if a, b := shown(v), shown(back); !slices.Equal(a, b) {
			t.Fatalf("%q becomes %q\nbefore %q\nafter %q", text, once, a, b)
		}
		if twice := rewritten(string(once), back, nil, false); strings.TrimRight(string(twice), "\n") != strings.TrimRight(string(once), "\n") {
			t.Fatalf("%q becomes %q, then %q", text, once, twice)
		}
	})
}

func parseForFuzz(text, included string) (*Values, error) {
	r := new(Loader).reader()
	left := 20
	r.readFile = func(string) ([]byte, error) {
		if left--; left < 0 {
			return nil, fs.ErrNotExist
		}
		return []byte(included), nil
	}
	r.glob = func(pattern string) ([]string, error) { return []string{pattern + "1", pattern + "2"}, nil }
	_, err := r.text(text, "file", 0)
	var fe *FileError
	if errors.As(err, new(*OpenError)) {
		return nil, err
	}
	if err != nil && (!errors.As(err, &fe) || fe.Line < 1 || fe.File == "" || fe.Reason == "") {
		panic(err)
	}
	return r.values, err
}
