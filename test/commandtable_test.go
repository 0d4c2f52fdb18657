package test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/shoaldb/shoal/internal/oracle"
)

// notInRedis are the commands that Redis 7.0.15 does not have.
var notInRedis = []string{"client|no-touch", "client|setinfo",
	"hexpire", "hexpireat", "hexpiretime", "hgetdel", "hgetex", "hpersist", "hpexpire", "hpexpireat", "hpexpiretime", "hpttl",
	"hsetex", "httl", "waitaof"}

// laterSyntax are the commands to which Redis 7.2 has given another arity.
var laterSyntax = []string{"zrank", "zrevrank"}

// TestCommandInfo compares COMMAND INFO of each of our commands with redis-server's.
func TestCommandInfo(t *testing.T) {
	compareCommands(t, "INFO", func(reply any) map[string]any {
		all := map[string]any{}
		for _, c := range reply.([]any) {
			collectInfo(all, c.([]any))
		}
		return all
	})
}

// TestCommandDocs compares what is not prose of COMMAND DOCS.
func TestCommandDocs(t *testing.T) {
	compareCommands(t, "DOCS", func(reply any) map[string]any {
		all := map[string]any{}
		collectArguments(all, reply)
		return all
	})
}

// compareCommands sends COMMAND with a subcommand to both servers; collect makes a map by full names of the reply.
func compareCommands(t *testing.T, sub string, collect func(reply any) map[string]any) {
	redis := collect(askCommand(t, pool.get(t, oracle.Need(t)), sub))
	shoal := collect(askCommand(t, sharedShoal(t), sub))
	if len(shoal) < 100 {
		t.Fatalf("%d commands", len(shoal))
	}
	for _, name := range slices.Sorted(maps.Keys(shoal)) {
		want, there := redis[name]
		if there == slices.Contains(notInRedis, name) {
			t.Errorf("%s is in redis: %v", name, there)
		}
		if name == "quit" && sub == "DOCS" /* deprecated by 7.2 */ || slices.Contains(laterSyntax, name) {
			continue
		}
		if there && !reflect.DeepEqual(shoal[name], want) {
			t.Errorf("%s is\n\t%v\nin redis\n\t%v", name, shoal[name], want)
		}
	}
}

// TestRefusedCommands compares replies of commands that belong to what is not there: a cluster, modules, replicas.
func TestRefusedCommands(t *testing.T) {
	redis, shoal := pool.get(t, oracle.Need(t)).Dial(t), sharedShoal(t).Dial(t)
	for _, line := range []string{"CLUSTER", "CLUSTER INFO", "CLUSTER NODES x", "CLUSTER NOSUCH", "CLUSTER HELP", "CLUSTER KEYSLOT a", "CLUSTER ADDSLOTS", "READONLY", "ASKING",
		"EVAL return(redis.call('cluster','reset')) 0", "MODULE", "MODULE LIST", "MODULE LOAD /x", "MODULE UNLOAD x", "MODULE NOSUCH",
		"FAILOVER", "FAILOVER ABORT", "MULTI", "SYNC", "PSYNC ? -1", "EXEC", "COMMAND GETKEYS CLUSTER INFO", "ACL DRYRUN default CLUSTER INFO"} {
		args := strings.Fields(line)
		if want, got := redis.Do(args...), shoal.Do(args...); got != want {
			t.Errorf("%q: %q, in redis %q", line, got, want)
		}
	}
	if got := shoal.Do("SYNC"); !strings.HasPrefix(got, "-ERR this version of Shoal cannot have replicas") {
		t.Error(got)
	}
}

// TestReplicasUser starts with users and renamed commands as configurations for replicas and Sentinel have them.
func TestReplicasUser(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		path := filepath.Join(t.TempDir(), "redis.conf")
		conf := "user replica on >x +psync +replconf +ping\nuser sentinel on >x +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info +client|setname +client|kill +script|kill allchannels\n" +
			"user app on >x ~* +@all -cluster -module|load -failover -sync\nrename-command CLUSTER \"\"\nrename-command MODULE mod\n"
		if err := os.WriteFile(path, []byte(conf), 0o644); err != nil {
			t.Fatal(err)
		}
		c := s.start(t, "--include", path).Dial(t)
		if got := c.Do("CLUSTER", "INFO"); !strings.HasPrefix(got, "-ERR unknown command 'CLUSTER'") {
			t.Error(got)
		}
		if got := c.Do("MOD", "LIST"); got != "*0\r\n" {
			t.Error(got)
		}
		if got := c.Do("ACL", "DRYRUN", "app", "FAILOVER"); !strings.Contains(got, "has no permissions to run the 'failover' command") {
			t.Error(got)
		}
	})
}

func askCommand(t *testing.T, srv *oracle.Server, sub string) any {
	t.Helper()
	client := goRedis(&goredis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", srv.Port), Protocol: 3})
	defer client.Close()
	reply, err := client.Do(t.Context(), "COMMAND", sub).Result()
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// commandInfo is an element of COMMAND INFO; what has no order is sorted.
type commandInfo struct {
	arity             any
	flags             []string
	first, last, step any
	categories, tips  []string
	keySpecs          []string
	kindOfSubcommands bool // whether there are any
}

func collectInfo(all map[string]any, c []any) {
	subcommands := c[9].([]any)
	all[c[0].(string)] = commandInfo{
		arity: c[1], flags: sortedWords(c[2]), first: c[3], last: c[4], step: c[5],
		categories: sortedWords(c[6]), tips: sortedWords(c[7]), keySpecs: sortedWords(c[8]),
		kindOfSubcommands: len(subcommands) > 0,
	}
	for _, sub := range subcommands {
		collectInfo(all, sub.([]any))
	}
}

// sortedWords prints the elements of a reply, nested ones with sorted sets and maps, and sorts them.
func sortedWords(reply any) []string {
	var list []string
	for _, v := range reply.([]any) {
		list = append(list, printSorted(v))
	}
	slices.Sort(list)
	return list
}

func printSorted(v any) string {
	switch v := v.(type) {
	case map[any]any:
		var list []string
		for key, value := range v {
			list = append(list, fmt.Sprint(key, ":", printSorted(value)))
		}
		slices.Sort(list)
		return fmt.Sprint(list)
	case []any:
		return fmt.Sprint(sortedWords(v))
	}
	return fmt.Sprint(v)
}

// commandFacts are the fields of COMMAND DOCS that are no prose.
type commandFacts struct {
	since, group, deprecated string
	flags                    []string
	versions                 string // those of the history
	arguments                string // in their order
	replaced                 bool
}

func collectArguments(all map[string]any, reply any) {
	for name, doc := range reply.(map[any]any) {
		fields := doc.(map[any]any)
		text := func(field string) string { s, _ := fields[field].(string); return s }
		facts := commandFacts{since: text("since"), group: text("group"), deprecated: text("deprecated_since"),
			arguments: printArguments(fields["arguments"]), replaced: fields["replaced_by"] != nil}
		if flags, ok := fields["doc_flags"]; ok {
			facts.flags = sortedWords(flags)
		}
		if history, ok := fields["history"].([]any); ok {
			for _, change := range history {
				facts.versions += fmt.Sprint(change.([]any)[0], " ")
			}
		}
		all[name.(string)] = facts
		if subcommands, ok := fields["subcommands"]; ok {
			collectArguments(all, subcommands)
		}
	}
}

func printArguments(reply any) string {
	list, _ := reply.([]any)
	var b strings.Builder
	for _, arg := range list {
		fields := maps.Clone(arg.(map[any]any))
		inner := fields["arguments"]
		delete(fields, "arguments")
		delete(fields, "summary")
		fmt.Fprintf(&b, "(%s %s)", printSorted(any(fields)), printArguments(inner))
	}
	return b.String()
}
