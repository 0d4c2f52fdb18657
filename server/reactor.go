package server

import (
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/netio"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/latency"
	"github.com/shoaldb/shoal/shard"
)

// reactor is the server's state of one event loop: its clients and the scratch memory of dispatch.
// Only its own goroutine touches it, except for the counters, which others read.
type reactor struct {
	srv     *Server
	net     *netio.Reactor
	index   int // in Server.reactors
	clients map[uint64]*Client
	list    []*Client // the clients, in no order, for cron
	paused  []*Client // those that CLIENT PAUSE holds
	w       resp.Writer
	ctx     command.Ctx
	batch   batch

	timers  timers
	waking  waking
	reach   reach
	long    longCommands
	inbox   inbox
	fanout  fanout
	events  events
	effects effects

	durability durability
	held       *shard.Shard // the shard whose lock dispatch holds between two commands of a batch
	many       lockSet
	inner      inner
	scripting  scripting
	unused     []*transaction // with memory for the next ones
	loader     bool           // it is none of the network's, but runs scripts of the append only file
	alone      bool           // all other reactors stand still
	replying   bool           // EXEC has dropped what is not to be replied

	invalidations invalidations
	evictor       *shard.Evictor
	saveAwake     atomic.Bool // stepSave is in the mailbox
	saveReads     int64       // stats.reads at its last step
	nowMS         int64       // unix time of the turn
	turn          bool        // nowMS and lastRun are of this turn
	lastRun       int64       // nanotime up to which the turn's time has been accounted for
	watching      uint32      // Server.watch, as of the beginning of the batch
	feed          feed
	teller        teller
	calls         []callStats // by the commands' indexes

	begun     int64 // nanotime at which the turn began
	flow      flow  // of this turn
	outBefore int   // bytes that were pending when dispatch began to reply
	stats     counters

	evictionWaits latency.Histogram // of commands for which there was no room

	cron    cron
	minding bool // makeRoom is in the mailbox
}

// processStart is what nanotime counts from.
var processStart = time.Now()

// nanotime returns monotonic time in ns.
func nanotime() int64 { return int64(time.Since(processStart)) }

// flow is what went through a reactor since its counters were last published.
type flow struct {
	changes       int64 // to the data set
	netIn, netOut int64 // bytes received, and handed over for sending
	reads, writes int64 // pieces received, and rounds of replies
	commands      int64
}

// counters are written by one reactor and read by all.
type counters struct {
	commands atomic.Int64
	netIn    atomic.Int64
	netOut   atomic.Int64
	dirty    atomic.Int64
	blocked  atomic.Int64
	timers   atomic.Int64 // blocked clients that do not wait for ever

	reads, writes    atomic.Int64 // pieces received, rounds of replies handed over
	turns, turnNanos atomic.Int64 // nanos: up to the end of each turn's last command
	longestTurn      atomic.Int64 // ns
	mostCommands     atomic.Int64 // of one turn
	cronNanos        atomic.Int64
	expireNanos      atomic.Int64
	expireCapped     atomic.Int64                // how often the search for due keys ran out of time
	clientBytes      atomic.Int64                // what the clients cost, each as of its last check
	clientSizes      [clientClasses]atomic.Int32 // how many clients that may be evicted are in each class of sizes
}
