package bench

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/shoaldb/shoal/bench/load"
)

// evictionFlags say what "shoal-bench eviction" measures.
type evictionFlags struct {
	shoal, redis string
	maxMemory    int64
	requests     int64
	valueBytes   int
	seed         uint64
	trace        string
	policies     string
	quick        bool
}

// cachePolicies are measured by default, and by the quick mode.
var (
	cachePolicies = []string{"noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "allkeys-s3fifo", "allkeys-sieve", "allkeys-wtinylfu"}
	quickPolicies = []string{"allkeys-lru", "allkeys-lfu", "allkeys-s3fifo", "allkeys-sieve", "allkeys-wtinylfu"}
	redisPolicies = []string{"allkeys-lru", "allkeys-lfu"}
)

const recommendedPolicy = "allkeys-s3fifo"

// eviction prints the miss ratios of eviction policies, and of Redis', with the same maxmemory.
func eviction(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o evictionFlags
	f := newFlagSet("eviction", "eviction [OPTIONS]: miss ratios of eviction policies beside redis-server, with the same maxmemory", stderr)
	f.StringVar(&o.shoal, "shoal", "bin/shoal-server", "command of the server")
	f.StringVar(&o.redis, "redis", "redis-server", "command of the server to compare with (\"\": none)")
	f.Int64Var(&o.maxMemory, "maxmemory", 16<<20, "of both servers, bytes")
	f.Int64Var(&o.requests, "requests", 2_000_000, "of each workload")
	f.IntVar(&o.valueBytes, "d", 64, "bytes of a value")
	f.Uint64Var(&o.seed, "seed", 1, "of the keys asked for")
	f.StringVar(&o.trace, "trace", "", "a file of lines time,key,size to be played besides")
	f.StringVar(&o.policies, "policies", "", "of shoal-server, separated by commas (default: all)")
	f.BoolVar(&o.quick, "quick", false, "less than a minute: fewer requests, policies, and 8 MiB")
	if err := f.Parse(args); err != nil {
		return err
	}
	if o.quick {
		o.maxMemory, o.requests = 8<<20, 500_000
	}
	list, err := o.workloads()
	if err != nil {
		return err
	}
	report := missReport{flags: &o, workloads: list}
	for _, c := range o.contenders() {
		if err := report.measure(ctx, c, stderr); err != nil {
			return err
		}
	}
	report.print(stdout)
	return nil
}

// contestant is a server with a policy.
type contestant struct {
	program, policy string
	command         string
}

func (c *contestant) name() string { return c.program + " " + c.policy }

func (o *evictionFlags) contenders() (list []contestant) {
	if o.redis != "" {
		for _, p := range redisPolicies {
			list = append(list, contestant{"redis", p, o.redis})
		}
	}
	policies := cachePolicies
	if o.quick {
		policies = quickPolicies
	}
	if o.policies != "" {
		policies = strings.Split(o.policies, ",")
	}
	for _, p := range policies {
		list = append(list, contestant{"shoal", p, o.shoal})
	}
	return list
}

// access is a request of a cache's client: for a value which it adds if it is missing.
type access struct {
	key  string
	size int // of the value, bytes
}

// cacheWorkload is a sequence of accesses. Each call of begin returns a function that returns them from the first on,
// and false at the end.
type cacheWorkload struct {
	name  string
	begin func() func() (access, bool)
}

// workloads are the synthetic ones, and the trace. Sizes are chosen such that a part of the keys fits.
func (o *evictionFlags) workloads() ([]cacheWorkload, error) {
	fits := o.maxMemory / int64(o.valueBytes+40) // about
	universe := 8 * fits
	zipf := load.Distribution{Zipf: 0.9}
	numbered := func(number func(i int64) uint64) func() (access, bool) {
		i := int64(-1)
		return func() (access, bool) {
			i++
			return access{key: fmt.Sprintf("key:%012d", number(i)), size: o.valueBytes}, i < o.requests
		}
	}
	list := []cacheWorkload{
		{"zipf", func() func() (access, bool) {
			draw := zipf.Draws(universe, o.seed)
			return numbered(func(int64) uint64 { return draw() })
		}},
		{"scan", func() func() (access, bool) { // a third is keys that nobody asks for again, in runs of half of what fits
			draw, run, next := zipf.Draws(universe, o.seed), fits/2, uint64(universe)
			return numbered(func(i int64) uint64 {
				if i%(3*run) >= run {
					return draw()
				}
				next++
				return next
			})
		}},
		{"loop", func() func() (access, bool) { // over half as many again as fit
			return numbered(func(i int64) uint64 { return uint64(i % (fits * 3 / 2)) })
		}},
		{"shift", func() func() (access, bool) { // eight times others become the popular ones
			draw := zipf.Draws(universe, o.seed)
			return numbered(func(i int64) uint64 { return (draw() + uint64(i*8/o.requests)*uint64(universe/8)) % uint64(universe) })
		}},
	}
	if o.trace == "" {
		return list, nil
	}
	accesses, err := readTrace(o.trace)
	if err != nil {
		return nil, err
	}
	return append(list, cacheWorkload{"trace", func() func() (access, bool) {
		i := -1
		return func() (access, bool) {
			if i++; i == len(accesses) {
				return access{}, false
			}
			return accesses[i], true
		}
	}}), nil
}

// maxTraceValue bounds the values of a trace, in bytes.
const maxTraceValue = 64 << 20

// readTrace reads a file of lines time,key,size. A head line is skipped; the accesses are played in the order of the lines.
func readTrace(path string) ([]access, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	list, err := parseTrace(bufio.NewReader(file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return list, nil
}

func parseTrace(in io.Reader) (list []access, err error) {
	r := csv.NewReader(in)
	r.ReuseRecord, r.FieldsPerRecord, r.TrimLeadingSpace, r.Comment = true, -1, true, '#'
	for {
		fields, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		line, _ := r.FieldPos(0)
		if len(fields) < 3 {
			return nil, fmt.Errorf("line %d: want time,key,size", line)
		}
		size, err := strconv.Atoi(strings.TrimSpace(fields[2]))
		if err != nil && line == 1 {
			continue
		}
		if err != nil || size < 0 || size > maxTraceValue {
			return nil, fmt.Errorf("line %d: size %q is not a number of bytes up to %d", line, fields[2], maxTraceValue)
		}
		list = append(list, access{key: strings.Clone(fields[1]), size: size})
	}
	if len(list) == 0 {
		return nil, errors.New("no accesses")
	}
	return list, nil
}

// missReport is the ratios of misses: a row for each contestant, a column for each workload.
type missReport struct {
	flags     *evictionFlags
	workloads []cacheWorkload
	rows      []missRow
}

type missRow struct {
	contestant
	ratios []float64
	keys   []int64 // at the end
}

// measure runs all workloads with a contestant, each on a server of its own.
func (m *missReport) measure(ctx context.Context, c contestant, progress io.Writer) error {
	row := missRow{contestant: c}
	for _, w := range m.workloads {
		ratio, keys, err := m.flags.missRatio(ctx, c, w)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", c.name(), w.name, err)
		}
		fmt.Fprintf(progress, "%s, %s: %.2f %% misses\n", c.name(), w.name, 100*ratio)
		row.ratios, row.keys = append(row.ratios, ratio), append(row.keys, keys)
	}
	m.rows = append(m.rows, row)
	return nil
}

// missRatio plays a workload on a server and returns the share of misses, and how many keys there were at the end.
func (o *evictionFlags) missRatio(ctx context.Context, c contestant, w cacheWorkload) (ratio float64, keys int64, err error) {
	contender, err := ParseContender(c.program, c.command+" --maxmemory "+strconv.FormatInt(o.maxMemory, 10)+" --maxmemory-policy "+c.policy, nil)
	if err != nil {
		return 0, 0, err
	}
	server, err := Start(ctx, contender)
	if err != nil {
		return 0, 0, err
	}
	defer server.Stop()
	conn, err := net.Dial("tcp", server.Address)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close()
	client := cacheClient{conn: conn, in: bufio.NewReaderSize(conn, 256<<10), volatile: strings.HasPrefix(c.policy, "volatile-")}
	if err := client.play(ctx, w.begin()); err != nil {
		return 0, 0, err
	}
	reply, err := server.Do("DBSIZE")
	if err != nil {
		return 0, 0, err
	}
	keys, _ = reply.(int64)
	return float64(client.misses) / float64(max(client.asked, 1)), keys, nil
}

// cacheClient asks for keys and adds those that are missing: many at a time, so keys that follow closely on each other
// are asked for before the first of them is added. It counts these as the cache would have answered.
type cacheClient struct {
	conn     net.Conn
	in       *bufio.Reader
	out      []byte
	volatile bool
	value    []byte

	asked, misses int64
}

// cacheBatch is how many requests are sent together.
const cacheBatch = 128

func (c *cacheClient) play(ctx context.Context, next func() (access, bool)) error {
	batch := make([]access, 0, cacheBatch)
	missing := map[string]bool{}
	for more := true; more && ctx.Err() == nil; {
		batch = batch[:0]
		for len(batch) < cacheBatch {
			var a access
			if a, more = next(); !more {
				break
			}
			batch = append(batch, a)
		}
		if err := c.exchange(batch, missing); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// exchange gets the values of a batch and sets those that are missing, each once.
func (c *cacheClient) exchange(batch []access, missing map[string]bool) error {
	c.out = c.out[:0]
	for _, a := range batch {
		c.out = load.AppendCommand(c.out, "GET", a.key)
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	c.out = c.out[:0]
	clear(missing)
	sets := 0
	for _, a := range batch {
		hit, err := c.readBulk()
		if err != nil {
			return err
		}
		c.asked++
		if hit || missing[a.key] {
			continue
		}
		missing[a.key] = true
		c.misses++
		sets++
		c.set(a)
	}
	if sets == 0 {
		return nil
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return err
	}
	for range sets {
		if _, err := c.line(); err != nil && !strings.HasPrefix(err.Error(), "OOM") {
			return err
		}
	}
	return nil
}

func (c *cacheClient) set(a access) {
	for len(c.value) < a.size {
		c.value = append(c.value, "abcdefghijklmnopqrstuvwxyz012345"...)
	}
	if c.volatile {
		c.out = load.AppendCommand(c.out, "SET", a.key, string(c.value[:a.size]), "EX", "100000")
		return
	}
	c.out = load.AppendCommand(c.out, "SET", a.key, string(c.value[:a.size]))
}

// line reads a line without its end; an error reply is an error.
func (c *cacheClient) line() ([]byte, error) {
	b, err := c.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	b = b[:len(b)-2]
	if len(b) > 0 && b[0] == '-' {
		return nil, errors.New(string(b[1:]))
	}
	return b, nil
}

func (c *cacheClient) readBulk() (hit bool, err error) {
	b, err := c.line()
	if err != nil {
		return false, err
	}
	if len(b) < 2 || b[0] != '$' {
		return false, fmt.Errorf("unexpected reply %q", b)
	}
	n, err := strconv.Atoi(string(b[1:]))
	if err != nil || n < 0 {
		return false, err
	}
	_, err = c.in.Discard(n + 2)
	return true, err
}

// baseline is what others are compared with.
func (m *missReport) baseline() *missRow {
	for i := range m.rows {
		if m.rows[i].program == "redis" && m.rows[i].policy == "allkeys-lru" {
			return &m.rows[i]
		}
	}
	return nil
}

func (m *missReport) print(out io.Writer) {
	fmt.Fprintf(out, "Misses in percent, maxmemory %d bytes, %d requests, values of %d bytes", m.flags.maxMemory, m.flags.requests, m.flags.valueBytes)
	base := m.baseline()
	if base != nil {
		fmt.Fprint(out, "; in brackets: beside Redis' allkeys-lru")
	}
	fmt.Fprintln(out)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "server and policy")
	for _, w := range m.workloads {
		fmt.Fprintf(t, "\t%s", w.name)
	}
	fmt.Fprintln(t, "\tmean\tkeys")
	for i := range m.rows {
		m.printRow(t, &m.rows[i], base)
	}
	t.Flush()
	if base != nil {
		m.verdict(out, base)
	}
}

func (m *missReport) printRow(t io.Writer, row, base *missRow) {
	fmt.Fprint(t, row.name())
	for i, r := range row.ratios {
		fmt.Fprintf(t, "\t%.2f", 100*r)
		if base != nil && row != base {
			fmt.Fprintf(t, " (%+.0f %%)", 100*(r/base.ratios[i]-1))
		}
	}
	if base != nil {
		fmt.Fprintf(t, "\t%+.1f %%", 100*meanChange(row, base))
	} else {
		fmt.Fprint(t, "\t")
	}
	fmt.Fprintf(t, "\t%d\n", slices.Max(row.keys))
}

// meanChange returns by how much a row's ratios differ from those of base, on average, as a fraction.
func meanChange(row, base *missRow) float64 {
	sum := 0.0
	for i, r := range row.ratios {
		sum += r/base.ratios[i] - 1
	}
	return sum / float64(len(row.ratios))
}

// verdict says whether the recommended policy is as good as it is to be: no worse anywhere, and better by a tenth on average.
func (m *missReport) verdict(out io.Writer, base *missRow) {
	for i := range m.rows {
		row := &m.rows[i]
		if row.program != "shoal" || row.policy != recommendedPolicy {
			continue
		}
		worst, at := math.Inf(-1), 0
		for i, r := range row.ratios {
			if c := r/base.ratios[i] - 1; c > worst {
				worst, at = c, i
			}
		}
		fmt.Fprintf(out, "%s, the recommended policy: %+.1f %% misses on average, %+.1f %% at worst (%s)\n",
			recommendedPolicy, 100*meanChange(row, base), 100*worst, m.workloads[at].name)
	}
}
