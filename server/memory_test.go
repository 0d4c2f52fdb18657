package server

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// MEMORY STATS has the fields of redis-server, in its order.
func TestMemoryStatsFields(t *testing.T) {
	r, s := oracle.Redis(t).Dial(t), oracle.Shoal(t).Dial(t)
	fields := func(c *oracle.Client, proto string) (names []string) {
		c.Do("HELLO", proto)
		c.Do("SET", "k", "v")
		for line := range strings.SplitSeq(c.Do("MEMORY", "STATS"), "\r\n") {
			if line != "" && (line[0] >= 'a' && line[0] <= 'z' || line[0] == '%' || line[0] == '*') {
				names = append(names, line)
			}
		}
		return names
	}
	for _, proto := range []string{"2", "3"} {
		want, got := fields(r, proto), fields(s, proto)
		if strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("RESP%s:\n%q, want\n%q", proto, got, want)
		}
	}
}

func TestMemoryUsage(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	for _, n := range []int{1, 100, 5000, 100_000, 3 << 20} {
		c.Do("SET", "k", strings.Repeat("x", n))
		reply := c.Do("MEMORY", "USAGE", "k")
		used, err := strconv.Atoi(strings.Trim(reply, ":\r\n"))
		if err != nil || used < n || used > n*5/4+64 {
			t.Errorf("%d bytes take %q", n, reply)
		}
	}
}

func TestMemoryPurgeGivesMemoryBack(t *testing.T) {
	for _, args := range shapes {
		c := oracle.Shoal(t, args...).Dial(t)
		c.Do("DEBUG", "POPULATE", "50000", "k", "1000")
		full := c.InfoInt("memory", "allocator_resident")
		c.Do("FLUSHALL")
		if got := c.Do("MEMORY", "PURGE"); got != "+OK\r\n" {
			t.Fatalf("MEMORY PURGE: %q", got)
		}
		oracle.WaitFor(t, "memory to be given back", func() bool {
			c.Do("MEMORY", "PURGE")
			return c.InfoInt("memory", "allocator_resident") < full/10
		})
	}
}

func TestMemoryTexts(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	if got := bulk(t, c.Do("MEMORY", "DOCTOR")); !strings.Contains(got, "hardly any data") {
		t.Errorf("MEMORY DOCTOR: %q", got)
	}
	if got := bulk(t, c.Do("MEMORY", "MALLOC-STATS")); strings.Count(got, "\n") < 64 {
		t.Errorf("MEMORY MALLOC-STATS: %q", got)
	}
}

func TestDiagnose(t *testing.T) {
	const gb = 1 << 30
	healthy := memoryFigures{used: gb, peak: gb, allocated: gb, active: gb, resident: gb, rss: gb + gb/8, clients: 1 << 20}
	f := func(want string, change func(*memoryFigures)) {
		t.Helper()
		m := healthy
		change(&m)
		if got := diagnose(&m, 10); !strings.Contains(got, want) || strings.Count(got, " * ") > 1 {
			t.Errorf("%q, want %q", got, want)
		}
	}
	f("No trouble", func(*memoryFigures) {})
	f("hardly any", func(m *memoryFigures) { m.used = 1 << 20 })
	f("Peak:", func(m *memoryFigures) { m.peak = 2 * gb })
	f("Fragmentation:", func(m *memoryFigures) { m.allocated = gb / 2 })
	f("Free pages:", func(m *memoryFigures) { m.resident, m.rss = 2*gb, 2*gb })
	f("Overhead:", func(m *memoryFigures) { m.rss = 2 * gb })
	f("Clients:", func(m *memoryFigures) { m.clients = gb / 2 })
}

func TestLolwut(t *testing.T) {
	c := oracle.Shoal(t).Dial(t)
	for _, args := range [][]string{{}, {"VERSION", "5"}, {"version", "6", "1"}, {"foo"}} {
		if got := bulk(t, c.Do(append([]string{"LOLWUT"}, args...)...)); !strings.HasSuffix(got, "Redis ver. "+RedisVersion+"\n") {
			t.Errorf("LOLWUT %q ends in %q", args, got[max(0, len(got)-40):])
		}
	}
	if got := c.Do("LOLWUT", "VERSION", "x"); got != "-ERR value is not an integer or out of range\r\n" {
		t.Errorf("LOLWUT VERSION x: %q", got)
	}
	for seed := range uint64(50) {
		picture := drawShoal(rand.New(rand.NewPCG(seed, 0)))
		if strings.Count(picture, "\n") != seaRows || strings.Count(picture, ">") < 10 {
			t.Errorf("seed %d:\n%s", seed, picture)
		}
	}
}

// COMMAND INFO says of these commands what redis-server says.
func TestSpecsOfControlCommands(t *testing.T) {
	r, s := oracle.Redis(t).Dial(t), oracle.Shoal(t).Dial(t)
	for _, name := range []string{
		"info", "debug", "lolwut", "memory|usage", "memory|stats", "memory|doctor", "memory|purge", "memory|malloc-stats", "memory|help",
	} {
		if want, got := r.Do("COMMAND", "INFO", name), s.Do("COMMAND", "INFO", name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
