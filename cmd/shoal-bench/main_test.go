package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/shoaldb/shoal/internal/oracle"
)

// drive runs shoal-bench against a server.
func drive(t *testing.T, s *oracle.Server, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(context.Background(), append([]string{"-p", strconv.Itoa(s.Port)}, args...), strings.NewReader("from stdin"), &out, &errs)
	return status, out.String(), errs.String()
}

// real runs redis-benchmark against a server. What it draws over is left out.
func real(t *testing.T, s *oracle.Server, args ...string) string {
	t.Helper()
	out, err := exec.Command(oracle.NeedTool(t, "redis-benchmark"), append([]string{"-p", strconv.Itoa(s.Port)}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		lines = append(lines, line[strings.LastIndexByte(line, '\r')+1:])
	}
	return strings.Join(lines, "")
}

// TestCSVLikeRedisBenchmark: the same columns, the same tests in the same order, every figure a number.
func TestCSVLikeRedisBenchmark(t *testing.T) {
	server := oracle.Redis(t)
	args := []string{"--csv", "-n", "200", "-c", "5"}
	_, ours, _ := drive(t, server, args...)
	want, err := csv.NewReader(strings.NewReader(real(t, server, args...))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	got, err := csv.NewReader(strings.NewReader(ours)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d:\n%s", len(got), len(want), ours)
	}
	for i, row := range got {
		if len(row) != len(want[i]) || row[0] != want[i][0] {
			t.Errorf("row %q, want one like %q", row, want[i])
		}
		for column, cell := range row {
			switch _, err := strconv.ParseFloat(cell, 64); {
			case i == 0 && cell != want[0][column]:
				t.Errorf("column %q, want %q", cell, want[0][column])
			case i > 0 && column > 0 && err != nil:
				t.Errorf("row %q: %q is not a number", row, cell)
			}
		}
	}
	if !strings.HasPrefix(ours, `"test","rps",`) || !strings.Contains(ours, "\n\"PING_INLINE\",\"") {
		t.Errorf("cells are not quoted:\n%s", ours)
	}
}

// numbers include the rate of a test that redis-benchmark, whose clock has milliseconds, saw take no time.
var numbers = regexp.MustCompile(`-?[0-9]+(\.[0-9]+)?|\binf\b`)

// shape is text with its numbers replaced by N.
func shape(text string) string { return numbers.ReplaceAllString(text, "N") }

func TestQuietLikeRedisBenchmark(t *testing.T) {
	server := oracle.Redis(t)
	for _, args := range [][]string{
		{"-q", "-n", "200"},
		{"-q", "-n", "100", "-t", "ping,lrange_100,mset"},
		{"-q", "-n", "100", "set", "x", "y"},
	} {
		_, ours, _ := drive(t, server, args...)
		if want := real(t, server, args...); shape(ours) != shape(want) {
			t.Errorf("%v prints\n%s\nwant\n%s", args, ours, want)
		}
	}
}

// TestReportLikeRedisBenchmark compares the full report but for the number of lines in its two
// distributions.
func TestReportLikeRedisBenchmark(t *testing.T) {
	distinct := func(text string) string {
		var kept []string
		for line := range strings.Lines(shape(text)) {
			if len(kept) == 0 || kept[len(kept)-1] != line {
				kept = append(kept, line)
			}
		}
		return strings.ReplaceAll(strings.Join(kept, ""), "   N", "  N") // columns are right-aligned
	}
	columns := regexp.MustCompile(` +N`)
	server := oracle.Redis(t)
	for _, args := range [][]string{
		{"-n", "300", "-t", "set,get"},
		{"-n", "300", "--threads", "2", "-P", "4", "-t", "incr"},
		{"-n", "300", "echo", "hello"},
	} {
		_, ours, _ := drive(t, server, args...)
		want := real(t, server, args...)
		norm := func(s string) string { return strings.TrimSpace(columns.ReplaceAllString(distinct(s), " N")) }
		if norm(ours) != norm(want) {
			t.Errorf("%v prints\n%s\nwant\n%s", args, norm(ours), norm(want))
		}
	}
}

func TestUnknownCommandsAreReported(t *testing.T) {
	server := oracle.Redis(t, "--rename-command", "LPUSH", "")
	status, out, errs := drive(t, server, "-q", "-n", "100", "-t", "lpush,rpush")
	if status != 1 || strings.Contains(out, "LPUSH") || !strings.Contains(out, "RPUSH: ") {
		t.Errorf("status %d, output %q", status, out)
	}
	if !strings.Contains(errs, "LPUSH: Error from server: ERR unknown command 'LPUSH'") {
		t.Errorf("stderr %q", errs)
	}
}

func TestArguments(t *testing.T) {
	server := oracle.Redis(t)
	c := server.Dial(t)
	drive(t, server, "-q", "-n", "50", "-r", "10", "-d", "7", "-P", "5", "set", "k:__rand_int__", "<__data__>")
	if got := string(c.Do("DBSIZE")); got != ":10\r\n" && got != ":9\r\n" && got != ":8\r\n" {
		t.Errorf("50 sets of 10 random keys left %q keys", got)
	}
	drive(t, server, "-q", "-n", "1", "-x", "set", "stdin")
	if got := string(c.Do("GET", "stdin")); got != "$10\r\nfrom stdin\r\n" {
		t.Errorf("-x: %q", got)
	}
	c.Do("FLUSHALL")
	drive(t, server, "-q", "--load", "500", "--key-size", "20", "--expire", "100", "-d", "9")
	if got := string(c.Do("DBSIZE")); got != ":500\r\n" {
		t.Errorf("--load: %q", got)
	}
	if got := string(c.Do("STRLEN", "key:0000000000000499")); got != ":9\r\n" {
		t.Errorf("--load: value of %q", got)
	}
	if got := string(c.Do("TTL", "key:0000000000000000")); got == ":-1\r\n" || got == ":-2\r\n" {
		t.Errorf("--expire: %q", got)
	}
}

func TestJSONAndHDR(t *testing.T) {
	server := oracle.Redis(t)
	dir := t.TempDir()
	status, _, errs := drive(t, server, "-q", "-n", "200", "-t", "set,get", "--keys", "10", "--server-cpu", "--rate", "10000",
		"--json", filepath.Join(dir, "r.json"), "--hdr", filepath.Join(dir, "r.hdr"))
	if status != 0 {
		t.Fatal(errs)
	}
	b, err := os.ReadFile(filepath.Join(dir, "r.json"))
	if err != nil {
		t.Fatal(err)
	}
	var records []record
	if err := json.Unmarshal(b, &records); err != nil {
		t.Fatal(err)
	}
	if len(records) != 2 || records[1].Test != "GET" || records[1].Requests != 200 || records[1].LatencyMS["p99.9"] <= 0 {
		t.Errorf("%s", b)
	}
	if exec.Command("test", "-d", "/proc/self").Run() == nil && (records[0].Server == nil || records[0].Server.CPUMicrosPerOp <= 0) {
		t.Errorf("no server CPU time: %s", b)
	}
	hdr, err := os.ReadFile(filepath.Join(dir, "r.hdr"))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(hdr); strings.Count(text, "#[Mean ") != 2 || !strings.Contains(text, "#[SET, ") {
		t.Errorf("%s", text)
	}
}

func TestAuthAndDatabase(t *testing.T) {
	server := oracle.Redis(t, "--requirepass", "pw")
	if status, _, errs := drive(t, server, "-q", "-n", "10", "-t", "set"); status != 1 || !strings.Contains(errs, "NOAUTH") {
		t.Errorf("without a password: status %d, %s", status, errs)
	}
	if status, _, errs := drive(t, server, "-q", "-n", "10", "-t", "set", "-a", "pw", "--dbnum", "3"); status != 0 {
		t.Errorf("with it: status %d, %s", status, errs)
	}
	c := server.Dial(t)
	c.Do("AUTH", "pw")
	c.Do("SELECT", "3")
	if got := string(c.Do("DBSIZE")); got != ":1\r\n" {
		t.Errorf("database 3 has %q keys", got)
	}
}

func TestNoServer(t *testing.T) {
	var out, errs bytes.Buffer
	if status := run(context.Background(), []string{"-p", "1", "-q"}, nil, &out, &errs); status != 1 || !strings.Contains(errs.String(), "could not connect to 127.0.0.1:1") {
		t.Errorf("status %d, %s", status, &errs)
	}
}

// TestDistributions checks both listings on latencies of 1 to 1000 times 10 µs.
func TestDistributions(t *testing.T) {
	h := hdrhistogram.New(1, 1e11, 3)
	for i := range int64(1000) {
		h.RecordValue((i + 1) * 10_000)
	}
	for _, s := range percentiles(h) {
		// The count up to the value of a percentile is that percentile, within the histogram's precision.
		if got := 100 * float64(s.count) / 1000; got < s.percent-0.1 || got > s.percent+0.6 {
			t.Errorf("%.3f%% has a count of %d", s.percent, s.count)
		}
	}
	steps := cumulative(h)
	last := steps[len(steps)-1]
	if last.count != 1000 || last.percent != 100 || last.value < 10_000_000 {
		t.Errorf("the last step is %+v", last)
	}
	for i, s := range steps {
		if want := min(s.value/10_000, 1000); s.count < want-10 || s.count > want+10 {
			t.Errorf("up to %d ns: %d requests, want about %d", s.value, s.count, want)
		}
		if i > 0 && (s.value <= steps[i-1].value || s.count < steps[i-1].count) {
			t.Errorf("step %d does not grow: %+v", i, s)
		}
	}
	if empty := hdrhistogram.New(1, 1e11, 3); percentiles(empty) != nil || cumulative(empty) != nil {
		t.Error("an empty histogram has a distribution")
	}
}

func TestOneSlowRequest(t *testing.T) {
	h := hdrhistogram.New(1, 1e12, 3)
	h.RecordValues(50_000, 999)
	h.RecordValue(60_000_000_000)
	steps := cumulative(h)
	if len(steps) != 2 || steps[0].count != 999 || steps[1].count != 1000 || steps[1].value < 60_000_000_000 {
		t.Errorf("%+v", steps)
	}
}
