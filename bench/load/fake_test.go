package load

import (
	"bufio"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// fake is a server that reads RESP commands and answers as told.
type fake struct {
	network, address string
	requests         atomic.Int64
	// answer gives the reply to a request, n counting all of the server's requests from 0; "" closes the
	// connection. nil answers +OK.
	answer func(n int64, args []string) string
	// stallAt makes the whole server stand still for stall when that request arrives.
	stallAt int64
	stall   time.Duration
	gate    sync.RWMutex
}

// start listens and serves until the test ends.
func (f *fake) start(t testing.TB) {
	t.Helper()
	if f.network == "" {
		f.network, f.address = "tcp", "127.0.0.1:0"
	} else {
		f.address = filepath.Join(t.TempDir(), "s")
	}
	listener, err := net.Listen(f.network, f.address)
	if err != nil {
		t.Fatal(err)
	}
	f.address = listener.Addr().String()
	var serving sync.WaitGroup
	stop := make(chan struct{})
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				go func() { <-stop; conn.Close() }()
				f.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		close(stop)
		serving.Wait()
	})
}

func (f *fake) serve(conn net.Conn) {
	r, w := bufio.NewReader(conn), bufio.NewWriter(conn)
	for {
		args, err := readCommand(r)
		if err != nil {
			return
		}
		n := f.requests.Add(1) - 1
		if f.stall > 0 && n == f.stallAt {
			f.gate.Lock()
			time.Sleep(f.stall)
			f.gate.Unlock()
		}
		f.gate.RLock()
		reply := "+OK\r\n"
		if f.answer != nil {
			reply = f.answer(n, args)
		}
		f.gate.RUnlock()
		if reply == "" {
			w.Flush()
			return
		}
		w.WriteString(reply)
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
	}
}

// readCommand reads an array of bulk strings.
func readCommand(r *bufio.Reader) ([]string, error) {
	count, err := readLength(r)
	if err != nil {
		return nil, err
	}
	args := make([]string, count)
	for i := range args {
		size, err := readLength(r)
		if err != nil {
			return nil, err
		}
		b := make([]byte, size+2)
		for n := 0; n < len(b); {
			k, err := r.Read(b[n:])
			if err != nil {
				return nil, err
			}
			n += k
		}
		args[i] = string(b[:size])
	}
	return args, nil
}

func readLength(r *bufio.Reader) (int, error) {
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, err
		}
		if line != "\r\n" { // blank lines between commands are ignored, as servers do
			return strconv.Atoi(line[1 : len(line)-2])
		}
	}
}
