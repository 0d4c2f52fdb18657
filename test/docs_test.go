package test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/shoaldb/shoal/internal/oracle"
)

const commandsPage = "../docs/commands.md"

// TestCommandsPage compares docs/commands.md with what the server's command table says. With -update it rewrites the page.
func TestCommandsPage(t *testing.T) {
	redis := commandDocs(t, pool.get(t, oracle.Need(t)))
	shoal := commandDocs(t, sharedShoal(t))
	page := writeCommandsPage(redis, shoal)
	if *update {
		if err := os.WriteFile(commandsPage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if readFile(t, commandsPage) != page {
		t.Error("docs/commands.md is out of date: run make docs")
	}
}

// commandDoc is what COMMAND DOCS says of one command.
type commandDoc struct{ group, since, complexity, summary string }

// commandDocs returns the documentation of all commands and subcommands, by upper-case name.
func commandDocs(t *testing.T, srv *oracle.Server) map[string]commandDoc {
	t.Helper()
	client := goRedis(&goredis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", srv.Port), Protocol: 3})
	defer client.Close()
	reply, err := client.Do(t.Context(), "COMMAND", "DOCS").Result()
	if err != nil {
		t.Fatal(err)
	}
	docs := map[string]commandDoc{}
	collectDocs(docs, reply)
	return docs
}

func collectDocs(docs map[string]commandDoc, reply any) {
	commands, _ := reply.(map[any]any)
	for name, value := range commands {
		fields, _ := value.(map[any]any)
		text := func(field string) string { s, _ := fields[field].(string); return s }
		key := strings.ToUpper(strings.ReplaceAll(fmt.Sprint(name), "|", " "))
		docs[key] = commandDoc{text("group"), text("since"), text("complexity"), text("summary")}
		collectDocs(docs, fields["subcommands"])
	}
}

func writeCommandsPage(redis, shoal map[string]commandDoc) string {
	groups := map[string][2][]string{} // names that are there, names that are not
	add := func(group, name string, missing int) {
		g := groups[group]
		g[missing] = append(g[missing], name)
		groups[group] = g
	}
	for name, d := range shoal {
		add(d.group, name, 0)
	}
	for name, d := range redis {
		container, _, _ := strings.Cut(name, " ")
		if _, there := shoal[name]; there {
			continue
		}
		if _, there := shoal[container]; there || container == name {
			add(d.group, name, 1)
		}
	}
	var b strings.Builder
	b.WriteString("# Commands\n\nWritten by `make docs` from the server's command table and the list of redis-server 7.0.15.\n")
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		fmt.Fprintf(&b, "\n## %s\n", group)
		there, missing := groups[group][0], groups[group][1]
		slices.Sort(there)
		slices.Sort(missing)
		if len(there) > 0 {
			b.WriteString("\n| command | since | complexity | |\n| --- | --- | --- | --- |\n")
		}
		for _, name := range there {
			d := shoal[name]
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, d.since, d.complexity, d.summary)
		}
		if len(missing) > 0 {
			fmt.Fprintf(&b, "\nNot yet: %s.\n", strings.Join(missing, ", "))
		}
	}
	return b.String()
}
