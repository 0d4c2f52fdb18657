package test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// Guessing passwords in long pipelines from many connections gets none of them in, and does not keep others from work. What is
// logged of it stays bounded.
func TestHostilePasswordGuessing(t *testing.T) {
	hostile(t, func(t *testing.T, srv *oracle.Server) {
		c := srv.Dial(t)
		c.Do("ACL", "SETUSER", "admin", "on", ">secret", "~*", "&*", "+@all")
		c.Do("AUTH", "admin", "secret")
		c.Do("ACL", "SETUSER", "default", "-@admin")
		whileOthersWork(t, srv, func() {
			var all sync.WaitGroup
			for g := range 8 {
				c := srv.Dial(t)
				all.Go(func() {
					const guesses = 5000
					var b []byte
					for i := range guesses {
						b = oracle.AppendCommand(b, "AUTH", "admin", fmt.Sprintf("secre%d-%d", g, i))
					}
					b = oracle.AppendCommand(b, "CONFIG", "GET", "*")
					go c.SendRaw(string(b))
					for range guesses {
						if got := c.Reply(); !strings.HasPrefix(got, "-WRONGPASS") {
							t.Errorf("%q", got)
							return
						}
					}
					if got := c.Reply(); !strings.HasPrefix(got, "-NOPERM") {
						t.Errorf("%q", got)
					}
				})
			}
			all.Wait()
		})
		if got := c.Do("ACL", "LOG", "100000"); strings.Count(got, "client-info") != 2 {
			t.Errorf("%.1000q", got)
		}
		c.Do("ACL", "SETUSER", "default", "+@all") // as it was
	})
}

// Keys of any length that are refused, each once, fill a log of bounded length with bounded entries.
func TestHostileACLLog(t *testing.T) {
	hostile(t, func(t *testing.T, srv *oracle.Server) {
		admin := srv.Dial(t)
		admin.Do("ACL", "SETUSER", "small", "on", "nopass", "+@all", "-@dangerous", "~others", "resetchannels")
		whileOthersWork(t, srv, func() {
			c := srv.Dial(t)
			c.Do("AUTH", "small", "x")
			for i := range 200 {
				if got := c.Do("GET", fmt.Sprint(i)+strings.Repeat("k", 300<<10)); !strings.HasPrefix(got, "-NOPERM") {
					t.Fatalf("%q", got)
				}
			}
			for i := range 2000 {
				if got := c.Do("PUBLISH", fmt.Sprint(i), "x"); !strings.HasPrefix(got, "-NOPERM") {
					t.Fatalf("%q", got)
				}
			}
			c.Do("GET", strings.Repeat("k", 300<<10))
		})
		got := admin.Do("ACL", "LOG", "100000")
		if !strings.HasPrefix(got, "*16\r\n") || len(got) > 1<<20 {
			t.Errorf("%d bytes: %.40q", len(got), got)
		}
	}, "--acllog-max-len", "16")
}

// Thousands of users and selectors without end take time of those that use them, and of the one who makes them.
func TestHostileSelectors(t *testing.T) {
	hostile(t, func(t *testing.T, srv *oracle.Server) {
		admin, user := srv.Dial(t), srv.Dial(t)
		admin.Do("ACL", "SETUSER", "many", "on", "nopass")
		user.Do("AUTH", "many", "x")
		whileOthersWork(t, srv, func() {
			const rounds, each = 2, 1000 // a user has at most 4096 selectors and patterns
			for i := range rounds + 2 {
				rules := []string{"ACL", "SETUSER", "many"}
				for j := range each {
					rules = append(rules, fmt.Sprintf("(+get ~key%d-%d)", i, j))
				}
				want := "+OK\r\n"
				if i >= rounds {
					want = "-ERR A user may have at most 4096 rules"
				}
				if got := admin.Do(rules...); !strings.HasPrefix(got, want) {
					t.Fatal(got)
				}
			}
			if got := user.Do("GET", fmt.Sprintf("key%d-%d", rounds-1, each-1)); got != "$-1\r\n" {
				t.Error(got)
			}
			if got := user.Do("GET", "key"); !strings.HasPrefix(got, "-NOPERM") {
				t.Error(got)
			}
			if got := admin.Do("ACL", "SETUSER", "many", strings.Repeat("(", 10000)); !strings.HasPrefix(got, "-ERR") {
				t.Error(got)
			}
			for i := range 5000 {
				if got := admin.Do("ACL", "SETUSER", fmt.Sprintf("user%d", i), "on", fmt.Sprintf(">pass%d", i), "+@read", fmt.Sprintf("~%d:*", i)); got != "+OK\r\n" {
					t.Fatal(got)
				}
			}
			if got := admin.Do("ACL", "LIST"); !strings.HasPrefix(got, "*5002\r\n") {
				t.Errorf("%.20q", got)
			}
		})
	})
}

// A client that kills itself gets its reply, and what it has sent behind that is not run.
func TestHostileKillOneself(t *testing.T) {
	hostile(t, func(t *testing.T, srv *oracle.Server) {
		other := srv.Dial(t)
		kill := func(c *oracle.Client, words ...string) [][]string {
			id := strings.Trim(c.Do("CLIENT", "ID"), ":\r\n")
			return [][]string{append([]string{"CLIENT", "KILL", "ID", id}, words...)}
		}
		for name, f := range map[string]func(c *oracle.Client) (cmds [][]string, want string){
			"by number": func(c *oracle.Client) ([][]string, string) { return kill(c, "SKIPME", "no"), ":1\r\n" },
			"by address": func(c *oracle.Client) ([][]string, string) {
				return [][]string{{"CLIENT", "KILL", c.Conn.LocalAddr().String()}}, "+OK\r\n"
			},
			"in a transaction": func(c *oracle.Client) ([][]string, string) {
				cmds := append([][]string{{"MULTI"}}, kill(c, "SKIPME", "no")...)
				return append(cmds, []string{"ECHO", "x"}, []string{"EXEC"}), "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n$1\r\nx\r\n"
			},
			"with its user": func(c *oracle.Client) ([][]string, string) {
				other.Do("ACL", "SETUSER", "gone", "on", "nopass", "+@all", "~*")
				c.Do("AUTH", "gone", "x")
				return [][]string{{"ACL", "DELUSER", "gone"}}, ":1\r\n"
			},
		} {
			c := srv.Dial(t)
			cmds, want := f(c)
			var b []byte
			for _, words := range append(cmds, []string{"SET", "after " + name, "x"}) {
				b = oracle.AppendCommand(b, words...)
			}
			c.SendRaw(string(b))
			if got := c.ReadAll(); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
			if got := other.Do("EXISTS", "after "+name); got != ":0\r\n" {
				t.Errorf("%s: what came behind was run", name)
			}
		}
		c := srv.Dial(t)
		if got := c.Do(kill(c)[0]...); got != ":0\r\n" { // SKIPME is yes by default
			t.Error(got)
		}
		c.Do("PING")
	})
}

// A monitor that does not read is closed when its output reaches the limit; others do not notice.
func TestHostileMonitor(t *testing.T) {
	for _, limit := range []string{"normal 4mb 0 0", "replica 4mb 0 0"} {
		hostile(t, func(t *testing.T, srv *oracle.Server) {
			admin := srv.Dial(t)
			var lazy []net.Conn
			for range 4 {
				network, addr := srv.Address()
				c, err := net.Dial(network, addr)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				c.(*net.TCPConn).SetReadBuffer(4096)
				fmt.Fprintf(c, "CLIENT SETNAME lazy\r\nMONITOR\r\n")
				lazy = append(lazy, c)
			}
			watching := func() int { return strings.Count(admin.Do("CLIENT", "LIST"), " name=lazy ") }
			oracle.WaitFor(t, "the monitors", func() bool { return strings.Count(admin.Do("CLIENT", "LIST"), " flags=O ") == len(lazy) })
			whileOthersWork(t, srv, func() {
				c := srv.Dial(t)
				value := strings.Repeat("v", 10000)
				deadline := time.Now().Add(oracle.Deadline)
				for watching() > 0 && time.Now().Before(deadline) {
					for range 100 {
						c.Send("SET", "k", value)
					}
					for range 100 {
						c.Reply()
					}
				}
			})
			if n := watching(); n > 0 {
				t.Errorf("%d monitors are still there", n)
			}
			for _, c := range lazy {
				c.Close()
			}
		}, "--client-output-buffer-limit", limit)
	}
}
