package netio

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// The names of the engines, as Options.Engine takes them and Engine.Name gives them.
const (
	EngineAuto  = "auto"
	EngineURing = "io_uring"
	EngineGnet  = "gnet"
)

// Levels of Options.Logf, those of redis.
const (
	LevelDebug = iota
	LevelVerbose
	LevelNotice
	LevelWarning
)

// Errors that Handler.Closed may be given, besides those of the socket.
var (
	// ErrStopped closes the conns that are still open at Engine.Stop.
	ErrStopped = errors.New("the engine stops")
	// ErrNotRunning is returned by calls that come too early or too late.
	ErrNotRunning = errors.New("netio: the engine is not running")
)

// Options configure an Engine. The zero value is useful.
type Options struct {
	Engine       string        // "auto" (or empty), "io_uring" or "gnet"
	Reactors     int           // default 1
	CPUs         []int         // when set, the thread of reactor i is pinned to CPUs[i%len(CPUs)]
	Backlog      int           // of listen(2); default 511
	KeepAliveSec int           // idle seconds before TCP keepalive probes; 0 turns them off
	TickEvery    time.Duration // a busy reactor calls Tick at least this often; default 10 ms

	HandshakeTimeout time.Duration // how long a TLS handshake may take; default 30 s

	// Logf receives the few lines that netio has to say; it is called from any thread. Nil drops them.
	Logf func(level int, format string, a ...any)
}

// Handler is what a server does with its conns. All calls that concern one reactor come one after
// another from that reactor's own goroutine, and none may block.
type Handler interface {
	// Opened announces a new conn before anything was read from it. To refuse it, write an error and
	// call CloseAfterReply.
	Opened(c *Conn)
	// Data brings received bytes, in order. They lie in the receive buffer and are valid only during the
	// call, which must consume them all. Data is not called for a paused or closed conn.
	Data(c *Conn, in []byte)
	// Closed is called exactly once per opened conn, later in the turn that closed it and never from within
	// Close. err is nil if Close(nil) or CloseAfterReply ended it and io.EOF if the peer did. Pending bytes
	// are lost; releases of WriteRef may come after Closed.
	Closed(c *Conn, err error)
	// Tick does periodic work of bounded length, and returns how long an idle reactor may sleep until the
	// next one (0 or less: Options.TickEvery). A busy reactor ticks every TickEvery whatever was returned.
	Tick(r *Reactor) time.Duration
	// TurnEnd is called after all events of a turn were handled, before their replies are handed to the
	// kernel.
	TurnEnd(r *Reactor)
}

// An Engine is a set of reactors and their listeners.
type Engine struct {
	opts    Options
	handler Handler
	name    string
	reason  string
	epoch   time.Time // where the reactors' clocks begin

	reactors     []*Reactor
	keepAliveSec atomic.Int64
	tlsConfig    atomic.Pointer[tls.Config]
	shakers      chan struct{} // a place for each goroutine that may compute for a handshake
	lastConnID   atomic.Uint64
	spread       sync.Mutex // held while an accepted conn is assigned to the least loaded reactor

	mu        sync.Mutex // guards what follows
	listeners []*listener
	state     engineState
	wg        sync.WaitGroup
}

type engineState int

const (
	stateNew engineState = iota
	stateRunning
	stateStopped
)

// New probes the kernel and chooses the engine. Nothing runs before Start.
func New(o Options, h Handler) (*Engine, error) {
	if o.Reactors <= 0 {
		o.Reactors = 1
	}
	if o.Backlog <= 0 {
		o.Backlog = 511
	}
	if o.TickEvery <= 0 {
		o.TickEvery = 10 * time.Millisecond
	}
	if o.HandshakeTimeout <= 0 {
		o.HandshakeTimeout = 30 * time.Second
	}
	if o.Logf == nil {
		o.Logf = func(int, string, ...any) {}
	}
	e := &Engine{opts: o, handler: h, epoch: time.Now().Add(-time.Hour)}
	e.keepAliveSec.Store(int64(o.KeepAliveSec))
	e.shakers = make(chan struct{}, max(o.Reactors/2, 1))
	if err := e.choose(); err != nil {
		return nil, err
	}
	for i := range o.Reactors {
		e.reactors = append(e.reactors, newReactor(e, i))
	}
	return e, nil
}

// choose sets name and reason.
func (e *Engine) choose() error {
	switch e.opts.Engine {
	case EngineGnet:
		e.name, e.reason = EngineGnet, "as configured"
		return nil
	case EngineURing, EngineAuto, "":
	default:
		return fmt.Errorf("netio: unknown engine %q", e.opts.Engine)
	}
	flags, err := probeURing()
	switch {
	case err == nil:
		e.name, e.reason = EngineURing, flags
	case e.opts.Engine == EngineURing:
		return fmt.Errorf("netio: io_uring is not available: %w", err)
	default:
		e.name, e.reason = EngineGnet, "io_uring is not available: "+err.Error()
	}
	return nil
}

// Name is the engine in use, "io_uring" or "gnet".
func (e *Engine) Name() string { return e.name }

// Reason says in one line why the engine in use was chosen.
func (e *Engine) Reason() string { return e.reason }

// Reactors are the engine's event loops; the slice is fixed.
func (e *Engine) Reactors() []*Reactor { return e.reactors }

// NumConns counts the open conns of all reactors.
func (e *Engine) NumConns() int {
	n := 0
	for _, r := range e.reactors {
		n += r.NumConns()
	}
	return n
}

// Listen opens a listening socket: network is "tcp", "tcp4", "tcp6" or "unix", addr is host:port (port 0 lets the
// kernel choose) or a path. A unix socket gets the mode perm unless that is 0; an old socket file is replaced.
// Listen may be called before or after Start, on any thread, and returns the bound address.
func (e *Engine) Listen(network, addr string, perm os.FileMode) (net.Addr, error) {
	l, err := openListener(network, addr, perm, &e.opts, int(e.keepAliveSec.Load()))
	if err != nil {
		return nil, err
	}
	return e.add(l)
}

// ListenTLS is Listen for a TCP socket whose conns speak TLS. Handler.Opened is called when they are accepted, Data
// once the handshake is over; what is written before waits until then. A handshake that fails closes the conn with a
// HandshakeError.
func (e *Engine) ListenTLS(network, addr string) (net.Addr, error) {
	l, err := listenTCP(network, addr, &e.opts, int(e.keepAliveSec.Load()))
	if err != nil {
		return nil, err
	}
	l.tls = true
	return e.add(l)
}

// SetTLS gives the certificates and rules for conns that are accepted from now on; those that exist keep theirs. It
// must be called before ListenTLS, and config not be written to any more.
func (e *Engine) SetTLS(config *tls.Config) { e.tlsConfig.Store(config) }

// add begins to serve l.
func (e *Engine) add(l *listener) (net.Addr, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state == stateStopped {
		l.abandon()
		return nil, ErrNotRunning
	}
	e.listeners = append(e.listeners, l)
	if e.state == stateRunning {
		e.serve(l)
	}
	return l.addr, nil
}

// Unlisten closes the listening socket whose address Listen returned. No conn is accepted from it any more; those
// that exist go on. Like Listen it may be called on any thread and does not wait.
func (e *Engine) Unlisten(addr net.Addr) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, l := range e.listeners {
		if l.addr.Network() == addr.Network() && l.addr.String() == addr.String() {
			e.listeners = append(e.listeners[:i:i], e.listeners[i+1:]...)
			e.unserve(e.state, l)
			return nil
		}
	}
	return fmt.Errorf("netio: not listening on %s", addr)
}

// SetKeepAlive changes Options.KeepAliveSec for conns accepted from now on.
func (e *Engine) SetKeepAlive(sec int) {
	e.keepAliveSec.Store(int64(sec))
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.listeners {
		l.setKeepAlive(sec)
	}
}
