package load

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"
)

// Options say what a Generator connects to and how.
type Options struct {
	Network string // "tcp" (default) or "unix"
	Address string // host:port, or the path of a socket

	User, Password string // Password "": no AUTH
	DB             int
	RESP3          bool
	Tracking       bool   // CLIENT TRACKING on
	subscribe      string // to this channel; "": none

	Conns     int  // default 50
	Threads   int  // event loops (epoll engine only); default 1
	Reconnect bool // a new connection for each batch
	Portable  bool // package net instead of epoll

	// TLS, if set, encrypts the connections, which then go over package net. Its ServerName is to be set.
	TLS *tls.Config

	// CPUs pins the threads, one after the other, round robin; Linux only.
	CPUs []int

	// ServerPID is the process whose CPU time and memory a pass reports; 0: none.
	ServerPID int

	// Timeout ends a pass during which no reply arrives for so long although some are due; default 30 s.
	Timeout time.Duration

	// Progress, if set, is called during a pass, every ProgressEvery (default 250 ms).
	Progress      func(Progress)
	ProgressEvery time.Duration
}

// Progress tells how far a pass has come.
type Progress struct {
	Name    string
	Elapsed time.Duration
	Done    int64 // requests answered
	// LatencySum over all requests answered, so that the mean of an interval can be taken.
	LatencySum time.Duration
}

const (
	defaultConns    = 50
	defaultTimeout  = 30 * time.Second
	defaultProgress = 250 * time.Millisecond
)

// engine is a way to drive connections.
type engine interface {
	// workers returns one entry per goroutine that runs a pass.
	workers() []worker
	close()
}

// worker runs its share of a pass.
type worker interface {
	counts() *tally
	run(p *pass, index int) error
}

// Generator holds connections to one server. Its methods are for one goroutine.
type Generator struct {
	options Options
	engine  engine
	broken  error // the connections are in an unknown state
}

// Dial opens all connections and takes each through its set-up (HELLO, AUTH, SELECT...).
func Dial(o Options) (*Generator, error) {
	if o.Network == "" {
		o.Network = "tcp"
	}
	if o.Conns <= 0 {
		o.Conns = defaultConns
	}
	if o.Timeout <= 0 {
		o.Timeout = defaultTimeout
	}
	if o.ProgressEvery <= 0 {
		o.ProgressEvery = defaultProgress
	}
	o.Threads = min(max(o.Threads, 1), o.Conns)
	e, err := newEngine(&o)
	if err != nil {
		return nil, fmt.Errorf("could not connect to %s: %w", o.Address, err)
	}
	return &Generator{options: o, engine: e}, nil
}

// Close closes the connections.
func (g *Generator) Close() { g.engine.close() }

// Run drives one workload to its end, or until ctx is cancelled: then it stops sending,
// collects what is outstanding and returns what was measured.
func (g *Generator) Run(ctx context.Context, w Workload) (*Result, error) {
	if g.broken != nil {
		return nil, g.broken
	}
	if err := w.check(); err != nil {
		return nil, err
	}
	workers := g.engine.workers()
	p := newPass(&w, len(workers))
	for _, worker := range workers {
		worker.counts().begin(p)
	}
	before, err := g.usage()
	if err != nil {
		return nil, err
	}
	if err := g.drive(ctx, p, workers); err != nil {
		g.broken = err
		return nil, err
	}
	r := &Result{Name: w.Name, Latency: newHistogram(w.Precision), Abandoned: p.aborted.Load() && ctx.Err() == nil}
	for _, worker := range workers {
		worker.counts().addTo(r)
	}
	if before != nil {
		after, err := g.usage()
		if err != nil {
			return nil, err
		}
		r.Server = after.since(before)
	}
	return r, nil
}

func (g *Generator) usage() (*Usage, error) {
	if g.options.ServerPID == 0 {
		return nil, nil
	}
	return ReadUsage(g.options.ServerPID)
}

// drive runs the workers side by side and returns their first error.
func (g *Generator) drive(ctx context.Context, p *pass, workers []worker) error {
	errs := make([]error, len(workers))
	var running sync.WaitGroup
	p.start = time.Now()
	for i, w := range workers {
		running.Go(func() {
			if errs[i] = w.run(p, i); errs[i] != nil {
				p.aborted.Store(true)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		running.Wait()
		close(done)
	}()
	tick := time.NewTicker(g.options.ProgressEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return errors.Join(errs...)
		case <-ctx.Done():
			p.aborted.Store(true)
			<-done
			return errors.Join(errs...)
		case <-tick.C:
			if g.options.Progress != nil {
				g.options.Progress(progress(p, workers))
			}
		}
	}
}

func progress(p *pass, workers []worker) Progress {
	state := Progress{Name: p.workload.Name, Elapsed: time.Since(p.start)}
	for _, w := range workers {
		state.Done += w.counts().done.Load() / int64(p.workload.Replies)
		state.LatencySum += time.Duration(w.counts().latencySum.Load())
	}
	return state
}

// setup returns the requests that open a connection, and their number.
func (o *Options) setup() (wire []byte, replies int) {
	add := func(args ...string) {
		wire = append(wire, NewCommand(args...).Wire...)
		replies++
	}
	switch {
	case o.Password != "" && o.User != "":
		add("AUTH", o.User, o.Password)
	case o.Password != "":
		add("AUTH", o.Password)
	}
	if o.RESP3 {
		add("HELLO", "3")
	}
	if o.Tracking {
		add("CLIENT", "TRACKING", "ON")
	}
	if o.DB != 0 {
		add("SELECT", strconv.Itoa(o.DB))
	}
	if o.subscribe != "" {
		add("SUBSCRIBE", o.subscribe)
	}
	return wire, replies
}

// dial opens one connection and takes it through its set-up.
func (o *Options) dial() (net.Conn, error) {
	conn, err := net.DialTimeout(o.Network, o.Address, o.Timeout)
	if err != nil {
		return nil, err
	}
	if o.TLS != nil {
		secure := tls.Client(conn, o.TLS)
		conn.SetDeadline(time.Now().Add(o.Timeout))
		if err := secure.Handshake(); err != nil {
			conn.Close()
			return nil, err
		}
		conn.SetDeadline(time.Time{})
		conn = secure
	}
	if err := o.greet(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func (o *Options) greet(conn net.Conn) error {
	wire, replies := o.setup()
	if replies == 0 {
		return nil
	}
	conn.SetDeadline(time.Now().Add(o.Timeout))
	defer conn.SetDeadline(time.Time{})
	if _, err := conn.Write(wire); err != nil {
		return err
	}
	var s scanner
	var carry []byte
	buf := make([]byte, 4096)
	for replies > 0 {
		n, err := conn.Read(buf)
		if err != nil {
			return err
		}
		carry = append(carry, buf[:n]...)
		got, used := s.scan(carry)
		if used == malformed {
			return fmt.Errorf("not a RESP server: it answered %.40q", carry)
		}
		if s.firstError != "" {
			return errors.New(s.firstError)
		}
		carry = carry[used:]
		replies -= got
	}
	return nil
}
