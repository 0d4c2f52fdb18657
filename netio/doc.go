// Package netio is an event loop per core: reactors, their conns, and the buffers between them and the kernel. It
// moves bytes and knows no protocol; a [Handler] gives them meaning.
//
// # Who owns what
//
//	Engine ---- Reactor 0 ---- Conn, Conn, ...      one goroutine per reactor
//	       \--- Reactor 1 ---- Conn, Conn, ...      a conn stays with its reactor for life
//	        \-- ...
//
// A reactor, its conns and its buffers are touched by the reactor's goroutine alone: no locks. Whoever is elsewhere
// posts a function ([Reactor.Post]) into the reactor's mailbox, a lock-free queue; the reactor is woken only if it
// sleeps. A handler must not block: everybody on its reactor would wait.
//
// Each TCP address has one listening socket per reactor (SO_REUSEPORT), so that the kernel spreads the work of
// accepting. Its hash does not spread few conns evenly; so the reactor that accepts hands the socket to the one with the
// fewest conns, before anything is read.
//
// # A turn
//
//	      +--> enter the kernel: submit the last turn's requests, take what is complete  <---+
//	      |      nothing there: sleep until something is, or a tick is due                    |
//	      |                                                                                   |
//	      |    events      new conn -> Opened     bytes -> Data     sent -> next slice        |
//	      |    mailbox     posted functions                                                   |
//	one   |    resumed     bytes that came while reading was paused -> Data                   |
//	turn  |    Tick        if it is due                                                       |
//	      |    Closed      for each conn closed in this turn                                  |
//	      |    TurnEnd                                                                        |
//	      |    flush       one send per conn with new replies                                 |
//	      +-----------------------------------------------------------------------------------+
//
// Replies are appended to [Conn.Out] in between and cost no system call each. The io_uring engine takes all that is
// complete as one turn and submits all sends with one io_uring_enter. The gnet engine takes all sockets that one
// epoll_wait finds ready as one turn, and needs a read and a write for each; on kqueue its turn is one event.
//
// # Buffers
//
// Received bytes lie in a buffer of the reactor's and are lent to Data for the call. A conn without traffic holds no
// buffer at all.
//
//	  append        seal at 256 KiB,      load            kernel has taken it
//	Out ----------> rest ---------------> head ---------> back to the pool, or release()
//	                 ^                     lent to the kernel, at most 256 KiB at a time:
//	WriteRef --------+                     untouched until its completion
//
// Out-buffers come from a small pool per reactor and go back when they are sent. A conn that is closed keeps what is
// lent to the kernel until the kernel's last completion, which its cancellation brings about at once; only then are
// the buffers reused, the release functions called and the descriptor closed. A completion names its conn by
// index and generation, so that none can reach a successor.
//
// # TLS
//
// A conn of [Engine.ListenTLS] is encrypted, which its handler does not notice. crypto/tls works on memory in place of
// a socket: what a reactor has received is decrypted in its turn and handed to Data, and pending replies are encrypted
// when the socket has room for them, at most 256 KiB at a time. So an established conn has no goroutine, and the
// replies of a turn share records. Only the handshake, which computes for about a millisecond, has one, from the peer's
// first record on; half as many of them as there are reactors compute at a time. A handshake that takes longer than
// Options.HandshakeTimeout ends the conn, and a peer that sends much in advance has to wait for its end. OutPending
// counts what is not encrypted yet and what is.
//
// # Engines
//
// io_uring (Linux 6.0 or later, amd64 and arm64) is the faster one; package uring has the kernel's side of it. Everything
// else runs on the gnet engine, also where a sandbox forbids io_uring, as containers' default profiles do: gnet's
// system call layer (github.com/panjf2000/gnet/v2/pkg: netpoll, io, socket) under the same conns as above. gnet's own event
// loop is not used: it ends when descriptors run out, cannot stop reading, copies what a socket does not
// take at once, and has its listeners fixed at the start. Nor is its poller on Linux: it calls back for one event at a time,
// so that each would be a turn, and tells Go's scheduler about every system call; the two cost 20 % at one request a turn.
//
// # Bounds
//
// No conn may hold up the others: one receive is at most 16 KiB (gnet: 64 KiB), and a conn that fills buffer after
// buffer gets one a turn; one send is at most 256 KiB, all sends of a turn about 1 MiB. OutPending is for the handler to
// bound: a reader that never reads keeps its replies until Close.
package netio
