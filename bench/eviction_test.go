package bench

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseTrace(t *testing.T) {
	list, err := parseTrace(strings.NewReader("time,key,size\n1,a,10\n2, b ,20\n# a comment\n3,a,10,extra\n"))
	if err != nil || len(list) != 3 || list[0] != (access{"a", 10}) || list[1].size != 20 || list[2].key != "a" {
		t.Fatalf("%v, %v", list, err)
	}
	for _, bad := range []string{"", "time,key,size\n", "1,a\n", "1,a,5\n2,b,x\n", "1,a,-1\n1,a,-1\n", "1,a,5\n2,b,99999999999\n"} {
		if list, err := parseTrace(strings.NewReader(bad)); err == nil {
			t.Errorf("%q: %v", bad, list)
		}
	}
}

func FuzzParseTrace(f *testing.F) {
	f.Add("time,key,size\n1,a,10\n")
	f.Add("1,\"a\nb\",3\n")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseTrace(strings.NewReader(text))
		for _, a := range list {
			if a.size < 0 || a.size > maxTraceValue {
				t.Fatalf("size %d", a.size)
			}
		}
		if (err == nil) != (len(list) > 0) {
			t.Fatalf("%d accesses, %v", len(list), err)
		}
	})
}

func TestWorkloadsRepeat(t *testing.T) {
	o := evictionFlags{maxMemory: 1 << 20, requests: 1000, valueBytes: 64, seed: 3}
	list, err := o.workloads()
	if err != nil || len(list) != 4 {
		t.Fatal(list, err)
	}
	for _, w := range list {
		a, b := w.begin(), w.begin()
		n := 0
		for {
			x, more := a()
			y, also := b()
			if x != y || more != also {
				t.Fatalf("%s: request %d is %v and %v", w.name, n, x, y)
			}
			if !more {
				break
			}
			n++
		}
		if n != 1000 {
			t.Fatalf("%s has %d requests", w.name, n)
		}
	}
}

// The whole command must run against real servers.
func TestEvictionReport(t *testing.T) {
	server := filepath.Join(t.TempDir(), "shoal-server")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", server, "github.com/shoaldb/shoal/cmd/shoal-server").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var out, progress bytes.Buffer
	args := []string{"eviction", "--shoal", server, "--redis", "", "--maxmemory", "1048576", "--requests", "20000", "--policies", "allkeys-wtinylfu,volatile-ttl"}
	if err := Main(t.Context(), args, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	for _, want := range []string{"shoal allkeys-wtinylfu", "shoal volatile-ttl", "zipf", "loop"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
