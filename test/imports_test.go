package test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/shoaldb/shoal/"

// layers lists which parts of the module each part may import. A part is a directory with what is below it; the longest
// match counts. Imports point down; peers do not know each other.
var layers = map[string][]string{
	"alloc":               {"internal/invariants"},
	"types":               {"types", "alloc", "internal/invariants"},
	"shard":               {"types", "alloc", "internal/invariants"},
	"resp":                {"internal/invariants"},
	"netio":               {"netio", "internal/invariants"},
	"command":             {"shard", "types", "alloc", "resp", "persist/rdb", "internal/invariants"},
	"persist/rdb":         {"types", "alloc", "internal/invariants"},
	"journal":             {"resp", "internal/invariants"},
	"acl":                 {"command", "resp", "types/glob", "internal/invariants"},
	"persist/disk":        {"persist/disk"},
	"persist/aof":         {"journal", "resp", "persist/disk", "persist/rdb", "types", "alloc", "internal/invariants"},
	"persist":             {"persist", "shard", "types", "alloc", "internal/invariants"},
	"script":              {"script", "command", "resp", "shard", "types", "alloc", "internal/invariants"},
	"server/config":       {"types/glob", "resp", "internal/invariants"},
	"server/logging":      {"internal/invariants"},
	"server":              {"server", "script", "persist", "journal", "acl", "command", "netio", "resp", "shard", "types", "alloc", "internal/invariants"},
	"bench":               {"bench", "internal/certs"},
	"internal/certs":      {},
	"internal/invariants": {},
	"internal/jitter":     {},
	"internal/oracle":     {"internal/oracle"},
	"test":                {},
	"cmd":                 {"server", "bench"},
}

// TestImports prints the imports that point up. Test files are free to import what they test with.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		words := strings.Fields(line)
		from := strings.TrimPrefix(words[0], module)
		layer := layerOf(from)
		if layer == "" {
			t.Errorf("%s belongs to no layer: give it one in this test, and a line in ARCHITECTURE.md", from)
			continue
		}
		for _, imported := range words[1:] {
			to, ours := strings.CutPrefix(imported, module)
			if ours && !slices.ContainsFunc(layers[layer], func(allowed string) bool { return within(to, allowed) }) {
				t.Errorf("%s imports %s: %s may import %s", from, to, layer, strings.Join(layers[layer], ", "))
			}
		}
	}
}

// within tells whether the package is the directory or below it.
func within(pkg, dir string) bool { return pkg == dir || strings.HasPrefix(pkg, dir+"/") }

func layerOf(pkg string) string {
	longest := ""
	for layer := range layers {
		if within(pkg, layer) && len(layer) > len(longest) {
			longest = layer
		}
	}
	return longest
}

// TestImportsRules checks the rules themselves: whoever may be imported is a layer or lies in one, and nobody may import what
// may import it.
func TestImportsRules(t *testing.T) {
	for layer, allowed := range layers {
		for _, a := range allowed {
			below := layerOf(a)
			if below == "" {
				t.Errorf("%s may import %s, which is no layer", layer, a)
			}
			if below != layer && !within(layer, below) && !within(below, layer) && slices.Contains(layers[below], layer) {
				t.Errorf("%s and %s may import each other", layer, below)
			}
		}
	}
}
