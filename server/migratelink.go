package server

import (
	"bufio"
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
)

const (
	maxMigrationLinks = 64               // kept open for the next MIGRATE
	migrationLinkIdle = 10 * time.Second // after which one is closed
)

// migrationLink is a connection to another server.
type migrationLink struct {
	conn  net.Conn
	r     *bufio.Reader
	db    int64 // that is selected there; -1: not known
	timer *time.Timer
}

// migrations keeps connections for the next MIGRATE. A connection serves one at a time.
type migrations struct {
	mu   sync.Mutex
	idle map[string]*migrationLink // by address
}

// count returns the number of connections that are kept.
func (s *migrations) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.idle)
}

// take returns the connection that is kept to address, or nil.
func (s *migrations) take(address string) *migrationLink {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.idle[address]
	if l == nil || !l.timer.Stop() {
		return nil
	}
	delete(s.idle, address)
	return l
}

// put keeps l for a while.
func (s *migrations) put(address string, l *migrationLink) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.idle == nil {
		s.idle = map[string]*migrationLink{}
	}
	if s.idle[address] != nil || len(s.idle) == maxMigrationLinks {
		l.conn.Close()
		return
	}
	s.idle[address] = l
	l.timer = time.AfterFunc(migrationLinkIdle, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.idle[address] == l {
			delete(s.idle, address)
		}
		l.conn.Close()
	})
}

// close closes the connections that are kept.
func (s *migrations) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for address, l := range s.idle {
		l.timer.Stop()
		l.conn.Close()
		delete(s.idle, address)
	}
}

// transfer sends the keys of m and reads what becomes of them. It may take as long as the timeout says, and longer for
// many keys. A connection that was kept may have been closed there, so it tries twice.
func (m *migration) transfer(s *migrations) {
	address := net.JoinHostPort(m.host, m.port)
	m.done = make([]bool, len(m.keys))
	for again := true; ; again = false {
		l := s.take(address)
		if l == nil {
			conn, err := net.DialTimeout("tcp", address, m.timeout())
			if err != nil {
				if m.failure = errMigrateOpen; errors.Is(err, syscall.ECONNREFUSED) {
					m.failure = errMigrateSend // as Redis, which does not notice before it writes
				}
				return
			}
			l = &migrationLink{conn: conn, r: bufio.NewReader(conn), db: -1}
		}
		replies, err := m.converse(l)
		if err == nil {
			s.put(address, l)
			return
		}
		l.conn.Close()
		if m.failure != "" && replies > 0 { // the other server's own error comes first
			return
		}
		if m.failure = errMigrateRead; errors.Is(err, errSending) {
			m.failure = errMigrateSend
		}
		if !again || replies > 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		m.failure = ""
	}
}

func (m *migration) timeout() time.Duration { return time.Duration(m.timeoutMS) * time.Millisecond }

var errSending = errors.New("sending")

// converse sends everything and reads the replies. It returns how many keys have been replied to; an error is one of
// the connection.
func (m *migration) converse(l *migrationLink) (replies int, err error) {
	var head []byte
	if m.auth != nil {
		head = resp.AppendArray(head, len(m.auth))
		for _, word := range m.auth {
			head = resp.AppendBulk(head, word)
		}
	}
	selects := l.db != m.db
	if selects {
		head = resp.AppendArray(head, 2)
		head = resp.AppendBulkString(head, "SELECT")
		head = resp.AppendBulkInt(head, m.db)
	}
	if err := errors.Join(m.write(l, head), m.write(l, m.sent)); err != nil {
		return 0, errors.Join(errSending, err)
	}
	refused := ""
	for range len(m.auth) / 2 { // AUTH has two words or three
		if err := m.read(l, &refused); err != nil {
			return 0, err
		}
	}
	if selects {
		if err := m.read(l, &refused); err != nil {
			return 0, err
		}
	}
	for i := range m.keys {
		failure := refused
		if err := m.read(l, &failure); err != nil {
			return i, err
		}
		if m.done[i] = failure == ""; !m.done[i] && m.failure == "" {
			m.failure = command.Error("ERR Target instance replied with error: " + failure)
		}
	}
	if l.db = m.db; m.failure != "" {
		l.db = -1
	}
	return len(m.keys), nil
}

// write sends b in pieces, each of which has the whole timeout.
func (m *migration) write(l *migrationLink, b []byte) error {
	const piece = 64 << 10
	for len(b) > 0 {
		n := min(len(b), piece)
		if err := l.conn.SetWriteDeadline(time.Now().Add(m.timeout())); err != nil {
			return err
		}
		if _, err := l.conn.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// read reads a reply of one line. failure becomes the first error among replies.
func (m *migration) read(l *migrationLink, failure *string) error {
	if err := l.conn.SetReadDeadline(time.Now().Add(m.timeout())); err != nil {
		return err
	}
	line, err := l.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if text := strings.TrimRight(string(line), "\r\n"); strings.HasPrefix(text, "-") && *failure == "" {
		*failure = text[1:]
	}
	return nil
}
