package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/shoaldb/shoal/bench/load"
)

// A feed is a series of commands that build up data, each sent once.
type feed struct {
	commands int64
	words    func(args []string, i int64) []string // appends those of command i
}

const feedBatch = 200 // commands in flight

// send sends the feed to a server, reduced to a fraction of 1/shrink.
func (f feed) send(c *load.Client, shrink int64) error {
	var args []string
	return c.Feed(max(f.commands/shrink, 1), feedBatch, func(dst []byte, i int64) []byte {
		args = f.words(args[:0], i)
		return load.AppendCommand(dst, args...)
	})
}

// growing adds n elements to one key, per of them with a command.
func growing(command, key string, n, per int64, element func(args []string, i int64) []string) feed {
	return feed{commands: n / per, words: func(args []string, i int64) []string {
		args = append(args, command, key)
		for j := range per {
			args = element(args, i*per+j)
		}
		return args
	}}
}

// deletion is a feed that deletes a key.
func deletion(key string) feed {
	return feed{commands: 1, words: func(args []string, _ int64) []string { return append(args, "DEL", key) }}
}

// name is a prefix and a number that fill so many bytes, 32 at most.
func name(prefix string, bytes int, i int64) string {
	digits := strconv.FormatInt(i, 10)
	const zeros = "00000000000000000000000000000000"
	return prefix + zeros[:max(bytes-len(prefix)-len(digits), 0)] + digits
}

// shuffled is a permutation of the numbers below n, as long as n and the factor have no divisor in common.
func shuffled(i, n int64) int64 { return i * 2_654_435_761 % n }

// workMembers is the size of the large collections that scenarios work on.
const workMembers = 1_000_000

// workMember is what "element:" and load.KeyMark become.
func workMember(i int64) string { return name("element:", 20, i) }

func workZset() feed {
	return growing("ZADD", "work:zset", workMembers, 100, func(args []string, i int64) []string {
		score := shuffled(i, workMembers)
		return append(args, strconv.FormatInt(score, 10), workMember(i))
	})
}

// Before each run of LPUSH and the like the collection is deleted, so that every run builds it anew.
var (
	loadMember = "element:" + load.KeyMark
	dataTypes  = []Scenario{
		{Name: "lpush-p16", Title: "LPUSH", Pipeline: 16, Words: []string{"LPUSH", "work:list", load.DataMark}, Before: emptied("work:list")},
		{Name: "lpop-p16", Title: "LPOP", Pipeline: 16, Words: []string{"LPOP", "work:list"}, Before: fullList},
		{Name: "lrange100-p16", Title: "LRANGE_100", Pipeline: 16, Words: []string{"LRANGE", "work:list1000", "0", "99"},
			Once: []feed{growing("RPUSH", "work:list1000", 1000, 100, func(args []string, i int64) []string { return append(args, name("item:", 32, i)) })}},
		{Name: "sadd-p16", Title: "SADD", Pipeline: 16, Words: []string{"SADD", "work:newset", loadMember}, Before: emptied("work:newset")},
		{Name: "hset-p16", Title: "HSET", Pipeline: 16, Words: []string{"HSET", "work:newhash", loadMember, load.DataMark}, Before: emptied("work:newhash")},
		{Name: "hget-p16", Title: "HGET", Pipeline: 16, Words: []string{"HGET", "work:hash", loadMember},
			Once: []feed{growing("HSET", "work:hash", workMembers, 100, func(args []string, i int64) []string {
				return append(args, workMember(i), name("value:", 32, i))
			})}},
		{Name: "zadd-p16", Title: "ZADD", Pipeline: 16, Words: []string{"ZADD", "work:newzset", load.KeyMark, loadMember}, Before: emptied("work:newzset")},
		{Name: "zrange100-p16", Title: "ZRANGE_100", Pipeline: 16, Words: []string{"ZRANGE", "work:zset", "500000", "500099"}, Once: []feed{workZset()}},
		{Name: "zrangebyscore-p16", Title: "ZRANGEBYSCORE, 100 of them", Pipeline: 16, Words: []string{"ZRANGEBYSCORE", "work:zset", load.KeyMark, "+inf", "LIMIT", "0", "100"},
			Once: []feed{workZset()}},
		{Name: "xadd-p16", Title: "XADD", Pipeline: 16, Words: []string{"XADD", "work:stream", "*", "field", load.DataMark}, Before: emptied("work:stream")},
		{Name: "sinter-p16", Title: "SINTER of two sets of 1,000, half in common", Pipeline: 16, Words: []string{"SINTER", "work:seta", "work:setb"},
			Once: []feed{halfSet("work:seta", 0), halfSet("work:setb", 500)}},
	}
)

func emptied(key string) func(time.Duration) []feed {
	return func(time.Duration) []feed { return []feed{deletion(key)} }
}

// fullList is a list that no server empties within a run.
func fullList(run time.Duration) []feed {
	const mostPops = 6_000_000 // a second
	n := int64(run.Seconds()*mostPops) + 1000
	return []feed{deletion("work:list"), growing("LPUSH", "work:list", n, 100, func(args []string, i int64) []string {
		return append(args, name("item:", 32, i))
	})}
}

func halfSet(key string, from int64) feed {
	return growing("SADD", key, 1000, 100, func(args []string, i int64) []string { return append(args, workMember(from+i)) })
}

// CollectionCase fills a fresh server with collections and looks at the growth of its resident memory.
type CollectionCase struct {
	Name  string
	Title string
	Share float64 // of what the reference server takes: at most so much
	feed  feed
}

// CollectionCases are what the report runs.
var CollectionCases = []CollectionCase{
	{"hashes", "1 million hashes of 10 fields (8 B, 16 B)", 1, feed{1_000_000, func(args []string, i int64) []string {
		args = append(args, "HSET", name("hash:", 16, i))
		for f := range int64(10) {
			args = append(args, name("field:", 8, f), name("value:", 16, i*10+f))
		}
		return args
	}}},
	{"sets", "1 million sets of 20 integers", 1, feed{1_000_000, func(args []string, i int64) []string {
		args = append(args, "SADD", name("set:", 16, i))
		for m := range int64(20) {
			args = append(args, strconv.FormatInt((i*20+m)*7919%1_000_000, 10))
		}
		return args
	}}},
	{"zsets", "100,000 sorted sets of 100 members (16 B)", 1, feed{100_000, func(args []string, i int64) []string {
		args = append(args, "ZADD", name("zset:", 16, i))
		for m := range int64(100) {
			args = append(args, strconv.FormatInt(shuffled(m, 100), 10), name("member:", 16, i*100+m))
		}
		return args
	}}},
	{"zset", "a sorted set of 5 million members (16 B)", 0.7, growing("ZADD", "zset", 5_000_000, 20, func(args []string, i int64) []string {
		i = shuffled(i, 5_000_000)
		return append(args, strconv.FormatInt(i, 10), name("member:", 16, i))
	})},
	{"list", "a list of 10 million items (16 B)", 1, growing("RPUSH", "list", 10_000_000, 100, func(args []string, i int64) []string {
		return append(args, name("item:", 16, i))
	})},
	{"hash", "a hash of 5 million fields (16 B, 16 B)", 0.7, growing("HSET", "hash", 5_000_000, 20, func(args []string, i int64) []string {
		return append(args, name("field:", 16, i), name("value:", 16, i))
	})},
	{"stream", "a stream of 5 million entries of 3 fields", 1, feed{5_000_000, func(args []string, i int64) []string {
		return append(args, "XADD", "stream", "*", "sensor", name("s", 4, i%1000), "value", strconv.FormatInt(i, 10), "unit", "celsius")
	}}},
}

// CollectionResult is what a case took on one server, in bytes of resident memory.
type CollectionResult struct {
	Label  string `json:"label"`
	Growth int64  `json:"rss_growth_bytes"`
	Err    string `json:"error,omitempty"` // what kept it from being measured
}

// CollectionPair is a case on both servers.
type CollectionPair struct {
	Redis *CollectionResult `json:"redis"`
	Shoal *CollectionResult `json:"shoal"`
}

// measureCollection starts a server, fills it and reads how much its memory has grown. With shrink above 1 it makes do
// with that fraction of the data.
func measureCollection(ctx context.Context, c Contender, m *CollectionCase, shrink int64) (*CollectionResult, error) {
	s, err := Start(ctx, c)
	if err != nil {
		return nil, err
	}
	defer s.Stop()
	before, err := s.RSS()
	if err != nil {
		return nil, err
	}
	r := &CollectionResult{Label: c.Label}
	if err := m.feed.send(s.client, shrink); err != nil {
		r.Err = fmt.Sprintf("%.60s", err.Error())
		return r, ctx.Err()
	}
	s.settle(ctx)
	time.Sleep(restTime)
	after, err := s.RSS()
	r.Growth = after - before
	return r, errors.Join(err, ctx.Err())
}

// restTime is how long a server that has nothing to do is left alone before its memory is looked at: it may give some back.
const restTime = 2 * time.Second

const (
	settleLook = 30 * time.Millisecond
	settleMost = 3 * time.Second
)

// settle waits until the server has little to do, as when it frees what was deleted.
func (s *Server) settle(ctx context.Context) {
	for begin := time.Now(); time.Since(begin) < settleMost && ctx.Err() == nil; {
		a, err := load.ReadUsage(s.PID)
		if err != nil {
			return
		}
		time.Sleep(settleLook)
		b, err := load.ReadUsage(s.PID)
		if err != nil || b.CPU-a.CPU < settleLook/10 {
			return
		}
	}
}

// feedAll sends feeds to the server, and waits until it is done with them.
func (s *Server) feedAll(ctx context.Context, feeds []feed) error {
	for _, f := range feeds {
		if err := f.send(s.client, 1); err != nil {
			return err
		}
	}
	s.settle(ctx)
	return ctx.Err()
}

// share is what Shoal takes of the reference server's memory, 0 if one was not measured.
func (p *CollectionPair) share() float64 {
	if p.Redis.Err != "" || p.Shoal.Err != "" || p.Redis.Growth <= 0 {
		return 0
	}
	return float64(p.Shoal.Growth) / float64(p.Redis.Growth)
}

func (r *reporter) collections(ctx context.Context) error {
	for i := range CollectionCases {
		m := &CollectionCases[i]
		fmt.Fprintf(r.progress, "Collections: %s\n", m.Title)
		a, err := measureCollection(ctx, r.contender(redis), m, max(r.shrink, 1))
		if err != nil {
			return err
		}
		b, err := measureCollection(ctx, r.contender(shoal), m, max(r.shrink, 1))
		if err != nil {
			return err
		}
		r.results.Collections[m.Name] = &CollectionPair{Redis: a, Shoal: b}
		fmt.Fprintf(r.progress, "  %.1f MB and %.1f MB %s\n", megabytes(a.Growth), megabytes(b.Growth), b.Err)
	}
	return nil
}
