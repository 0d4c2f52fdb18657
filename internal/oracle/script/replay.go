package script

import (
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// Difference is a reply that is not the recorded one.
type Difference struct {
	Path      string
	Line      int
	Command   string
	Proto     int
	Got, Want string
}

func (d Difference) String() string {
	return fmt.Sprintf("%s:%d (RESP%d): %s\n got %s\nwant %s", d.Path, d.Line, d.Proto, d.Command,
		strings.ReplaceAll(d.Got, "\n", "\n     "), strings.ReplaceAll(d.Want, "\n", "\n     "))
}

// Protocols returns the protocols that the script is replayed with.
func (s *Script) Protocols() []int {
	switch {
	case !s.Resp2:
		return []int{3}
	case !s.Resp3:
		return []int{2}
	}
	return []int{2, 3}
}

// Replay runs the script on a server whose databases are empty, and returns the differences.
func (s *Script) Replay(server *oracle.Server, proto int) ([]Difference, error) {
	return s.differences(server, proto, false)
}

// Verify is Replay on redis-server: replies that are Shoal's own do not count.
func (s *Script) Verify(server *oracle.Server, proto int) ([]Difference, error) {
	return s.differences(server, proto, true)
}

func (s *Script) differences(server *oracle.Server, proto int, redis bool) ([]Difference, error) {
	var diffs []Difference
	err := s.run(server, proto, func(st *step, got string) {
		if got != st.want[proto] && !(redis && st.shoal) {
			diffs = append(diffs, Difference{s.Path, st.line, st.text, proto, got, st.want[proto]})
		}
	})
	return diffs, err
}

// Record runs the script on redis-server and keeps its replies.
func (s *Script) Record(server *oracle.Server, proto int) error {
	return s.run(server, proto, func(st *step, got string) {
		if !st.shoal {
			st.want[proto] = got
		}
	})
}

// run executes the steps and calls result for each with the reply.
func (s *Script) run(server *oracle.Server, proto int, result func(*step, string)) error {
	r := runner{server: server, proto: proto, conns: map[string]*oracle.Conn{}}
	defer r.close()
	for _, st := range s.steps {
		got, err := r.step(st)
		if err != nil {
			return fmt.Errorf("%s:%d (RESP%d): %s: %w", s.Path, st.line, proto, st.text, err)
		}
		result(st, got)
	}
	return nil
}

type runner struct {
	server *oracle.Server
	proto  int
	conns  map[string]*oracle.Conn
}

func (r *runner) close() {
	for _, c := range r.conns {
		c.Close()
	}
}

// conn returns the connection called name, new if there is none.
func (r *runner) conn(name string) (*oracle.Conn, error) {
	if c := r.conns[name]; c != nil {
		return c, nil
	}
	c, err := oracle.Dial(r.server.Address())
	if err != nil {
		return nil, err
	}
	r.conns[name] = c
	if r.proto == 3 {
		if reply, err := c.Do("HELLO", "3"); err != nil {
			return nil, fmt.Errorf("HELLO 3: %w after %q", err, reply)
		}
	}
	return c, nil
}

func (r *runner) step(st *step) (string, error) {
	c, err := r.conn(st.conn)
	if err != nil {
		return "", err
	}
	switch st.kind {
	case closed:
		return "", r.waitClosed(st, c)
	case read:
		return r.reply(st, c)
	}
	for end := time.Now().Add(oracle.Deadline); ; time.Sleep(time.Millisecond) {
		if err := send(st, c); err != nil || st.noReply {
			return "", err
		}
		got, err := r.reply(st, c)
		if err != nil || st.until == nil || st.until.MatchString(got) {
			return got, err
		}
		if time.Now().After(end) {
			return "", fmt.Errorf("the reply never matches %q: %s", st.until, got)
		}
	}
}

func send(st *step, c *oracle.Conn) error {
	if st.raw {
		return c.SendRaw([]byte(strings.Join(st.words, "")))
	}
	return c.Send(st.words...)
}

// waitClosed waits until the server has closed the connection, and forgets it.
func (r *runner) waitClosed(st *step, c *oracle.Conn) error {
	delete(r.conns, st.conn)
	defer c.Close()
	reply, err := c.Reply()
	if errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return fmt.Errorf("not closed: %q, %w", reply, err)
}

func (r *runner) reply(st *step, c *oracle.Conn) (string, error) {
	raw, err := c.Reply()
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		return "", fmt.Errorf("no reply in %v", oracle.Deadline)
	}
	if err != nil {
		return "", fmt.Errorf("%w after %q", err, raw)
	}
	got := oracle.Render(raw, r.proto)
	if st.sort {
		got = sortElements(got)
	}
	if st.mask != nil {
		got = st.mask.ReplaceAllString(got, "<*>")
	}
	if n, ok := integer(got); ok && st.between != nil && n >= st.between[0] && n <= st.between[1] {
		got = fmt.Sprintf(":%d..%d", st.between[0], st.between[1])
	}
	return got, nil
}

func integer(s string) (int64, bool) {
	if !strings.HasPrefix(s, ":") {
		return 0, false
	}
	n, err := strconv.ParseInt(s[1:], 10, 64)
	return n, err == nil
}

var inlineArray = regexp.MustCompile(`\[.*\]`)

// sortElements sorts the elements of each one-line array in a rendered reply, and those of a longer one if they are
// bulk strings. It is meant for keys, which hold no commas.
func sortElements(s string) string {
	lines := strings.Split(s, "\n")
	start := 0 // of a run of bulk strings with one indentation
	for i, line := range lines {
		lines[i] = inlineArray.ReplaceAllStringFunc(line, func(a string) string {
			elems := strings.Split(a[1:len(a)-1], ", ")
			slices.Sort(elems)
			return "[" + strings.Join(elems, ", ") + "]"
		})
		if depth(line) < 0 || depth(line) != depth(lines[start]) {
			slices.Sort(lines[start:i])
			start = i
		}
	}
	slices.Sort(lines[start:])
	return strings.Join(lines, "\n")
}

// depth returns the indentation of a line that is a bulk string, else -1.
func depth(line string) int {
	trimmed := strings.TrimLeft(line, " ")
	if !strings.HasPrefix(trimmed, `"`) {
		return -1
	}
	return len(line) - len(trimmed)
}
