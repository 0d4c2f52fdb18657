package server

import (
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

var memoryCommands = []command.Spec{
	{Name: "MEMORY", Arity: -2, Group: command.GroupServer, Since: "4.0.0", Complexity: "Depends on subcommand.",
		Summary: "Commands about memory.", Subcommands: []command.Spec{
			memorySub("DOCTOR", "Looks for trouble with memory.", memoryDoctor, arbitrary, "request_policy:all_shards", "response_policy:special"),
			memorySub("MALLOC-STATS", "Describes the allocator.", memoryMallocStats, arbitrary, "request_policy:all_shards", "response_policy:special"),
			memorySub("PURGE", "Gives free memory back to the operating system.", memoryPurge, "request_policy:all_shards", "response_policy:all_succeeded"),
			memorySub("STATS", "Tells what memory is used for.", memoryStats, arbitrary, "request_policy:all_shards", "response_policy:special"),
			{Name: "USAGE", Arity: -3, Flags: command.ReadOnly, Keys: command.OneKey(2, command.RO), Group: command.GroupServer, Since: "4.0.0",
				Complexity: "O(N) where N is the number of samples.", Summary: "Tells how much memory a key and its value take.",
				Args: []command.Arg{{Name: "key", Type: command.ArgKey},
					{Name: "count", Token: "SAMPLES", Type: command.ArgInteger, Optional: true}}, Run: memoryUsage},
			helpSub("4.0.0", 0, memoryHelp),
		}},
}

func memorySub(name, summary string, run func(*command.Ctx), tips ...string) command.Spec {
	return command.Spec{Name: name, Arity: 2, Flags: command.Barrier, Group: command.GroupServer, Since: "4.0.0", Complexity: "O(1)",
		Summary: summary, Tips: tips, Run: run}
}

var memoryHelp = []string{
	"DOCTOR", "    Look for trouble with memory and say what to do about it.",
	"MALLOC-STATS", "    What the allocator holds, shard by shard.",
	"PURGE", "    Give memory that is free back to the operating system.",
	"STATS", "    What memory is used for, in bytes.",
	"USAGE <key> [SAMPLES <count>]", "    The bytes that a key and its value take. Of nested values count are looked at",
	"    (5 by default, 0 for all).",
}

// memoryUsage replies with what the entry takes of the arena, rounded up to size classes as it is.
func memoryUsage(c *command.Ctx) {
	samples := 5
	for i := 3; i < len(c.Args); i += 2 {
		if !command.EqualFold(c.Args[i], "SAMPLES") || i+1 == len(c.Args) {
			c.Error(command.ErrSyntax)
			return
		}
		switch n, ok := shard.ParseInt(c.Args[i+1]); {
		case !ok:
			c.Error(command.ErrNotInteger)
			return
		case n < 0:
			c.Error(command.ErrSyntax)
			return
		default:
			samples = int(n)
		}
	}
	k := &c.Keys[0]
	e := k.DB.Find(k)
	if !e.Exists() {
		c.Reply.Null()
		return
	}
	c.Reply.Int(int64(k.DB.EntryBytes(e, samples)))
}

// withMemory collects the memory figures and lets reply write them to cl.
func withMemory(cl *Client, reply func(w *resp.Writer, m *memoryFigures, c *census)) {
	r := cl.reactor
	gather(cl, func(r *reactor) reactorFigures { return r.figures(0) }, func(w *resp.Writer, parts []reactorFigures) {
		c := r.census()
		m := r.srv.memory(&c)
		reply(w, &m, &c)
	})
}

func memoryStats(c *command.Ctx) { withMemory(client(c), replyMemoryStats) }

func replyMemoryStats(w *resp.Writer, m *memoryFigures, c *census) {
	const fields = 27
	dbs := 0
	for i := range c.dbs {
		if c.dbs[i].keys > 0 {
			dbs++
		}
	}
	w.Map(fields + dbs)
	num := func(name string, n int64) { w.BulkString(name); w.Int(n) }
	double := func(name string, f float64) { w.BulkString(name); w.Double(f) }
	num("peak.allocated", m.peak)
	num("total.allocated", m.used)
	num("startup.allocated", startupBytes)
	num("replication.backlog", 0)
	num("clients.slaves", 0)
	num("clients.normal", m.clients)
	num("cluster.links", 0)
	num("aof.buffer", 0)
	num("lua.caches", 0)
	num("functions.caches", 0)
	for i := range c.dbs {
		if d := &c.dbs[i]; d.keys > 0 {
			w.BulkString(fmt.Sprintf("db.%d", i))
			w.Map(3)
			num("overhead.hashtable.main", int64(d.tableBytes))
			num("overhead.hashtable.expires", int64(d.expiryIndexBytes))
			num("overhead.hashtable.slot-to-keys", 0)
		}
	}
	num("overhead.total", m.overhead)
	num("keys.count", m.keys)
	num("keys.bytes-per-key", int64(ratio(m.used-startupBytes, m.keys)))
	num("dataset.bytes", m.dataset())
	double("dataset.percentage", 100*ratio(m.dataset(), m.used-startupBytes))
	double("peak.percentage", 100*ratio(m.used, m.peak))
	num("allocator.allocated", m.allocated)
	num("allocator.active", m.active)
	num("allocator.resident", m.resident)
	double("allocator-fragmentation.ratio", ratio(m.active, m.allocated))
	num("allocator-fragmentation.bytes", m.active-m.allocated)
	double("allocator-rss.ratio", ratio(m.resident, m.active))
	num("allocator-rss.bytes", m.resident-m.active)
	double("rss-overhead.ratio", ratio(m.rss, m.resident))
	num("rss-overhead.bytes", m.rss-m.resident)
	double("fragmentation", ratio(m.rss, m.used))
	num("fragmentation.bytes", m.rss-m.used)
}

// What the doctor thinks is much.
const (
	doctorLeastBytes  = 5 << 20  // below this everything is fine
	doctorWasteBytes  = 10 << 20 // waste below this is not worth a word
	doctorClientBytes = 200 << 10
)

// diagnosis is something that the doctor may say.
type diagnosis struct {
	found  bool
	advice string
}

func memoryDoctor(c *command.Ctx) {
	cl := client(c)
	withMemory(cl, func(w *resp.Writer, m *memoryFigures, _ *census) {
		w.Verbatim("txt", diagnose(m, cl.reactor.srv.clients.Load()))
	})
}

// diagnose returns the doctor's report.
func diagnose(m *memoryFigures, clients int64) string {
	if m.used < doctorLeastBytes {
		return "There is hardly any data here, too little to say anything about it. Ask again when there is more.\n"
	}
	much := func(a, b int64, factor float64) bool { return ratio(a, b) > factor && a-b > doctorWasteBytes }
	var report []string
	for _, d := range []diagnosis{
		{ratio(m.peak, m.used) > 1.5, "Peak: more than half as much again as now was once in use. " +
			"What was freed since may still belong to the process; MEMORY PURGE gives it back at once."},
		{much(m.active, m.allocated, 1.25), "Fragmentation: pages are held for the sake of a few live blocks. " +
			"New data will fill them; so does a restart."},
		{much(m.resident, m.active, 1.25), "Free pages: the allocator keeps more than it uses. They are given back in small steps; MEMORY PURGE does it at once."},
		{much(m.rss, m.resident, 1.5), "Overhead: the process takes much more than its data. Buffers of clients and the Go heap are the first to look at (INFO memory, go_heap_bytes)."},
		{ratio(m.clients, clients) > doctorClientBytes, "Clients: their buffers take much memory. " +
			"Some may send large commands or not read their replies: see CLIENT LIST, and client-output-buffer-limit."},
	} {
		if d.found {
			report = append(report, " * "+d.advice+"\n")
		}
	}
	if len(report) == 0 {
		return "No trouble found.\n"
	}
	return "This was found:\n\n" + strings.Join(report, "")
}

// purgeBytes is how much one step of MEMORY PURGE gives back.
const purgeBytes = 4 << 20

// memoryPurge works on a goroutine of its own while the client waits.
func memoryPurge(c *command.Ctx) {
	cl := client(c)
	ks := cl.reactor.srv.ks
	nowMS := c.NowMS
	cl.background(func() error {
		for ks.ReleaseStep(purgeBytes) {
		}
		for i := range ks.Shards() {
			s := ks.Shard(i)
			s.Lock(nowMS)
			s.Arena().Trim()
			s.Unlock()
		}
		for ks.Heap().Purge(purgeBytes) > 0 {
		}
		debug.FreeOSMemory()
		return nil
	})
}

func memoryMallocStats(c *command.Ctx) {
	c.Reply.Verbatim("txt", client(c).reactor.mallocStats())
}

// mallocStats describes the allocator. It locks one shard after the other.
func (r *reactor) mallocStats() string {
	var b strings.Builder
	h := r.srv.ks.Heap().Stats()
	fmt.Fprintf(&b, "shoal-arena: bytes\n%-12s %14d\n%-12s %14d\n%-12s %14d\n%-12s %14d\n%-12s %14d\n%-12s %14d\n\n",
		"mapped", h.Mapped, "in use", h.InUse, "large", h.Large, "free", h.Free, "released", h.Released, "resident", h.Resident)
	fmt.Fprintf(&b, "%-6s %14s %14s %14s\n", "shard", "allocated", "tables", "active")
	r.eachShard(func(s *shard.Shard) {
		a := s.Arena().Stats()
		fmt.Fprintf(&b, "%-6d %14d %14d %14d\n", s.Index(), a.Allocated, a.Tables, a.Active)
	})
	return b.String()
}
