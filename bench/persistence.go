package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shoaldb/shoal/bench/load"
)

// Persistence is what saving and loading took, and how clients fared meanwhile.
type Persistence struct {
	Tasks  map[string]*TaskPair   `json:"tasks"`   // by the names of DataCases, after "save ", "load " or "aof "
	Beside map[string][]BesideRun `json:"latency"` // by label
}

// TaskPair is a task on both servers. Runs of the same number were taken one right after the other.
type TaskPair struct {
	Redis []TaskRun `json:"redis"`
	Shoal []TaskRun `json:"shoal"`
}

// TaskRun is one BGSAVE, or one start of a server with data.
type TaskRun struct {
	Sec     float64 `json:"s"`
	CPUSec  float64 `json:"cpu_s"` // of the server and the processes that it forked
	Foreign float64 `json:"foreign_cores"`
}

func (r TaskRun) foreign() float64 { return r.Foreign }

// BesideRun is the latency of clients without a snapshot, and then until one was complete.
type BesideRun struct {
	Without Sample  `json:"without"`
	With    Sample  `json:"with"`
	Sec     float64 `json:"s"`          // that the snapshot took
	Growth  float64 `json:"rss_growth"` // share of the resident memory; of the reference server, pages that were copied for its child included
}

func (r BesideRun) foreign() float64 { return max(r.Without.Foreign, r.With.Foreign) }

// DataCase is data that are saved and loaded.
type DataCase struct {
	Name  string
	Title string
	fill  func(ctx context.Context, r *reporter, s *Server) error
}

const (
	savedKeys   = 5_000_000
	mixFraction = 10 // of CollectionCases
)

// DataCases are what the report saves and loads.
var DataCases = []DataCase{
	{"5M", "5 million keys (16 B, 32 B)", func(ctx context.Context, r *reporter, s *Server) error {
		_, err := fill(ctx, load.Options{Address: s.Address, Conns: 10, Threads: r.plan.Threads}, max(savedKeys/max(r.shrink, 1), 1), 32, 0)
		return err
	}},
	{"mix", "a tenth of each of the collections below", func(ctx context.Context, r *reporter, s *Server) error {
		for i := range CollectionCases {
			if err := CollectionCases[i].feed.send(s.client, mixFraction*max(r.shrink, 1)); err != nil {
				return err
			}
		}
		return ctx.Err()
	}},
}

// tasks are what is done with the data, with the shares of the reference server's time, and CPU time, that are asked for.
var tasks = []struct {
	name, title   string
	share, atMost float64 // of time, of CPU time (0: whatever it takes)
	a, b          setup
}{
	{"save", "BGSAVE", 1, 1, redis, shoal},
	{"load", "load of the RDB file", 0.6, 0, everywhere(redis), manyReactors("2")},
	{"aof", "load of the AOF", 0.6, 0, withFile(everywhere(redis)), withFile(manyReactors("2"))},
}

// everywhere is a setup on all CPUs.
func everywhere(s setup) setup {
	s.label, s.all = s.label+", all CPUs", true
	return s
}

// withFile is a setup that loads an append only file, and would write it.
func withFile(s setup) setup {
	s.label, s.args = s.label+", AOF", append(slices.Clone(s.args), "--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0")
	return s
}

func (r *reporter) persistence(ctx context.Context) error {
	p := &Persistence{Tasks: map[string]*TaskPair{}, Beside: map[string][]BesideRun{}}
	for i := range DataCases {
		if err := r.saveAndLoad(ctx, &DataCases[i], p); err != nil {
			return fmt.Errorf("%s: %w", DataCases[i].Title, err)
		}
	}
	for _, s := range []setup{everywhere(redis), manyReactors("2")} {
		runs, err := r.besideSaves(ctx, s)
		if err != nil {
			return fmt.Errorf("%s: %w", s.label, err)
		}
		p.Beside[s.label] = runs
	}
	r.results.Persistence = p
	return nil
}

// saveAndLoad has both servers save the same data, and load what the reference server has written.
func (r *reporter) saveAndLoad(ctx context.Context, m *DataCase, p *Persistence) error {
	files, err := os.MkdirTemp("", "shoal-bench-data-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(files)
	for _, t := range tasks {
		var pair *TaskPair
		switch t.name {
		case "save":
			pair, err = r.saves(ctx, m, files, t.a, t.b)
		default:
			if t.name == "aof" {
				err = errors.Join(os.Remove(filepath.Join(files, "dump.rdb")), r.writeAOF(ctx, m, files, t.a))
			}
			if err == nil {
				pair, err = r.loads(ctx, files, t.a, t.b)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.title, err)
		}
		p.Tasks[t.name+" "+m.Name] = pair
		sec := func(runs []TaskRun) float64 { return stat(runs, taskSec).Median }
		fmt.Fprintf(r.progress, "%s, %s\n  %.2f s and %.2f s\n", t.title, m.Title, sec(pair.Redis), sec(pair.Shoal))
	}
	return nil
}

func taskSec(t TaskRun) float64    { return t.Sec }
func taskCPUSec(t TaskRun) float64 { return t.CPUSec }

// saves measures BGSAVE, and leaves the file of the first server in the folder files.
func (r *reporter) saves(ctx context.Context, m *DataCase, files string, a, b setup) (*TaskPair, error) {
	var servers [2]*Server
	for i, s := range []setup{a, b} {
		server, err := Start(ctx, r.contender(s))
		if err != nil {
			return nil, err
		}
		defer server.Stop()
		if err := m.fill(ctx, r, server); err != nil {
			return nil, err
		}
		server.settle(ctx)
		servers[i] = server
	}
	pair, err := r.taskPair(ctx, func(i int) (TaskRun, error) { return servers[i].save(ctx) })
	if err != nil {
		return nil, err
	}
	return pair, os.Link(filepath.Join(servers[0].dir, "dump.rdb"), filepath.Join(files, "dump.rdb"))
}

// taskPair runs a task on both servers, in turns.
func (r *reporter) taskPair(ctx context.Context, run func(i int) (TaskRun, error)) (*TaskPair, error) {
	runs, err := quietest(ctx, r.taskRuns, r.plan.Attempts, func(int) (one taskRuns, err error) {
		for i := range one {
			if one[i], err = run(i); err != nil {
				break
			}
		}
		return one, err
	})
	pair := &TaskPair{}
	for _, one := range runs {
		pair.Redis, pair.Shoal = append(pair.Redis, one[0]), append(pair.Shoal, one[1])
	}
	return pair, err
}

// taskRuns are a task's runs on both servers.
type taskRuns [2]TaskRun

func (r taskRuns) foreign() float64 { return max(r[0].Foreign, r[1].Foreign) }

// save measures a BGSAVE.
func (s *Server) save(ctx context.Context) (t TaskRun, err error) {
	before := readMachineTime(os.Getpid(), s.PID)
	cpu, err := s.cpuSec()
	if err != nil {
		return t, err
	}
	begin := time.Now()
	if _, err := s.Do("BGSAVE"); err != nil {
		return t, err
	}
	if err := s.awaitSave(ctx); err != nil {
		return t, err
	}
	t.Sec = time.Since(begin).Seconds()
	after, err := s.cpuSec()
	t.CPUSec = after - cpu
	// A child's time counts as the server's only when it has ended: that of another process until then.
	now := readMachineTime(os.Getpid(), s.PID)
	t.Foreign = max(now.foreignSince(before)-s.childShare(t), 0)
	return t, err
}

// childShare is the part of a core that a server's child was busy with during a BGSAVE.
func (s *Server) childShare(t TaskRun) float64 {
	if !s.forks {
		return 0
	}
	return t.CPUSec / t.Sec
}

const savePoll = 10 * time.Millisecond

// awaitSave waits for the end of a BGSAVE, which must not fail.
func (s *Server) awaitSave(ctx context.Context) error {
	for {
		info := s.Info("rdb_bgsave_in_progress", "rdb_last_bgsave_status")
		switch {
		case info["rdb_bgsave_in_progress"] == "1":
		case info["rdb_last_bgsave_status"] != "ok":
			return fmt.Errorf("BGSAVE: %q", info["rdb_last_bgsave_status"])
		default:
			return ctx.Err()
		}
		time.Sleep(savePoll)
	}
}

// cpuSec is the CPU time that the server and its former children have used.
func (s *Server) cpuSec() (float64, error) {
	u, err := load.ReadUsage(s.PID)
	if err != nil {
		return 0, err
	}
	sum := u.CPU.Seconds()
	for _, text := range s.Info("used_cpu_sys_children", "used_cpu_user_children") {
		sec, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, err
		}
		sum += sec
	}
	return sum, nil
}

// writeAOF has a server write the data as an append only file, in the folder files.
func (r *reporter) writeAOF(ctx context.Context, m *DataCase, files string, s setup) error {
	server, err := Start(ctx, r.contender(s))
	if err != nil {
		return err
	}
	defer server.Stop()
	if err := m.fill(ctx, r, server); err != nil {
		return err
	}
	return linkTree(files, server.end())
}

// loads measures how long servers take until they answer when they start with files.
func (r *reporter) loads(ctx context.Context, files string, a, b setup) (*TaskPair, error) {
	var keys [2]any
	setups := [2]setup{a, b}
	pair, err := r.taskPair(ctx, func(i int) (t TaskRun, err error) {
		c := r.contender(setups[i])
		c.files = files
		before := readMachineTime(os.Getpid())
		begin := time.Now()
		s, err := Start(ctx, c)
		if err != nil {
			return t, err
		}
		defer s.Stop()
		t.Sec = time.Since(begin).Seconds()
		if t.CPUSec, err = s.cpuSec(); err != nil {
			return t, err
		}
		after := readMachineTime(os.Getpid())
		t.Foreign = max(after.foreignSince(before)-t.CPUSec/t.Sec, 0)
		keys[i], err = s.Do("DBSIZE")
		return t, err
	})
	if err == nil && (keys[0] != keys[1] || keys[0] == int64(0)) {
		err = fmt.Errorf("%v keys were loaded, and %v", keys[0], keys[1])
	}
	return pair, err
}

// linkTree makes dst have all files that src has.
func linkTree(dst, src string) error {
	return filepath.WalkDir(src, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(dst, relative), 0o755)
		}
		return os.Link(path, filepath.Join(dst, relative))
	})
}

const (
	besideRate      = 30_000 // requests a second
	besideRatioGoal = 2      // of p99.9 with a snapshot to that without
	besideMaxGoal   = 10     // ms
	besideGrowth    = 0.05   // of the resident memory
)

// besideSaves measures how clients fare while a snapshot is taken. The load may run on any CPU, as the servers.
func (r *reporter) besideSaves(ctx context.Context, s setup) ([]BesideRun, error) {
	server, err := Start(ctx, r.contender(s))
	if err != nil {
		return nil, err
	}
	defer server.Stop()
	if err := DataCases[0].fill(ctx, r, server); err != nil {
		return nil, err
	}
	g, err := load.Dial(load.Options{Address: server.Address, Conns: 50, Threads: r.plan.Threads, ServerPID: server.PID})
	if err != nil {
		return nil, err
	}
	defer g.Close()
	fmt.Fprintf(r.progress, "Latency beside BGSAVE: %s\n", s.label)
	mix := Scenario{Name: "beside", Words: get, Mix: set, Even: true, Rate: besideRate}
	run := func(d time.Duration) (Sample, error) {
		return server.sample(ctx, g, mix.workload(d, savedKeys/max(r.shrink, 1), r.plan.Seed))
	}
	if _, err := run(r.plan.WarmUp); err != nil {
		return nil, err
	}
	return quietest(ctx, r.taskRuns, r.plan.Attempts, func(int) (one BesideRun, err error) {
		if one.Without, err = run(besideTimes * r.plan.Time); err == nil {
			err = server.sampleSave(ctx, &one, g, &mix, r)
		}
		for again := 0; err == nil && one.With.Requests == 0 && again < saveAttempts; again++ {
			err = server.sampleSave(ctx, &one, g, &mix, r)
		}
		fmt.Fprintf(r.progress, "  p99.9 %.2f ms, with BGSAVE %.2f ms, at most %.2f ms\n", one.Without.P999, one.With.P999, one.With.Max)
		return one, err
	})
}

// besideTimes is how many times as long as others the runs without a snapshot are: p99.9 wants many requests.
const besideTimes = 3

// saveAttempts bounds how often a save that was over before the first request is repeated.
const saveAttempts = 100

// sampleSave measures while a BGSAVE runs, from its beginning to its end.
func (s *Server) sampleSave(ctx context.Context, one *BesideRun, g *load.Generator, mix *Scenario, r *reporter) error {
	before, err := s.RSS()
	if err != nil {
		return err
	}
	running, end := context.WithCancel(ctx)
	defer end()
	cpu, err := s.cpuSec()
	if err != nil {
		return err
	}
	if _, err := s.Do("BGSAVE"); err != nil {
		return err
	}
	begin := time.Now()
	peak, saved := before, make(chan error, 1)
	go func() {
		defer end()
		for {
			if rss, err := s.RSS(); err == nil {
				peak = max(peak, rss)
			}
			if s.Info("rdb_bgsave_in_progress")["rdb_bgsave_in_progress"] != "1" {
				saved <- s.awaitSave(ctx)
				return
			}
			time.Sleep(10 * savePoll)
		}
	}()
	one.With, err = s.sample(running, g, mix.workload(mostSave, savedKeys/max(r.shrink, 1), r.plan.Seed+1))
	end()
	if err = errors.Join(err, <-saved); err != nil {
		return err
	}
	one.Sec = time.Since(begin).Seconds()
	growth := float64(peak - before)
	if s.forks {
		after, err := s.cpuSec()
		if err != nil {
			return err
		}
		one.With.Foreign = max(one.With.Foreign-(after-cpu-one.With.Busy*one.Sec)/one.Sec, 0) // that was the child
		copied, err := strconv.ParseFloat(s.Info("rdb_last_cow_size")["rdb_last_cow_size"], 64)
		if err != nil {
			return err
		}
		growth += copied
	}
	one.Growth = growth / float64(before)
	return nil
}

// mostSave is how long a snapshot beside clients may take.
const mostSave = 2 * time.Minute

// sample runs a workload until ctx is done, which is no error.
func (s *Server) sample(ctx context.Context, g *load.Generator, w load.Workload) (Sample, error) {
	before := readMachineTime(os.Getpid(), s.PID)
	r, err := g.Run(ctx, w)
	if err != nil {
		return Sample{}, err
	}
	if r.Errors > 0 {
		return Sample{}, errors.New(r.FirstError)
	}
	return newSample(r, readMachineTime(os.Getpid(), s.PID).foreignSince(before)), nil
}

// tasksTable compares how long saving and loading take.
func tasksTable(b *strings.Builder, p *Persistence) {
	if len(p.Tasks) == 0 {
		return
	}
	b.WriteString("## Saving and loading\n\nBGSAVE with one core for each server, nobody else asking; loading the files that redis-server has written, with two cores, from the start of the " +
		"process to its first answer. Goal: at most that share of redis-server's time, and for BGSAVE of its CPU time.\n\n")
	b.WriteString("| | redis-server s | Shoal s | share | goal | | redis-server CPU s | Shoal CPU s | share | | others |\n| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: | ---: | --- | ---: |\n")
	for _, t := range tasks {
		for _, m := range DataCases {
			pair := p.Tasks[t.name+" "+m.Name]
			if pair == nil {
				continue
			}
			share, cpu := pair.share(taskSec), pair.share(taskCPUSec)
			cpuMark := ""
			if t.atMost > 0 {
				cpuMark = goalMark(cpu <= t.atMost)
			}
			fmt.Fprintf(b, "| %s, %s | %.2f | %.2f | %.0f %% | %.0f %% | %s | %.2f | %.2f | %.0f %% | %s | %.0f %% |\n", t.title, m.Title,
				stat(pair.Redis, taskSec).Median, stat(pair.Shoal, taskSec).Median, 100*share, 100*t.share, goalMark(share <= t.share),
				stat(pair.Redis, taskCPUSec).Median, stat(pair.Shoal, taskCPUSec).Median, 100*cpu, cpuMark,
				100*max(stat(pair.Redis, TaskRun.foreign).Max, stat(pair.Shoal, TaskRun.foreign).Max))
		}
	}
	b.WriteString("\n")
}

// share is what Shoal takes of a figure of the reference server, of medians.
func (p *TaskPair) share(figure func(TaskRun) float64) float64 {
	return stat(p.Shoal, figure).Median / max(stat(p.Redis, figure).Median, 1e-9)
}

// besideTable tells how clients fare beside a snapshot.
func besideTable(b *strings.Builder, p *Persistence) {
	if len(p.Beside) == 0 {
		return
	}
	fmt.Fprintf(b, "## Latency beside BGSAVE\n\n5 million keys, %s requests a second over 50 connections, GET:SET 1:1, open loop; servers and load share all cores. \"With\": from BGSAVE to its end. "+
		"\"Memory\": by how much the resident memory grows meanwhile, for redis-server with the pages that are copied for its child.\n\n", thousands(besideRate))
	fmt.Fprintf(b, "Goals: p99.9 at most %d times that without, no request over %d ms, memory %.0f %%.\n\n", besideRatioGoal, besideMaxGoal, 100*besideGrowth)
	b.WriteString("| | | p50 ms | p99 ms | p99.9 ms | max ms | ratio of p99.9 | | max | | memory | | BGSAVE s | others |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | --- | ---: | --- | ---: | --- | ---: | ---: |\n")
	for _, label := range sortedKeys(p.Beside) {
		besideRows(b, label, p.Beside[label])
	}
	b.WriteString("\n")
}

func besideRows(b *strings.Builder, label string, runs []BesideRun) {
	without := func(figure func(Sample) float64) float64 {
		return stat(runs, func(r BesideRun) float64 { return figure(r.Without) }).Median
	}
	with := func(figure func(Sample) float64) Stat {
		return stat(runs, func(r BesideRun) float64 { return figure(r.With) })
	}
	ratio := with(p999).Median / max(without(p999), 1e-9)
	growth := stat(runs, func(r BesideRun) float64 { return r.Growth })
	mark := func(met bool) string {
		if strings.HasPrefix(label, redis.label) {
			return ""
		}
		return goalMark(met)
	}
	fmt.Fprintf(b, "| %s | without | %.3f | %.3f | %.2f | %.2f | | | | | | | | |\n", label, without(p50), without(p99), without(p999), without(most))
	fmt.Fprintf(b, "| %s | with | %.3f | %.3f | %.2f | %.2f | %.2f | %s | %.2f–%.2f | %s | %+.1f %% | %s | %.1f | %.0f %% |\n", label,
		with(p50).Median, with(p99).Median, with(p999).Median, with(most).Median, ratio, mark(ratio <= besideRatioGoal),
		with(most).Min, with(most).Max, mark(with(most).Median <= besideMaxGoal), 100*growth.Median, mark(growth.Median <= besideGrowth),
		stat(runs, func(r BesideRun) float64 { return r.Sec }).Median, 100*stat(runs, BesideRun.foreign).Max)
}

func most(s Sample) float64 { return s.Max }
