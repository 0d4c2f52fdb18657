// Command pingserver answers +PONG to whatever looks like a PING, for measuring netio alone: the least that any
// server on top of it can cost. It counts line feeds: three per RESP command, one per inline command.
//
//	pingserver -engine io_uring -port 7000 -reactors 1
//	redis-benchmark -p 7000 -t ping_mbulk -P 16 -n 1000000
package main

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/shoaldb/shoal/netio"
)

type pinger struct{}

// A client's state: line feeds still to come before the command is complete.
type client struct{ left int }

func (pinger) Opened(c *netio.Conn)              { c.User = &client{} }
func (pinger) Closed(*netio.Conn, error)         {}
func (pinger) TurnEnd(*netio.Reactor)            {}
func (pinger) Tick(*netio.Reactor) time.Duration { return 100 * time.Millisecond }
func (pinger) Data(c *netio.Conn, in []byte) {
	cl := c.User.(*client)
	out := c.Out()
	for len(in) > 0 {
		if cl.left == 0 {
			if cl.left = 1; in[0] == '*' {
				cl.left = 3
			}
		}
		i := bytes.IndexByte(in, '\n')
		if i < 0 {
			break
		}
		in = in[i+1:]
		if cl.left--; cl.left == 0 {
			out = append(out, "+PONG\r\n"...)
		}
	}
	c.SetOut(out)
}

func main() {
	engine := flag.String("engine", "auto", "auto, io_uring or gnet")
	port := flag.Int("port", 7000, "TCP port on 127.0.0.1")
	reactors := flag.Int("reactors", 1, "number of reactors")
	pprof := flag.String("pprof", "", "address of a pprof server")
	flag.Parse()
	runtime.GOMAXPROCS(*reactors + 1)
	if *pprof != "" {
		go func() { _ = http.ListenAndServe(*pprof, nil) }()
	}
	logf := func(_ int, f string, a ...any) { fmt.Fprintf(os.Stderr, f+"\n", a...) }
	e, err := netio.New(netio.Options{Engine: *engine, Reactors: *reactors, Logf: logf}, pinger{})
	if err == nil {
		_, err = e.Listen("tcp", "127.0.0.1:"+strconv.Itoa(*port), 0)
	}
	if err == nil {
		err = e.Start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Printf("%s: %s\n", e.Name(), e.Reason())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	e.Stop()
}
