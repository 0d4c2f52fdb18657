package oracle

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Conn is a connection that sends commands and returns replies as the bytes that came.
type Conn struct {
	net.Conn
	Timeout time.Duration // for a write, and for a reply; Deadline unless changed
	r       *bufio.Reader
	buf     []byte // the reply being read
}

// Dial connects to a server.
func Dial(network, addr string) (*Conn, error) {
	c, err := net.DialTimeout(network, addr, Deadline)
	if err != nil {
		return nil, err
	}
	return NewConn(c), nil
}

// NewConn wraps a connection.
func NewConn(c net.Conn) *Conn {
	return &Conn{Conn: c, Timeout: Deadline, r: bufio.NewReaderSize(c, 64<<10)}
}

// AppendCommand appends a command in RESP to dst.
func AppendCommand(dst []byte, args ...string) []byte {
	dst = fmt.Appendf(dst, "*%d\r\n", len(args))
	for _, a := range args {
		dst = fmt.Appendf(dst, "$%d\r\n", len(a))
		dst = append(dst, a...)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// Send sends a command.
func (c *Conn) Send(args ...string) error { return c.SendRaw(AppendCommand(nil, args...)) }

// SendRaw sends bytes.
func (c *Conn) SendRaw(b []byte) error {
	if err := c.SetWriteDeadline(time.Now().Add(c.Timeout)); err != nil {
		return err
	}
	_, err := c.Write(b)
	return err
}

// Do sends a command and returns the first reply that comes.
func (c *Conn) Do(args ...string) ([]byte, error) {
	if err := c.Send(args...); err != nil {
		return nil, err
	}
	return c.Reply()
}

// Reply reads one reply and returns its bytes, a copy. A push is a reply. What came before an error is returned with the
// error; io.EOF means that the server closed the connection between two replies.
func (c *Conn) Reply() ([]byte, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.Timeout)); err != nil {
		return nil, err
	}
	c.buf = c.buf[:0]
	err := c.value()
	if len(c.buf) > 0 && errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return bytes.Clone(c.buf), err
}

// value appends one value, with all that belongs to it, to buf.
func (c *Conn) value() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	switch line[0] {
	case '+', '-', ':', ',', '(', '#', '_':
		return nil
	case '$', '=', '!':
		return c.bulk(line)
	case '*', '~', '>':
		return c.elements(line, 1)
	case '%':
		return c.elements(line, 2)
	case '|': // attributes, followed by the value that has them
		if err := c.elements(line, 2); err != nil {
			return err
		}
		return c.value()
	}
	return fmt.Errorf("not RESP: %q", line)
}

// line reads up to CRLF. The result aliases buf until the next read.
func (c *Conn) line() ([]byte, error) {
	start := len(c.buf)
	for {
		part, err := c.r.ReadSlice('\n')
		c.buf = append(c.buf, part...)
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if line := c.buf[start:]; bytes.HasSuffix(line, []byte("\r\n")) && len(line) > 2 {
			return line[:len(line)-2], nil
		} else if err == nil && len(line) <= 2 {
			return nil, fmt.Errorf("not RESP: %q", line)
		}
	}
}

func (c *Conn) bulk(line []byte) error {
	n, err := strconv.Atoi(string(line[1:]))
	if err != nil || n < -1 {
		return fmt.Errorf("not a bulk length: %q", line)
	}
	if n == -1 {
		return nil
	}
	start := len(c.buf)
	c.buf = append(c.buf, make([]byte, n+2)...)
	got, err := io.ReadFull(c.r, c.buf[start:])
	c.buf = c.buf[:start+got]
	if err == nil && !bytes.HasSuffix(c.buf, []byte("\r\n")) {
		err = fmt.Errorf("a bulk of %d bytes does not end with CRLF", n)
	}
	return err
}

func (c *Conn) elements(line []byte, each int) error {
	n, err := strconv.Atoi(string(line[1:]))
	if err != nil || n < -1 {
		return fmt.Errorf("not a number of elements: %q", line)
	}
	for range n * each {
		if err := c.value(); err != nil {
			return err
		}
	}
	return nil
}

// Client is a Conn for tests: whatever fails ends the test.
type Client struct {
	*Conn
	t testing.TB
}

// Dial connects to the server. The connection is closed when the test ends.
func (s *Server) Dial(t testing.TB) *Client {
	t.Helper()
	network, addr := s.Address()
	c, err := Dial(network, addr)
	if err != nil {
		t.Fatalf("cannot connect: %v\n%s", err, s.Log())
	}
	t.Cleanup(func() { c.Close() })
	return &Client{c, t}
}

// Do sends a command and returns the reply's bytes.
func (c *Client) Do(args ...string) string {
	c.t.Helper()
	reply, err := c.Conn.Do(args...)
	if err != nil {
		c.t.Fatalf("%q: %v after %q", args, err, reply)
	}
	return string(reply)
}

// Send sends a command.
func (c *Client) Send(args ...string) {
	c.t.Helper()
	if err := c.Conn.Send(args...); err != nil {
		c.t.Fatalf("cannot send %q: %v", args, err)
	}
}

// SendRaw sends bytes.
func (c *Client) SendRaw(b string) {
	c.t.Helper()
	if err := c.Conn.SendRaw([]byte(b)); err != nil {
		c.t.Fatalf("cannot send: %v", err)
	}
}

// Reply reads one reply.
func (c *Client) Reply() string {
	c.t.Helper()
	reply, err := c.Conn.Reply()
	if err != nil {
		c.t.Fatalf("no reply: %v after %q", err, reply)
	}
	return string(reply)
}

// ReadAll returns all bytes until the server closes the connection.
func (c *Client) ReadAll() string {
	c.t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(c.Timeout)); err != nil {
		c.t.Fatal(err)
	}
	b, err := io.ReadAll(c.r)
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		c.t.Fatalf("the server keeps the connection open after %q", b)
	}
	return string(b)
}

// Info asks for sections of INFO, by default the default ones, and returns the values of all fields by their names.
func (c *Client) Info(sections ...string) map[string]string {
	c.t.Helper()
	fields := map[string]string{}
	for line := range strings.SplitSeq(c.Do(append([]string{"INFO"}, sections...)...), "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

// InfoInt asks for a section of INFO and returns a field that is an integer.
func (c *Client) InfoInt(section, name string) int64 {
	c.t.Helper()
	text := c.Info(section)[name]
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		c.t.Fatalf("INFO %s says %s:%s, which is no integer", section, name, text)
	}
	return n
}
