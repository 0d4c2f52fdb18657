package server

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// troubled is a target of MIGRATE that answers what a test wants, and notes what it gets.
type troubled struct {
	net.Listener
	// answer returns the reply to a command, which is number n of its connection; an empty one closes the connection,
	// and silent is none.
	answer func(conn, n int, words []string) string
	log    chan string
}

const silent = "silence"

func (x *troubled) serve() {
	for i := 0; ; i++ {
		conn, err := x.Accept()
		if err != nil {
			close(x.log)
			return
		}
		x.log <- "connection"
		x.talk(i, conn)
		conn.Close()
	}
}

func (x *troubled) talk(i int, conn net.Conn) {
	in := bufio.NewReader(conn)
	for n := 0; ; n++ {
		words, err := readCommand(in)
		if err != nil {
			return
		}
		x.log <- fmt.Sprintf("%q", words)
		switch reply := x.answer(i, n, words); reply {
		case "":
			return
		case silent:
		default:
			if _, err := conn.Write([]byte(reply)); err != nil {
				return
			}
		}
	}
}

// readCommand reads a command of bulk strings.
func readCommand(in *bufio.Reader) (words []string, err error) {
	number := func() (n int, err error) {
		line, err := in.ReadString('\n')
		if err == nil {
			n, err = strconv.Atoi(strings.TrimSpace(line[1:]))
		}
		return n, err
	}
	count, err := number()
	for ; err == nil && count > 0; count-- {
		var n int
		if n, err = number(); err != nil {
			break
		}
		word := make([]byte, n+2)
		_, err = io.ReadFull(in, word)
		words = append(words, string(word[:n]))
	}
	return words, err
}

// TestMigrateToTroubledTargets has both servers move keys to targets that refuse, fall silent or go away at each moment:
// replies, what is sent and what is left are the same.
func TestMigrateToTroubledTargets(t *testing.T) {
	restores := func(n int) bool { return n > 0 } // what follows SELECT
	cases := []struct {
		name    string
		timeout string
		options []string
		answer  func(conn, n int, words []string) string
	}{
		{"silent", "200", nil, func(conn, n int, words []string) string { return silent }},
		{"silent after SELECT", "200", nil, func(conn, n int, words []string) string {
			if restores(n) {
				return silent
			}
			return "+OK\r\n"
		}},
		{"silent after one key", "3000", nil, func(conn, n int, words []string) string {
			if n > 1 {
				return silent
			}
			return "+OK\r\n"
		}},
		{"loading", "100000", nil, func(conn, n int, words []string) string { return "-LOADING Redis is loading the dataset in memory\r\n" }},
		{"loading after SELECT", "100000", []string{"REPLACE"}, func(conn, n int, words []string) string {
			if restores(n) {
				return "-LOADING Redis is loading the dataset in memory\r\n"
			}
			return "+OK\r\n"
		}},
		{"no room for the first", "100000", nil, func(conn, n int, words []string) string {
			if n == 1 {
				return "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
			}
			return "+OK\r\n"
		}},
		{"no room for the last", "100000", []string{"COPY"}, func(conn, n int, words []string) string {
			if n == 3 {
				return "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
			}
			return "+OK\r\n"
		}},
		{"two errors", "100000", nil, func(conn, n int, words []string) string {
			if restores(n) {
				return "-ERR number " + strconv.Itoa(n) + "\r\n"
			}
			return "+OK\r\n"
		}},
		{"closed at the first reply, then well", "100000", nil, func(conn, n int, words []string) string {
			if conn == 0 {
				return ""
			}
			return "+OK\r\n"
		}},
		{"closed after SELECT, twice", "100000", nil, func(conn, n int, words []string) string {
			if restores(n) {
				return ""
			}
			return "+OK\r\n"
		}},
		{"closed after one key", "100000", nil, func(conn, n int, words []string) string {
			if n > 1 {
				return ""
			}
			return "+OK\r\n"
		}},
		{"an error, then closed", "100000", nil, func(conn, n int, words []string) string {
			switch n {
			case 0:
				return "+OK\r\n"
			case 1:
				return "-BUSYKEY Target key name already exists.\r\n"
			}
			return ""
		}},
		{"wrong password", "100000", []string{"AUTH", "x"}, func(conn, n int, words []string) string {
			if n == 0 {
				return "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
			}
			return "-NOAUTH Authentication required.\r\n"
		}},
		{"wrong password, but all else is well", "100000", []string{"AUTH2", "me", "x"}, func(conn, n int, words []string) string {
			if n == 0 {
				return "-WRONGPASS invalid username-password pair or user is disabled.\r\n"
			}
			return "+OK\r\n"
		}},
		{"no such database, but all else is well", "100000", nil, func(conn, n int, words []string) string {
			if restores(n) {
				return "+OK\r\n"
			}
			return "-ERR DB index is out of range\r\n"
		}},
	}
	theirs, ours := oracle.Redis(t), oracle.Shoal(t)
	run := func(s *oracle.Server, answer func(conn, n int, words []string) string, timeout string, options []string) (log []string) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		x := &troubled{l, answer, make(chan string, 1000)}
		go x.serve()
		host, port, _ := net.SplitHostPort(l.Addr().String())
		c := s.Dial(t)
		c.Do("FLUSHALL")
		c.Do("SET", "a", "1")
		c.Do("SET", "b", "text")
		c.Do("RPUSH", "c", "1", "2")
		args := append([]string{"MIGRATE", host, port, "", "5", timeout}, options...)
		log = append(log, c.Do(append(args, "KEYS", "a", "none", "b", "c")...), c.Do("EXISTS", "a"), c.Do("EXISTS", "b"), c.Do("EXISTS", "c"))
		l.Close()
		c.Do("FLUSHALL") // the connection that is kept, if any, is closed by the target at the end of the test
		for len(x.log) > 0 {
			log = append(log, <-x.log)
		}
		return log
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			want, got := run(theirs, x.answer, x.timeout, x.options), run(ours, x.answer, x.timeout, x.options)
			// What a target that goes away, or is given up, has read by then depends on the moment.
			if n := 4; strings.Contains(x.name, "silent") || strings.Contains(x.name, "closed") {
				want, got = want[:n], got[:n]
			}
			if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
				t.Errorf("%s\nredis-server:\n%s", a, b)
			}
		})
	}
}

// TestMigrateToOneThatDoesNotRead moves more than a connection takes up to a target that reads nothing.
func TestMigrateToOneThatDoesNotRead(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, port, _ := net.SplitHostPort(l.Addr().String())
	r := rand.New(rand.NewPCG(1, 1))
	noise := make([]byte, 24<<20) // so that it is not compressed
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	for _, s := range []*oracle.Server{oracle.Redis(t), oracle.Shoal(t)} {
		c := s.Dial(t)
		c.Do("SET", "k", string(noise))
		if got := c.Do("MIGRATE", host, port, "k", "0", "300"); got != "-IOERR error or timeout writing to target instance\r\n" {
			t.Errorf("%s: %q", s.Path, got)
		}
		if got := c.Do("STRLEN", "k"); got != fmt.Sprintf(":%d\r\n", len(noise)) {
			t.Errorf("%s: %q", s.Path, got)
		}
	}
}

// TestMigrateToLoading moves a key to servers that load their data.
func TestMigrateToLoading(t *testing.T) {
	args := []string{"--enable-debug-command", "yes", "--loading-process-events-interval-bytes", "1024"}
	for _, target := range []*oracle.Server{oracle.Redis(t, args...), oracle.Shoal(t, args...)} {
		there := target.Dial(t)
		there.Do("DEBUG", "POPULATE", "20000")
		there.Do("CONFIG", "SET", "key-load-delay", "50") // us
		host, port := hostPort(t, target)
		for _, source := range []*oracle.Server{oracle.Redis(t), oracle.Shoal(t)} {
			here := source.Dial(t)
			here.Do("SET", "k", "v")
			const want = "-ERR Target instance replied with error: LOADING Redis is loading the dataset in memory\r\n"
			// On a busy machine a load may be over before: then there is another.
			oracle.WaitFor(t, "a load that lasts", func() bool {
				there.Send("DEBUG", "RELOAD")
				ended := make(chan string, 1)
				go func() { reply, err := there.Conn.Reply(); ended <- fmt.Sprint(string(reply), err) }()
				refused := false
				for len(ended) == 0 && !refused {
					refused = here.Do("MIGRATE", host, port, "k", "0", "100000", "COPY", "REPLACE") == want
				}
				if got := <-ended; got != "+OK\r\n<nil>" {
					t.Fatal(got)
				}
				return refused
			})
			if got := here.Do("MIGRATE", host, port, "k", "0", "100000", "REPLACE"); got != "+OK\r\n" || here.Do("EXISTS", "k") != ":0\r\n" {
				t.Error(source.Path, got)
			}
		}
	}
}
