package server

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// clientNamed returns the fields of a client in CLIENT LIST, or nil.
func clientNamed(t testing.TB, c *oracle.Client, name string) map[string]string {
	t.Helper()
	for line := range strings.Lines(bulk(t, c.Do("CLIENT", "LIST"))) {
		fields := map[string]string{}
		for _, f := range strings.Fields(line) {
			k, v, _ := strings.Cut(f, "=")
			fields[k] = v
		}
		if fields["name"] == name {
			return fields
		}
	}
	return nil
}

// begun connects a client that sends n bytes of a command and no more.
func begun(t testing.TB, srv *oracle.Server, name string, n int) *oracle.Client {
	t.Helper()
	c := srv.Dial(t)
	c.Do("CLIENT", "SETNAME", name)
	c.SendRaw(fmt.Sprintf("*2\r\n$3\r\nGET\r\n$%d\r\n%s", n+1, strings.Repeat("x", n)))
	return c
}

// The largest clients are closed, and only as many as need to be; those with NO-EVICT are not.
func TestClientEviction(t *testing.T) {
	for _, args := range shapes {
		srv := oracle.Shoal(t, args...)
		c := srv.Dial(t)
		c.Do("CLIENT", "NO-EVICT", "ON")
		for _, mb := range []int{1, 4, 16} {
			for i := range 3 {
				begun(t, srv, fmt.Sprintf("%d-%d", mb, i), mb<<20)
			}
		}
		safe := begun(t, srv, "safe", 0)
		safe.SendRaw("x\r\n")
		safe.Reply()
		safe.Do("CLIENT", "NO-EVICT", "ON")
		safe.SendRaw(fmt.Sprintf("*2\r\n$3\r\nGET\r\n$%d\r\n%s", 32<<20, strings.Repeat("x", 20<<20)))
		oracle.WaitFor(t, "all that was sent", func() bool {
			sum := 0
			for _, name := range []string{"safe", "16-0", "16-1", "16-2", "4-0", "4-1", "4-2", "1-0", "1-1", "1-2"} {
				n := 0
				fmt.Sscan(clientNamed(t, c, name)["tot-mem"], &n)
				sum += n
			}
			return sum > 83<<20
		})
		left := func(mb int) (n int) {
			for i := range 3 {
				if clientNamed(t, c, fmt.Sprintf("%d-%d", mb, i)) != nil {
					n++
				}
			}
			return n
		}
		for _, x := range []struct {
			limitMB     int
			four, sixty int // clients of 4 and 16 MiB that are left
		}{{80, 3, 2}, {60, 3, 1}, {30, 1, 0}} {
			if got := c.Do("CONFIG", "SET", "maxmemory-clients", fmt.Sprint(x.limitMB<<20)); got != "+OK\r\n" {
				t.Fatal(got)
			}
			if left(1) != 3 || left(4) != x.four || left(16) != x.sixty || clientNamed(t, c, "safe") == nil {
				t.Errorf("%v, %d MiB: %d of 1, %d of 4, %d of 16", args, x.limitMB, left(1), left(4), left(16))
			}
		}
		if n := c.InfoInt("stats", "evicted_clients"); n != 5 {
			t.Errorf("%d were evicted", n)
		}
		// Whoever makes it too much is closed at once.
		network, address := srv.Address()
		big, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		defer big.Close()
		fmt.Fprintf(big, "CLIENT SETNAME big\r\n*1\r\n$%d\r\n%s", 64<<20, strings.Repeat("x", 20<<20)) // as much as it takes
		oracle.WaitFor(t, "the eviction", func() bool { return clientNamed(t, c, "big") == nil })
		if got := c.Do("PING"); got != "+PONG\r\n" {
			t.Error(got)
		}
	}
}

// A limit that half of some equal clients keep closes the other half and no more, whatever reactors they have and
// whatever the one that sets it is sent at the time.
func TestClientEvictionEndsAtLimit(t *testing.T) {
	const clients, bytes = 10, 1 << 20
	for _, args := range shapes {
		srv := oracle.Shoal(t, args...)
		c := srv.Dial(t)
		c.Do("CLIENT", "SETNAME", "control")
		c.Do("CLIENT", "NO-EVICT", "ON")
		memory := func(name string) (n int) {
			fmt.Sscan(clientNamed(t, c, name)["tot-mem"], &n)
			return n
		}
		one := 0
		for i := range clients {
			name := fmt.Sprint("client", i)
			begun(t, srv, name, bytes)
			oracle.WaitFor(t, "all that was sent", func() bool { return memory(name) > bytes+clientBytes })
			one = max(one, memory(name))
		}
		limit := one*clients/2 + memory("control")
		if got := c.Do("CONFIG", "SET", "maxmemory-clients", fmt.Sprint(limit)); got != "+OK\r\n" {
			t.Fatal(got)
		}
		for range 3 { // the replies must not make it too much
			if left := strings.Count(c.Do("CLIENT", "LIST"), " name=client"); left != clients/2 {
				t.Fatalf("%v: %d clients are left", args, left)
			}
		}
	}
}

// A client that does not read what it has asked for is closed.
func TestClientEvictionByOutput(t *testing.T) {
	for _, args := range shapes {
		srv := oracle.Shoal(t, append(args, "--maxmemory-clients", "20mb")...)
		c := srv.Dial(t)
		c.Do("SETRANGE", "k", "300000", "x")
		lazy := srv.Dial(t)
		lazy.Do("CLIENT", "SETNAME", "lazy")
		for range 200 {
			lazy.Send("GET", "k")
		}
		oracle.WaitFor(t, "the eviction", func() bool { return clientNamed(t, c, "lazy") == nil })
		if n := c.InfoInt("stats", "evicted_clients"); n != 1 {
			t.Errorf("%d were evicted", n)
		}
	}
}
