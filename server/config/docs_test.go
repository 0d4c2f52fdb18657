package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestDocs keeps docs/configuration.md in line with the table. -update rewrites it.
func TestDocs(t *testing.T) {
	const path = "../../docs/configuration.md"
	intro, err := os.ReadFile("testdata/intro.md")
	if err != nil {
		t.Fatal(err)
	}
	want := string(intro) + documentation()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/configuration.md is stale: run go test ./server/config -run Docs -update")
	}
}

func documentation() string {
	var b strings.Builder
	v := new(Values)
	for _, s := range table {
		fmt.Fprintf(&b, "\n## %s\n\n| Directive | Values | Default | |\n| --- | --- | --- | --- |\n", s.title)
		for i := range s.directives {
			d := &s.directives[i]
			d.Kind.reset(v)
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", nameCell(d), cell(d.Kind.typeName()), defaultCell(d, v), cell(textCell(d)))
		}
	}
	return b.String()
}

// cell escapes what would end a cell of a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func nameCell(d *Directive) string {
	if d.Alias == "" {
		return "`" + d.Name + "`"
	}
	return "`" + d.Name + "`, `" + d.Alias + "`"
}

func defaultCell(d *Directive, v *Values) string {
	switch text := d.Kind.get(v); {
	case d.Name == "dir":
		return "where the server is started"
	case text == "":
		return `""`
	default:
		if m, ok := d.Kind.(memory); ok {
			text = FormatMemory(*m.At(v))
		}
		return "`" + cell(text) + "`"
	}
}

func textCell(d *Directive) string {
	text := d.Help
	var marks []string
	for _, f := range []struct {
		flag Flags
		name string
	}{{Immutable, "start"}, {Protected, "protected"}, {Hidden, "hidden"}, {Sensitive, "secret"}, {DeniedLoading, "not while loading"}} {
		if d.Flags&f.flag != 0 {
			marks = append(marks, f.name)
		}
	}
	if len(marks) > 0 {
		text += " *" + strings.Join(marks, ", ") + "*"
	}
	switch {
	case d.NoEffect != "":
		text += " **No effect**: " + d.NoEffect + "."
	case d.Later != "":
		text += " **Later**: with " + d.Later + "."
	}
	return text
}
