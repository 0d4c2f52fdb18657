package load

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// Client asks a server single questions, in RESP2, beside the load: its settings, its pid.
type Client struct {
	conn    net.Conn
	reader  *bufio.Reader
	timeout time.Duration
}

// DialClient connects as a Generator would.
func DialClient(o Options) (*Client, error) {
	if o.Network == "" {
		o.Network = "tcp"
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	o.RESP3, o.Tracking = false, false
	conn, err := o.dial()
	if err != nil {
		return nil, err
	}
	return &Client{conn: conn, reader: bufio.NewReader(conn), timeout: o.Timeout}, nil
}

// Close closes the connection.
func (c *Client) Close() error { return c.conn.Close() }

// Do sends one command. The reply is a string, an int64, nil or a []any of these; an error reply is
// returned as an error.
func (c *Client) Do(args ...string) (any, error) {
	c.conn.SetDeadline(time.Now().Add(c.timeout))
	if _, err := c.conn.Write(NewCommand(args...).Wire); err != nil {
		return nil, err
	}
	return c.reply()
}

// Feed sends n commands, batch of them at a time, which request appends one after the other. It ends at the first
// error reply.
func (c *Client) Feed(n int64, batch int, request func(dst []byte, i int64) []byte) error {
	var out []byte
	for i := int64(0); i < n; {
		out = out[:0]
		first := i
		for ; i < n && i < first+int64(batch); i++ {
			out = request(out, i)
		}
		c.conn.SetDeadline(time.Now().Add(c.timeout))
		if _, err := c.conn.Write(out); err != nil {
			return err
		}
		var failed error
		for range i - first { // all of them, so that the next command meets its own reply
			_, err := c.reply()
			var network net.Error
			if errors.Is(err, io.EOF) || errors.As(err, &network) {
				return err
			}
			failed = cmp.Or(failed, err)
		}
		if failed != nil {
			return failed
		}
	}
	return nil
}

// Text sends a command that answers with a string.
func (c *Client) Text(args ...string) (string, error) {
	reply, err := c.Do(args...)
	if err != nil {
		return "", err
	}
	text, ok := reply.(string)
	if !ok {
		return "", fmt.Errorf("%s: unexpected reply %v", args[0], reply)
	}
	return text, nil
}

func (c *Client) reply() (any, error) {
	line, err := c.reader.ReadString('\n')
	if err != nil {
		return nil, err
	}
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return nil, fmt.Errorf("not RESP: %.40q", line)
	}
	text := line[1 : len(line)-2]
	switch line[0] {
	case '+':
		return text, nil
	case '-':
		return nil, errors.New(text)
	case ':':
		return strconv.ParseInt(text, 10, 64)
	case '$', '*':
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return nil, err
		}
		if line[0] == '$' {
			return c.bulk(n)
		}
		return c.array(n)
	}
	return nil, fmt.Errorf("not RESP2: %.40q", line)
}

func (c *Client) bulk(n int) (any, error) {
	b := make([]byte, n+2)
	if _, err := io.ReadFull(c.reader, b); err != nil {
		return nil, err
	}
	return string(b[:n]), nil
}

// array reads n elements. An error reply among them is kept as an element.
func (c *Client) array(n int) (any, error) {
	list := make([]any, n)
	for i := range list {
		element, err := c.reply()
		var network net.Error
		if errors.Is(err, io.EOF) || errors.As(err, &network) {
			return nil, err
		}
		if list[i] = element; err != nil {
			list[i] = err
		}
	}
	return list, nil
}
