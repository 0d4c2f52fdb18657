package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/shoaldb/shoal/internal/oracle"
)

// tool runs a program until it ends, and returns what it wrote to standard output.
func tool(t *testing.T, stdin, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*oracle.Deadline)
	defer cancel()
	cmd := exec.CommandContext(ctx, oracle.NeedTool(t, name), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %q: %v\n%s\n%s", name, args, err, tail(stdout.String()), tail(stderr.String()))
	}
	return stdout.String()
}

// cli runs redis-cli on a server.
func cli(t *testing.T, srv *oracle.Server, stdin string, args ...string) string {
	t.Helper()
	return tool(t, stdin, "redis-cli", append([]string{"-p", strconv.Itoa(srv.Port)}, args...)...)
}

func TestRedisCLI(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		f := func(want, stdin string, args ...string) {
			t.Helper()
			if got := cli(t, srv, stdin, args...); got != want {
				t.Errorf("%q: got %q, want %q", args, got, want)
			}
		}
		f("PONG\n", "", "PING")
		f("OK\n", "", "SET", "k", "v")
		f("\"v\"\n", "", "--no-raw", "GET", "k")
		f("\"v\"\n", "", "--json", "GET", "k")
		f("OK\n", "from standard input", "-x", "SET", "x")
		f("from standard input\n", "", "GET", "x")
		f("OK\n", "middle", "-X", "tag", "SET", "y", "tag")
		f("OK\nmiddle\n", "SET z 1\nGET y\n")
		f("OK\n(integer) 1\n(error) ERR syntax error\n", "SET z 1 EX 100000\nEXISTS z\nSET z 1 2\n", "--no-raw")
		f("1) (nil)\n2) (nil)\n3) \"v\"\n", "", "-3", "--no-raw", "MGET", "nosuch", "nosuch", "k")
		f("OK\n", "", "-n", "3", "SET", "other", "1")
		f("1\n2\n3\n", "", "-r", "3", "INCR", "counter")
		f("OK\n", "", "--quoted-input", "SET", `"\x00\xff"`, `"\r\n"`)

		// 3 databases' worth of reports.
		for i := range 500 {
			srv.Dial(t).Do("SET", fmt.Sprintf("key:%03d", i), strings.Repeat("x", i))
		}
		if keys := strings.Fields(cli(t, srv, "", "--scan", "--pattern", "key:*")); len(keys) != 500 || len(slices.Compact(slices.Sorted(slices.Values(keys)))) != 500 {
			t.Errorf("--scan: %d keys", len(keys))
		}
		if got := cli(t, srv, "", "--bigkeys"); !strings.Contains(got, `Biggest string found '"key:499"' has 499 bytes`) {
			t.Errorf("--bigkeys:\n%s", got)
		}
		if got := cli(t, srv, "", "--memkeys"); !strings.Contains(got, "Sampled 506 keys") {
			t.Errorf("--memkeys:\n%s", got)
		}
		if got := cli(t, srv, "", "--latency"); !regexp.MustCompile(`^\d+ \d+ \d+\.\d+ \d+\n$`).MatchString(got) {
			t.Errorf("--latency: %q", got)
		}
		if got := cli(t, srv, "", "INFO", "keyspace"); !strings.Contains(got, "db0:keys=506,expires=1,") || !strings.Contains(got, "db3:keys=1,expires=0,") {
			t.Errorf("INFO: %s", got)
		}
	})
}

// TestPipe loads 100,000 keys by redis-cli --pipe.
func TestPipe(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		var in []byte
		for i := range 100000 {
			in = oracle.AppendCommand(in, "SET", fmt.Sprintf("key:%d", i), strconv.Itoa(i))
		}
		in = oracle.AppendCommand(in, "nosuch")
		cmd := exec.Command(oracle.NeedTool(t, "redis-cli"), "-p", strconv.Itoa(srv.Port), "--pipe")
		cmd.Stdin = bytes.NewReader(in)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !strings.Contains(string(out), "errors: 1, replies: 100001") {
			t.Errorf("%v\n%s", err, out)
		}
		if got := srv.Dial(t).Do("DBSIZE"); got != ":100000\r\n" {
			t.Errorf("DBSIZE: %q", got)
		}
	})
}

// TestStat reads a few lines of redis-cli --stat, which never ends.
func TestStat(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		srv.Dial(t).Do("SET", "k", "v")
		cmd := exec.Command(oracle.NeedTool(t, "redis-cli"), "-p", strconv.Itoa(srv.Port), "--stat", "-i", "0.05")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(oracle.Deadline, func() { _ = cmd.Process.Kill() }) // fails if it has ended
		defer timer.Stop()
		var text []byte
		for buf := make([]byte, 4096); bytes.Count(text, []byte("\n")) < 4; {
			n, err := out.Read(buf)
			if err != nil {
				t.Fatalf("%v after\n%s", err, text)
			}
			text = append(text, buf[:n]...)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // reports the kill
		if !regexp.MustCompile(`(?m)^1 +\d+\.\d+[KMG] +\d+ +0 +\d+ \(\+\d+\) +\d+`).Match(text) {
			t.Errorf("got\n%s", text)
		}
	})
}

func TestRedisBenchmark(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t)
		f := func(args ...string) {
			t.Helper()
			got := tool(t, "", "redis-benchmark", append([]string{"-p", strconv.Itoa(srv.Port), "-q"}, args...)...)
			if strings.Contains(got, "Error") || strings.Contains(got, "WARNING") || !strings.Contains(got, "requests per second") {
				t.Errorf("%q:\n%s", args, got)
			}
		}
		const tests = "ping_inline,ping_mbulk,set,get,incr,mset"
		f("-t", tests, "-n", "2000", "-r", "1000")
		f("-t", tests, "-n", "10000", "-P", "16", "-r", "1000", "-d", "500")
		f("-t", tests, "-n", "2000", "-c", "1", "-3")
		f("-t", tests, "-n", "10000", "-c", "200", "-P", "100", "--threads", "2")
		f("-n", "2000", "-r", "1000", "GETSET", "key:__rand_int__", "__rand_int__")
	})
}

func TestGoRedis(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		for _, protocol := range []int{2, 3} {
			t.Run(fmt.Sprintf("RESP%d", protocol), func(t *testing.T) {
				srv := s.start(t)
				client := goRedis(&goredis.Options{Addr: fmt.Sprintf("127.0.0.1:%d", srv.Port), Protocol: protocol, ClientName: "test"})
				defer client.Close()
				useGoRedis(t, client)
			})
		}
	})
}

func useGoRedis(t *testing.T, client *goredis.Client) {
	ctx := t.Context()
	check := func(what string, got, want any, err error) {
		t.Helper()
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: got %v, %v, want %v", what, got, err, want)
		}
	}
	err := client.Set(ctx, "k", "v", time.Hour).Err()
	check("SET", nil, nil, err)
	v, err := client.Get(ctx, "k").Result()
	check("GET", v, "v", err)
	if err := client.Get(ctx, "nosuch").Err(); !errors.Is(err, goredis.Nil) {
		t.Errorf("GET nosuch: %v", err)
	}
	ttl, err := client.TTL(ctx, "k").Result()
	check("TTL", ttl > time.Minute && ttl <= time.Hour, true, err)
	name, err := client.ClientGetName(ctx).Result()
	check("CLIENT GETNAME", name, "test", err)
	f, err := client.IncrByFloat(ctx, "f", 1.5).Result()
	check("INCRBYFLOAT", f, 1.5, err)
	config, err := client.ConfigGet(ctx, "maxmemory").Result()
	check("CONFIG GET", config, map[string]string{"maxmemory": "0"}, err)
	bits, err := client.BitField(ctx, "b", "SET", "u8", 0, 200, "GET", "u4", 0).Result()
	check("BITFIELD", bits, []int64{0, 12}, err)

	cmds, err := client.Pipelined(ctx, func(p goredis.Pipeliner) error {
		for i := range 1000 {
			p.Set(ctx, fmt.Sprintf("p:%d", i), i, 0)
		}
		return nil
	})
	check("pipeline", len(cmds), 1000, err)
	values, err := client.MGet(ctx, "p:1", "nosuch", "p:999").Result()
	check("MGET", values, []any{"1", nil, "999"}, err)
	seen := map[string]bool{}
	iter := client.Scan(ctx, 0, "p:*", 100).Iterator()
	for iter.Next(ctx) {
		seen[iter.Val()] = true
	}
	check("SCAN", len(seen), 1000, iter.Err())
	info, err := client.Info(ctx, "server").Result()
	check("INFO", strings.Contains(info, "redis_version:7."), true, err)
	command, err := client.Command(ctx).Result()
	check("COMMAND", command["get"] != nil && command["get"].ReadOnly, true, err)
	flushed, err := client.FlushAll(ctx).Result()
	check("FLUSHALL", flushed, "OK", err)
}
