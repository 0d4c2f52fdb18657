package bench

import "slices"

// Contest compares two servers on some scenarios.
type Contest struct {
	Name  string // for -only
	Title string
	Note  string // what the reader should know
	A, B  setup
	Goals []Goal
	// Latency compares percentiles instead of CPU time, and Throughput operations a second.
	Latency, Throughput bool
}

// setup is a server in a contest.
type setup struct {
	label string
	redis bool     // the reference server; else Shoal
	args  []string // beside those that every server gets
	all   bool     // runs on the client's CPUs too
	tls   bool
}

// Goal is a scenario and the ratio that is asked for: A's CPU time per operation over B's, or what the contest compares instead.
type Goal struct {
	Scenario string
	Ratio    float64 // 0: none
}

var (
	redis = setup{label: "redis-server", redis: true}
	shoal = setup{label: "Shoal", args: []string{"--reactors", "1"}}
	gnet  = setup{label: "Shoal, gnet", args: []string{"--reactors", "1", "--net-engine", "gnet"}}
)

// encrypted is a server that speaks TLS.
func encrypted(s setup) setup {
	s.label, s.tls = s.label+", TLS", true
	return s
}

// manyReactors is Shoal with more than one reactor on all CPUs, which it shares with the load.
func manyReactors(n string) setup {
	return setup{label: "Shoal, " + n + " reactors", args: []string{"--reactors", n}, all: true}
}

// appending is a setup with the append only file, on all CPUs as the file's writer needs some beside the reactors, and
// the redis-server's background thread.
func appending(s setup, fsync string) setup {
	s.args = append(slices.Clone(s.args), "--appendonly", "yes", "--appendfsync", fsync, "--auto-aof-rewrite-percentage", "0")
	s.label += ", " + fsync
	s.all = true
	return s
}

// Contests are what the report runs, in its order.
var Contests = []Contest{
	{
		Name: "one-reactor", Title: "One reactor on one core", A: redis, B: shoal,
		Note: "Both servers on one core, the load generator on another.",
		Goals: []Goal{
			{"get-p1", 1.4}, {"set-p1", 1.4},
			{"get-p16", 2.7}, {"set-p16", 2.7},
			{"get-p100", 4.5}, {"set-p100", 4.5},
			{"incr-p16", 2.5},
			{"mget10-p16", 3},
			{"get-1k-p1", 1.2}, {"set-1k-p1", 1.2}, {"get-1k-p16", 1.8}, {"set-1k-p16", 1.8},
			{"get-single-p100", 3}, {"set-single-p100", 3},
		},
	},
	{
		Name: "data-types", Title: "Data types", A: redis, B: shoal,
		Note: "One reactor on one core. LPUSH, SADD, HSET, ZADD and XADD build one large value from nothing in each run, with random members or fields; HGET and the sorted sets' ranges work on a million.",
		Goals: []Goal{
			{"lpush-p16", 1.8}, {"lpop-p16", 1.8}, {"lrange100-p16", 1.3},
			{"sadd-p16", 1.8}, {"hset-p16", 1.8}, {"hget-p16", 1.8},
			{"zadd-p16", 1.8}, {"zrange100-p16", 1.3}, {"zrangebyscore-p16", 1.3},
			{"xadd-p16", 1.8}, {"sinter-p16", 1.5},
		},
	},
	{
		Name: "scripts", Title: "Scripts", A: redis, B: shoal,
		Note:  "One reactor on one core. The script, `bench/scripts/token_bucket.lua`, makes four calls for one declared key out of a million.",
		Goals: []Goal{{"evalsha-p1", 0}, {"evalsha-p16", 1}},
	},
	{
		Name: "scripts-two-reactors", Title: "Scripts on two reactors", A: shoal, B: manyReactors("2"),
		Note:  "The same on two cores, one of which the load generator uses too: two do 1.7 times as much as one when a script takes at most 1.18 times the CPU time, a ratio of 0.85.",
		Goals: []Goal{{"evalsha-p16", 0.85}},
	},
	{
		Name: "transactions", Title: "Transactions", A: redis, B: shoal,
		Note:  "One reactor on one core. An operation is a whole transaction of twelve commands, sent at once; P is the number of transactions in a pipeline.",
		Goals: []Goal{{"multi10-p1", 2}, {"multi10-p16", 2}},
	},
	{
		Name: "pubsub", Title: "Publish and subscribe", A: redis, B: shoal,
		Note:  "One reactor on one core. An operation is a PUBLISH; it ends when all subscribers have the message.",
		Goals: []Goal{{"publish-single-p1", 1.5}, {"publish-p1", 1.5}, {"publish-p16", 1.5}},
	},
	{
		Name: "gnet", Title: "The gnet engine", A: redis, B: gnet,
		Note: "What runs where io_uring does not: other systems, containers that forbid it.",
		Goals: []Goal{
			{"get-p1", 1.05}, {"set-p1", 1.05},
			{"get-p16", 2}, {"set-p16", 2},
			{"get-p100", 3.5}, {"set-p100", 3.5},
		},
	},
	{
		Name: "aof-always", Title: "Append only file, synced before each reply", A: appending(redis, "always"), B: appending(manyReactors("2"), "always"), Throughput: true,
		Note:  "`appendfsync always` on the disk under the temporary directory, both servers on both cores. One sync serves all clients that wait; what they do meanwhile waits for the next one.",
		Goals: []Goal{{"set-p1", 1.3}, {"set-500-p1", 1.5}},
	},
	{
		Name: "aof-readers", Title: "GET beside an append only file that is synced before each reply", A: appending(redis, "always"), B: appending(manyReactors("2"), "always"), Latency: true,
		Note:  "`appendfsync always`, while other clients do nothing but SET: who only reads waits for no sync.",
		Goals: []Goal{{"get-beside-set", 2}},
	},
	{
		Name: "aof-everysec", Title: "Append only file, synced every second", A: appending(redis, "everysec"), B: appending(manyReactors("2"), "everysec"), Throughput: true,
		Note:  "`appendfsync everysec`, both servers on both cores.",
		Goals: []Goal{{"set-p16", 2.5}},
	},
	{
		Name: "aof-own", Title: "What the append only file costs", A: manyReactors("2"), B: appending(manyReactors("2"), "everysec"), Throughput: true,
		Note:  "Shoal with `appendfsync everysec` beside itself without the file.",
		Goals: []Goal{{"set-p16", 0.8}},
	},
	{
		Name: "tls", Title: "TLS", A: encrypted(redis), B: encrypted(shoal),
		Note:  "Both servers with the same kind of certificate; each client shows one. TLS 1.3 with AES-GCM; handshakes are not measured.",
		Goals: []Goal{{"get-p1", 0}, {"set-p1", 0}, {"get-p16", 1.5}, {"set-p16", 1.5}, {"get-p100", 1.5}, {"get-1k-p16", 0}},
	},
	{
		Name: "two-reactors", Title: "Two reactors on two cores", A: shoal, B: manyReactors("2"),
		Note:  "What an operation costs when cores share the keyspace: Shoal beside itself. The second reactor shares its core with the load generator.",
		Goals: []Goal{{"mix-p1", 0.8}, {"mix-p16", 0.8}, {"mix-p100", 0.8}},
	},
	{
		Name: "four-reactors", Title: "Four reactors on two cores", A: manyReactors("2"), B: manyReactors("4"),
		Note:  "More reactors than cores, beside as many as cores. Not a sensible setting; it must not collapse.",
		Goals: []Goal{{"mix-p1", 0.5}, {"mix-p16", 0.5}, {"mix-p100", 0.5}},
	},
	{
		Name: "eight-reactors", Title: "Eight reactors on two cores", A: manyReactors("2"), B: manyReactors("8"),
		Note:  "Four times as many reactors as cores.",
		Goals: []Goal{{"mix-p1", 0.5}, {"mix-p16", 0.5}, {"mix-p100", 0.5}},
	},
	{
		Name: "latency", Title: "Latency at 50,000 operations a second", A: redis, B: shoal, Latency: true,
		Note:  "Open loop over 50 connections: requests are sent when they are due, answered or not, and latency runs from then, so that a stall counts for all that wait.",
		Goals: []Goal{{"get-rate-50k", 1}, {"mix-rate-50k", 1}},
	},
}

// MemoryCase loads a fresh server and looks at its resident memory.
type MemoryCase struct {
	Name      string
	Title     string
	Keys      int64
	ExpireSec int
	// Goals: at most so many bytes per key, or in all, or (both 0) what the reference server takes.
	PerKey, Total float64
}

// growthExcess is how much more memory per key than PerKey is granted at any moment of loading.
const growthExcess = 1.15

// MemoryCases are what the report runs.
var MemoryCases = []MemoryCase{
	{Name: "idle", Title: "idle, empty", Total: 20 << 20},
	{Name: "100k", Title: "100,000 keys", Keys: 100_000},
	{Name: "5M", Title: "5 million keys", Keys: 5_000_000, PerKey: 72},
	{Name: "5M-expire", Title: "5 million keys with an expiry", Keys: 5_000_000, ExpireSec: 86_400, PerKey: 82},
}

// Growth from nothing at full speed.
const (
	growthKeys      = 10_000_000
	growthGoalMS    = 10 // the slowest batch of 100 at most
	growthBatchSize = 100
)
