package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/shoaldb/shoal/bench"
	"github.com/shoaldb/shoal/bench/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // the next signal kills
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is main with its surroundings as arguments. It returns the exit status.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) > 0 && bench.IsCommand(args[0]) {
		if err := bench.Main(ctx, args, stdout, stderr); err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		return 0
	}
	c, err := parseFlags(args)
	switch {
	case err != nil:
		fmt.Fprintf(stderr, "%v\n\n", err)
		usage(stderr)
		return 1
	case c.help:
		usage(stdout)
		return 0
	case c.version:
		fmt.Fprintf(stdout, "shoal-bench %s\n", version())
		return 0
	}
	// The workers allocate nothing, so what little the rest does needs no collector at their side.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	session := &session{config: c, stdin: stdin, stdout: stdout, stderr: stderr}
	if err := session.run(ctx); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

func usage(out io.Writer) {
	fmt.Fprint(out, "Usage: shoal-bench [OPTIONS] [COMMAND ARGS...]\n\nOptions of redis-benchmark:\n")
	for _, f := range flags {
		printFlag(out, f)
	}
	fmt.Fprint(out, "\nMore options:\n")
	for _, f := range flagsBeyond {
		printFlag(out, f)
	}
	fmt.Fprint(out, "\nTests:\n ")
	width := 1
	for _, name := range testNames() {
		if width += len(name) + 1; width > 78 {
			fmt.Fprint(out, "\n ")
			width = len(name) + 2
		}
		fmt.Fprint(out, " ", name)
	}
	fmt.Fprint(out, `

In a command, __rand_int__ becomes a random number of 12 digits (with -r or --keys) and __data__ a value of
-d bytes.

Commands that start servers themselves and compare them (each has --help):
  shoal-bench vs        two servers side by side, scenario by scenario: CPU per operation and ratio
  shoal-bench ab        the same for two builds of shoal-server
  shoal-bench eviction  miss ratios of eviction policies beside redis-server, also for a trace file
  shoal-bench limit     memory, throughput and latency at maxmemory
  shoal-bench report    everything, written to BENCHMARKS.md with plots
`)
}

func printFlag(out io.Writer, f flag) {
	name := f.name
	if f.arg != "" {
		name += " <" + f.arg + ">"
	}
	fmt.Fprintf(out, "  %-21s %s\n", name, strings.ReplaceAll(f.help, "\n", "\n"+strings.Repeat(" ", 24)))
}

func testNames() []string {
	var names []string
	seen := map[string]bool{}
	for _, t := range defaults().suite() {
		for _, name := range t.names {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// session is one run of the load generator.
type session struct {
	config         *config
	stdin          io.Reader
	stdout, stderr io.Writer

	printer   *printer
	generator *load.Generator
	records   []record
	failures  int // tests in which the server answered with errors
}

var errFailures = errors.New("the server answered with errors")

func (s *session) run(ctx context.Context) error {
	c := s.config
	s.printer = &printer{config: c, out: s.stdout}
	if c.hdrFile != "" {
		if err := os.WriteFile(c.hdrFile, nil, 0o644); err != nil {
			return err
		}
	}
	stdin, err := s.lastArgument()
	if err != nil {
		return err
	}
	s.askServer()
	s.warn()
	options, err := c.options()
	if err != nil {
		return err
	}
	if c.progress && !c.csv && isTerminal(s.stdout) {
		options.Progress = s.printer.progress
	}
	if c.idle {
		return s.waitIdle(ctx, options)
	}
	if s.generator, err = load.Dial(options); err != nil {
		return err
	}
	defer s.generator.Close()
	if c.csv {
		s.printer.csvHeader()
	}
	if err := s.tests(ctx, stdin); err != nil {
		return err
	}
	if c.jsonFile != "" {
		if err := writeJSON(c.jsonFile, s.stdout, s.records); err != nil {
			return err
		}
	}
	if s.failures > 0 {
		return errFailures
	}
	return nil
}

// tests loads the keys and runs the tests, over and over with -l.
func (s *session) tests(ctx context.Context, stdin string) error {
	c := s.config
	if c.preload > 0 {
		if err := s.load(ctx); err != nil {
			return err
		}
	}
	for {
		for _, t := range c.selected(stdin) {
			if ctx.Err() != nil {
				return nil
			}
			if len(c.command) > 0 {
				c.dataSize = len(t.commands[0].Wire) // as redis-benchmark counts
			}
			if err := s.test(ctx, t); err != nil {
				return err
			}
		}
		if !c.csv && len(c.command) == 0 {
			fmt.Fprintln(s.stdout)
		}
		if !c.loop || ctx.Err() != nil {
			return nil
		}
	}
}

// load sends each key once, in order, well pipelined whatever -P says.
func (s *session) load(ctx context.Context) error {
	c := s.config
	w := load.Workload{
		Name: "LOAD", Commands: c.loading().commands, Pipeline: max(c.pipeline, 100), Keys: c.preload,
		Distribution: load.Distribution{Sequential: true}, Requests: c.preload, Precision: c.precision,
	}
	return s.measure(ctx, w)
}

func (s *session) test(ctx context.Context, t test) error {
	c := s.config
	w := load.Workload{
		Name: t.title, Commands: t.commands, Pipeline: c.pipeline, Distribution: c.dist, Seed: c.seed, Rate: c.rate,
		Duration: c.duration, Precision: c.precision,
	}
	if c.randomKeys {
		w.Keys = c.keys
	}
	if c.duration == 0 || c.requestsSet {
		w.Requests = c.requests
	}
	if c.warmup > 0 {
		warm := w
		warm.Name, warm.Requests, warm.Duration, warm.Seed = t.title+" (warm-up)", 0, c.warmup, c.seed+1
		if _, err := s.generator.Run(ctx, warm); err != nil {
			return fmt.Errorf("%s: %w", t.title, err)
		}
	}
	return s.measure(ctx, w)
}

// measure runs one workload and writes its result.
func (s *session) measure(ctx context.Context, w load.Workload) error {
	r, err := s.generator.Run(ctx, w)
	s.printer.clearLine()
	if err != nil {
		return fmt.Errorf("%s: %w", w.Name, err)
	}
	if r.Errors > 0 {
		s.failures++
		fmt.Fprintf(s.stderr, "%s: Error from server: %s (%d errors in %d replies)\n", w.Name, r.FirstError, r.Errors, r.Requests)
	}
	if r.Abandoned {
		return nil
	}
	s.printer.result(r)
	s.records = append(s.records, s.config.record(r))
	if s.config.hdrFile != "" {
		return appendHDR(s.config.hdrFile, r)
	}
	return nil
}

func (s *session) lastArgument() (string, error) {
	if !s.config.stdinArg {
		return "", nil
	}
	b, err := io.ReadAll(s.stdin)
	return string(b), err
}

// askServer reads the settings that the report quotes and, with --server-cpu, the server's pid.
func (s *session) askServer() {
	c := s.config
	target, err := c.target()
	if err != nil {
		return // options will fail with the same error
	}
	client, err := load.DialClient(target)
	if err != nil {
		return // Dial will fail with the same error
	}
	defer client.Close()
	save, err1 := configValue(client, "save")
	appendOnly, err2 := configValue(client, "appendonly")
	if err1 != nil || err2 != nil {
		fmt.Fprintln(s.stderr, "WARNING: Could not fetch server CONFIG")
	} else {
		s.printer.save, s.printer.appendOnly, s.printer.known = save, appendOnly, true
	}
	if c.serverCPU {
		c.serverPID, err = serverPID(client)
		if err != nil {
			fmt.Fprintf(s.stderr, "WARNING: --server-cpu: %v\n", err)
		}
	}
}

func configValue(client *load.Client, name string) (string, error) {
	reply, err := client.Do("CONFIG", "GET", name)
	if err != nil {
		return "", err
	}
	pair, ok := reply.([]any)
	if !ok || len(pair) != 2 {
		return "", fmt.Errorf("CONFIG GET %s: unexpected reply %v", name, reply)
	}
	return fmt.Sprint(pair[1]), nil
}

func serverPID(client *load.Client) (int, error) {
	info, err := client.Text("INFO", "server")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(info) {
		if text, ok := strings.CutPrefix(line, "process_id:"); ok {
			return strconv.Atoi(strings.TrimSpace(text))
		}
	}
	return 0, errors.New("INFO has no process_id")
}

func (s *session) warn() {
	c := s.config
	if c.keepAlive == 0 {
		fmt.Fprintln(s.stderr, "WARNING: Keepalive disabled: every batch takes a port for a minute unless net.ipv4.tcp_tw_reuse is 1")
	}
	if len(c.command) > 0 && c.tests != nil {
		fmt.Fprintln(s.stderr, "WARNING: Option -t is ignored.")
	}
}

// waitIdle is -I.
func (s *session) waitIdle(ctx context.Context, o load.Options) error {
	fmt.Fprintf(s.stdout, "Creating %d idle connections and waiting forever (Ctrl+C when done)\n", o.Conns)
	g, err := load.Dial(o)
	if err != nil {
		return err
	}
	defer g.Close()
	fmt.Fprintf(s.stdout, "clients: %d\n", o.Conns)
	<-ctx.Done()
	return nil
}

// target is the server to connect to.
func (c *config) target() (load.Options, error) {
	o := load.Options{Network: "tcp", Address: fmt.Sprintf("%s:%d", c.host, c.port), User: c.user, Password: c.password, DB: c.db, Timeout: 30 * time.Second}
	if strings.Contains(c.host, ":") {
		o.Address = fmt.Sprintf("[%s]:%d", c.host, c.port)
	}
	if c.socket != "" {
		o.Network, o.Address = "unix", c.socket
	}
	var err error
	o.TLS, err = c.tlsConfig()
	return o, err
}

func (c *config) options() (load.Options, error) {
	o, err := c.target()
	o.RESP3, o.Tracking = c.resp3, c.tracking
	o.Conns, o.Threads, o.Reconnect, o.Portable, o.CPUs = c.clients, c.threads, c.keepAlive == 0, c.portable, c.cpus
	o.ServerPID = c.serverPID
	return o, err
}

func (c *config) measuresServer() bool { return c.serverPID != 0 }

func isTerminal(out io.Writer) bool {
	f, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
