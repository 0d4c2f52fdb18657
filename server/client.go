package server

import (
	"github.com/shoaldb/shoal/acl"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/netio"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

// clientFlags are the states of a client that dispatch must look at before it runs a command.
type clientFlags uint32

const (
	clientNeedsAuth clientFlags = 1 << iota // has not authenticated yet
	clientReplyOff                          // CLIENT REPLY OFF
	clientReplySkip                         // the next command's reply is dropped
	clientSkipping                          // the present command's reply is dropped, also one that comes later
	clientSuspended                         // waits: its next commands are not run
	clientClosing                           // closes after its reply
	clientNoEvict                           // CLIENT NO-EVICT ON
	clientNoTouch                           // CLIENT NO-TOUCH ON
	clientBlocked                           // suspended by a blocking command: counts in blocked_clients
	clientPaused                            // suspended by CLIENT PAUSE
	clientStreaming                         // the reply to its command goes out in steps
	clientMulti                             // in a transaction: its commands are queued
	clientTracking                          // CLIENT TRACKING ON
	clientCaching                           // CLIENT CACHING was the last command

	clientSubscribed // has subscriptions: it listens to pub/sub
	clientRestricted // its user may not do everything
	clientMonitor    // MONITOR

	// clientSlow are the states in which a command does not take the fast path.
	clientSlow = clientNeedsAuth | clientReplyOff | clientReplySkip | clientSkipping | clientSuspended | clientClosing | clientNoTouch | clientCaching | clientSubscribed | clientMonitor
)

// clientUnusual are the states in which even a plain command needs more than to be run.
const clientUnusual = clientSlow | clientRestricted | clientMulti | clientTracking

// Client is one connection. It belongs to its reactor; nothing in it may be touched by another.
type Client struct {
	conn     *netio.Conn
	reactor  *reactor
	id       uint64
	flags    clientFlags
	proto    uint8
	db       int
	parser   resp.Parser
	headSpec *command.Spec // of the command that the parser has returned last; nil: unknown
	large    largeBuffers

	name, libName, libVer string
	user                  *acl.User
	allowed               *command.Spec // a plain command that user may run, with some keys at least; nil: not known
	createdMS             int64
	weighed               int // bytes that the client is counted with in its reactor's sum
	sizeClass             int // that it is counted in, plus one; 0: none
	lastCommand           *command.Spec
	queued                [][][]byte // commands parsed but not run when the client was suspended
	block                 *blocked   // the blocking command that has suspended it
	closeAfter            bool       // closes once the reply to its own CLIENT KILL is sent
	killed                bool       // is about to be closed because of CLIENT KILL
	index                 int        // in the reactor's list
	unfinished            *unfinished
	softLimitMS           int64 // since when the output is over the soft limit; 0: it is not
	commands              int64
	wrote                 int64          // where in the journal the effects of its last command that had any end
	flushes               int            // FLUSHALLs whose empty file is yet to be written
	multi                 *transaction   // nil outside of one
	watching              *shard.Watcher // nil if it never has
	tracked               tracked
	sub                   *subscriber // nil without subscriptions
	seen                  uint64      // the last delivery that it has got, or could have got
	pushes                []byte      // messages that wait for the end of the present reply
}

// ID returns the client's number, unique in the server's life.
func (cl *Client) ID() uint64 { return cl.id }

// largeBuffers lets large arguments be received straight into memory that SET can adopt.
type largeBuffers struct {
	ks   *shard.Keyspace
	open []*shard.Large
}

// Get returns memory for an argument of n bytes; small ones come from the Go heap.
func (b *largeBuffers) Get(n int) []byte {
	if n < shard.LargeMin {
		return make([]byte, n)
	}
	l := b.ks.NewLarge(n)
	if l == nil {
		return make([]byte, n)
	}
	b.open = append(b.open, l)
	return l.Bytes()
}

// Put gives back memory that nobody has taken over.
func (b *largeBuffers) Put(buf []byte) {
	if l := b.take(buf); l != nil {
		l.Drop()
	}
}

// has tells whether buf, not empty, is memory that nobody has taken over.
func (b *largeBuffers) has(buf []byte) bool {
	for _, l := range b.open {
		if m := l.Bytes(); &m[0] == &buf[0] {
			return true
		}
	}
	return false
}

// take returns the Large behind buf and forgets it.
func (b *largeBuffers) take(buf []byte) *shard.Large {
	for i, l := range b.open {
		if m := l.Bytes(); len(buf) > 0 && &m[0] == &buf[0] {
			last := len(b.open) - 1
			b.open[i], b.open[last] = b.open[last], nil
			b.open = b.open[:last]
			return l
		}
	}
	return nil
}

// takeLarge hands the memory of a large argument over to a handler; see command.Ctx.TakeLarge.
func takeLarge(c *command.Ctx, arg []byte) *shard.Large {
	if len(arg) < shard.LargeMin {
		return nil
	}
	cl := c.Client.(*Client)
	buf := cl.parser.TakeBig(arg)
	if buf == nil {
		return nil
	}
	return cl.large.take(buf)
}
