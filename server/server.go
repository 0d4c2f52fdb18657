package server

import (
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/acl"
	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/netio"
	"github.com/shoaldb/shoal/persist/disk"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/script"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/server/latency"
	"github.com/shoaldb/shoal/server/logging"
	"github.com/shoaldb/shoal/server/slowlog"
	"github.com/shoaldb/shoal/shard"
)

// Server is one Shoal process.
type Server struct {
	cfg      *config.Config
	log      *logging.Logger
	table    *command.Table
	ks       *shard.Keyspace
	engine   *netio.Engine
	reactors []*reactor

	env          atomic.Pointer[command.Env]
	limits       atomic.Pointer[resp.Limits]
	unauthLimits atomic.Pointer[resp.Limits]
	gate         atomic.Uint32 // states of the server in which no command takes the fast path
	duties       duties
	pause        pause
	leases       leases
	scripts      *script.Cache
	libraries    libraries
	running      running
	exclusive    exclusive
	collector    collector
	pubsub       pubsub
	standstill   standstill
	inExec       atomic.Bool // a transaction runs for which all reactors stand still
	execSpec     *command.Spec
	trackers     trackers
	byID         sync.Map // *Client by number

	clients          atomic.Int64
	nextClient       atomic.Uint64
	connections      atomic.Int64
	rejectedConns    atomic.Int64
	queryBufferDrops atomic.Int64
	tlsFailures      atomic.Int64 // handshakes
	outputDrops      atomic.Int64
	rates            rates
	errorStats       errorStats
	watch            atomic.Uint32 // reasons to look at each command
	thresholds       atomic.Pointer[thresholds]
	slowlog          slowlog.Log
	monitors         monitors
	clientMemory     clientMemory
	latency          latency.Monitor
	observed         observed

	startedAt time.Time
	runID     string
	users     *acl.Users
	aclLog    acl.Log
	denied    [acl.DeniedAuth + 1]atomic.Int64 // by reason
	port      atomic.Int64                     // the TCP port in use, that of TLS if there is no other
	tcp       [tcpKinds][]net.Addr             // where it listens; like what follows, of whoever holds the configuration's lock
	unixAddr  net.Addr
	tls       loadedTLS
	oomScore  oomScore
	stop      chan stopping
	signalled atomic.Pointer[stopping] // by a signal that nobody has followed yet

	sanitizations atomic.Int64 // see command.Env
	trustPayloads atomic.Bool  // DEBUG SET-SKIP-CHECKSUM-VALIDATION
	migrations    migrations
	saving        saving
	maxMemory     memoryLimit
	propagation   propagation
	aof           appendOnly
	loading       loading
	disk          disk.System // of what is saved
}

// New makes a server with the settings of cfg. It listens when Run is called.
func New(cfg *config.Config) (*Server, error) {
	v := cfg.Load()
	s := &Server{cfg: cfg, log: logging.New(), startedAt: time.Now(), runID: runID(), disk: disk.OS{}}
	s.stop = make(chan stopping, 1)
	s.trackers.srv = s
	s.errorStats.reset()
	if err := s.setupLog(v); err != nil {
		return nil, err
	}
	// One more than the reactors: one of them may be in a system call that the scheduler does not know of.
	reactors := reactorCount(v)
	runtime.GOMAXPROCS(reactors + 1)
	s.ks = shard.New(shard.Options{
		Shards: shardCount(v), Databases: v.Databases, Seed: rand.Uint64(), NowMS: time.Now().UnixMilli(),
	}, alloc.NewHeap())
	s.pubsub.init()
	s.ks.Listen(s)
	s.ks.ServeReady(s.serveUnlocked)
	s.initSaving()
	s.initPropagation()
	s.aof.rewrite.lastTookSec.Store(-1)
	s.table = command.NewTable(commandLists()...)
	s.scripts = script.NewCache(s.table)
	s.libraries.set.Store(script.NewLibraries())
	for _, n := range v.Renames {
		if err := s.table.Rename(n.From, n.To); err != nil {
			return nil, s.refuse(v, err)
		}
	}
	var err error
	if s.users, err = newUsers(s.table, v); err != nil {
		return nil, s.refuse(v, err)
	}
	s.execSpec = s.table.Lookup([]byte("EXEC"))
	s.apply(v)
	s.engine, err = netio.New(netio.Options{
		Engine: v.NetEngine.String(), Reactors: reactors, CPUs: v.ReactorCPUs(), Backlog: v.TCPBacklog,
		KeepAliveSec: v.TCPKeepAliveSec, TickEvery: tickBusy,
		Logf: func(level int, format string, a ...any) { s.log.Logf(logging.Level(level), format, a...) },
	}, handler{s})
	if err != nil {
		return nil, s.refuse(v, err)
	}
	for _, n := range s.engine.Reactors() {
		r := newReactor(s, n)
		r.index = len(s.reactors)
		s.reactors = append(s.reactors, r)
	}
	s.limitClients(v.ClientMemoryLimit())
	s.watchSettings()
	return s, nil
}

// refuse logs why there is no server, if the log does not go to the terminal, where New's caller tells of it. It returns err.
func (s *Server) refuse(v *config.Values, err error) error {
	if v.LogFile != "" || v.SyslogEnabled {
		s.log.Warningf("%v", err)
	}
	s.log.Close()
	return err
}

func newReactor(s *Server, n *netio.Reactor) *reactor {
	r := &reactor{srv: s, net: n, clients: map[uint64]*Client{}}
	r.calls = make([]callStats, s.table.Count())
	r.ctx = command.Ctx{
		Reply: &r.w, KS: s.ks, Table: s.table, Pin: pin, TakeLarge: takeLarge, Later: later, Block: block,
		Lengthen: lengthen, MayReadAll: mayReadAll, Flushing: flushing,
	}
	r.ctx.OnNotify(r.notify)
	r.initDurability()
	r.evictor = shard.NewEvictor(s.ks, rand.Uint64())
	r.inbox.home, r.fanout.deliver = r, r.deliverAll
	r.feed.home, r.feed.deliver = r, r.deliverFeed
	return r
}

// commandLists returns all commands of the server.
func commandLists() [][]command.Spec {
	return [][]command.Spec{
		command.StringCommands, command.BitCommands, command.HyperLogLogCommands,
		command.ListCommands, command.SetCommands, command.ZSetCommands, command.GeoCommands, command.SortCommands,
		command.HashCommands, command.HashTTLCommands, command.StreamCommands,
		command.KeyCommands, command.ExpireCommands, command.ScanCommands, command.ObjectCommands, command.DumpCommands,
		migrateCommands, command.CommandCommands,
		connectionCommands, clientCommands, transactionCommands, pubsubCommands, scriptCommands, functionCommands,
		configCommands, infoCommands, memoryCommands, slowlogCommands, latencyCommands, monitorCommands, debugCommands,
		aclCommands, saveCommands, aofCommands, replicationCommands, clusterCommands, moduleCommands, lolwutCommands,
	}
}

// CheckRename tells whether rename-command may give the command called from the name to.
func CheckRename(from, to string) error {
	return command.NewTable(commandLists()...).Rename(from, to)
}

// pin queues a part of a large value for sending without a copy; see command.Ctx.Pin.
func pin(c *command.Ctx, v shard.Pinned, from, to int) {
	cl := c.Client.(*Client)
	cl.conn.SetOut(c.Reply.Buf)
	cl.conn.WriteRef(v.Bytes()[from:to], v.Release)
	c.Reply.Buf = cl.conn.Out()
}

// VersionLine is what --version prints.
func VersionLine() string {
	return fmt.Sprintf("Shoal server v=%s shoal_version=%s malloc=shoal-arena bits=64 build=%s os=%s arch=%s",
		RedisVersion, Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// EngineCheck tells for --check-system whether io_uring can be used.
func EngineCheck() config.Check {
	c := config.Check{Name: "io_uring"}
	if _, err := netio.New(netio.Options{Engine: netio.EngineURing}, nil); err != nil {
		c.Problem = "io_uring cannot be used, the server will run on gnet (epoll or kqueue): " + err.Error()
	}
	return c
}

// runID returns 40 random hexadecimal digits.
func runID() string {
	return fmt.Sprintf("%016x%016x%08x", rand.Uint64(), rand.Uint64(), rand.Uint32())
}
