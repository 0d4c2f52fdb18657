package main

import (
	"bytes"
	"errors"

	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

func TestParseFlags(t *testing.T) {
	f := func(line string, same func(c *config) bool) {
		t.Helper()
		c, err := parseFlags(strings.Fields(line))
		if err != nil || !same(c) {
			t.Errorf("%s: %+v, %v", line, c, err)
		}
	}
	f("", func(c *config) bool {
		return c.host == "127.0.0.1" && c.port == 6379 && c.clients == 50 && c.requests == 100000 && c.dataSize == 3 &&
			c.keepAlive == 1 && c.pipeline == 1 && c.threads == 0 && !c.randomKeys && c.tests == nil
	})
	f("-h example.org -p 7000 -c 5 -n 10 -d 100 -P 8 -k 0 --threads 3 --dbnum 2 -3 -q",
		func(c *config) bool {
			return c.host == "example.org" && c.port == 7000 && c.clients == 5 && c.requests == 10 && c.requestsSet && c.dataSize == 100 &&
				c.pipeline == 8 && c.keepAlive == 0 && c.threads == 3 && c.db == 2 && c.resp3 && c.quiet
		})
	f("-a secret --user me --enable-tracking", func(c *config) bool { return c.password == "secret" && c.user == "me" && c.tracking })
	f("-u redis://me:pw@host:1234/5", func(c *config) bool {
		return c.user == "me" && c.password == "pw" && c.host == "host" && c.port == 1234 && c.db == 5
	})
	f("-u redis://pw@host", func(c *config) bool { return c.user == "" && c.password == "pw" && c.host == "host" && c.port == 6379 })
	f("-t GET,set", func(c *config) bool { return len(c.tests) == 2 && c.tests[0] == "get" && c.tests[1] == "set" })
	f("-r 1000", func(c *config) bool { return c.randomKeys && c.keys == 1000 })
	f("-P 0 -d 0 --precision 9", func(c *config) bool { return c.pipeline == 1 && c.dataSize == 1 && c.precision == 3 })
	f("-q lpush -l -c", func(c *config) bool { return len(c.command) == 3 && c.command[2] == "-c" && !c.loop })
	f("--rate=5000 --duration 2s --warmup 1", func(c *config) bool {
		return c.rate == 5000 && c.duration == 2*time.Second && c.warmup == time.Second
	})
	f("--ratio 1:4 --dist zipf:1.1 --key-size 32 --keys 77", func(c *config) bool {
		return c.setWeight == 1 && c.getWeight == 4 && c.dist.Zipf == 1.1 && c.keySize == 32 && c.keys == 77
	})
	f("--seed 5 --cpus 0,2-3", func(c *config) bool { return c.seed == 5 && len(c.cpus) == 3 && c.cpus[2] == 3 })
}

func TestParseFlagsRefuses(t *testing.T) {
	f := func(line, want string) {
		t.Helper()
		_, err := parseFlags(strings.Fields(line))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", line, err, want)
		}
	}
	f("--nope", `Invalid option "--nope" or option argument missing`)
	f("-c", `Invalid option "-c" or option argument missing`)
	f("-q -z 3", `Invalid option "-z"`)
	f("--quiet=1", `Invalid option "--quiet=1"`)
	f("--csv=1", `Invalid option "--csv=1"`)
	f("-c many", `"many" is not a number`)
	f("-c 0", "at least 1")
	f("-n 0", "at least 1")
	f("--ratio 4", "is not a pair")
	f("--rate -1", "requests a second")
	f("--key-size 8", "between 16")
	f("--dist normal", "unknown distribution")
	f("--duration soon", "is not a time")
	f("--user me", "--user needs -a")
	f("-x", "-x needs a command")
	f("-u http://x", "redis:// URI")
	for _, line := range []string{"--cluster", "--cacertdir x", "--tls-ciphers x"} {
		if _, err := parseFlags(strings.Fields(line)); !errors.Is(err, errRefused) {
			t.Errorf("%s: error %v, want a refusal", line, err)
		}
	}
}

// TestFlagsOfRedisBenchmark: whatever option the real one lists, ours knows, with an argument where it has one.
func TestFlagsOfRedisBenchmark(t *testing.T) {
	out, err := exec.Command(oracle.NeedTool(t, "redis-benchmark"), "--help").CombinedOutput()
	if err != nil {
		t.Fatal(err)
	}
	options := regexp.MustCompile(`(?m)^ (--?[a-zA-Z0-9-]+) (<[a-z]+>)?`).FindAllStringSubmatch(string(out), -1)
	if len(options) < 20 {
		t.Fatalf("only %d options in:\n%s", len(options), out)
	}
	for _, option := range options {
		ours := findFlag(option[1])
		// --precision takes an argument although its line does not show one.
		if ours == nil || (ours.arg != "") != (option[2] != "" || option[1] == "--precision") {
			t.Errorf("option %s %s: ours is %+v", option[1], option[2], ours)
		}
	}
}

func TestUsageNamesEverything(t *testing.T) {
	var out bytes.Buffer
	usage(&out)
	for _, list := range [][]flag{flags, flagsBeyond} {
		for _, f := range list {
			if !strings.Contains(out.String(), "  "+f.name+" ") {
				t.Errorf("usage does not name %s", f.name)
			}
		}
	}
}
