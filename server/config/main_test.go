package config

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

var update = flag.Bool("update", false, "rewrite docs/configuration.md")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(oracle.Main(m))
}

// load reads a configuration as from standard input, after it the options.
func load(t testing.TB, text string, options ...string) (*Config, error) {
	t.Helper()
	cl, err := ParseArgs(options)
	if err != nil {
		t.Fatal(err)
	}
	l := Loader{Stdin: strings.NewReader(text)}
	cl.Stdin = true
	return l.Load(cl)
}

func mustLoad(t testing.TB, text string, options ...string) *Config {
	t.Helper()
	c, err := load(t, text, options...)
	if err != nil {
		t.Fatalf("cannot load %q %q: %v", text, options, err)
	}
	return c
}

// value returns what CONFIG GET shows.
func value(t testing.TB, c *Config, name string) string {
	t.Helper()
	got := c.Get(name)
	if len(got) != 1 {
		t.Fatalf("CONFIG GET %s: %q", name, got)
	}
	return got[0][1]
}
