package main

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/shoaldb/shoal/bench/load"
)

// config is what the command line asks for.
type config struct {
	host     string
	port     int
	socket   string
	user     string
	password string
	db       int
	resp3    bool
	tracking bool

	tls, insecure                  bool
	sni, caFile, certFile, keyFile string

	clients   int
	threads   int // 0: one, and not said in the report
	keepAlive int
	portable  bool
	cpus      []int

	requests    int64
	requestsSet bool
	duration    time.Duration
	warmup      time.Duration
	rate        float64
	pipeline    int
	dataSize    int
	randomKeys  bool
	keys        int64
	keySize     int
	dist        load.Distribution
	seed        uint64
	expire      int

	tests     []string // nil: all
	command   []string
	setWeight int // --ratio
	getWeight int
	mget      int
	preload   int64
	stdinArg  bool
	loop      bool
	idle      bool

	serverPID int
	serverCPU bool

	quiet     bool
	csv       bool
	precision int
	jsonFile  string
	hdrFile   string
	progress  bool

	help    bool
	version bool
}

func defaults() *config {
	return &config{
		host: "127.0.0.1", port: 6379, clients: 50, keepAlive: 1, requests: 100000, pipeline: 1, dataSize: 3,
		precision: 3, keySize: minKeySize, seed: uint64(time.Now().UnixNano()), progress: true,
	}
}

// flag is one option of the command line.
type flag struct {
	name string // with its dashes
	arg  string // name of its argument; "": it takes none
	help string
	set  func(c *config, value string) error
}

// invalidOption is an option that does not exist, lacks its argument or has one too many. It reads as redis-benchmark
// puts it.
type invalidOption string

func (o invalidOption) Error() string {
	return fmt.Sprintf("Invalid option %q or option argument missing", string(o))
}

var errRefused = errors.New("not supported")

var flags = []flag{
	{"-h", "hostname", "Server hostname (default 127.0.0.1)", text(func(c *config) *string { return &c.host })},
	{"-p", "port", "Server port (default 6379)", number(func(c *config) *int { return &c.port })},
	{"-s", "socket", "Server socket (overrides host and port)", text(func(c *config) *string { return &c.socket })},
	{"-a", "password", "Password for AUTH", text(func(c *config) *string { return &c.password })},
	{"--user", "username", "User for AUTH; needs -a", text(func(c *config) *string { return &c.user })},
	{"-u", "uri", "Server URI: redis://user:password@host:port/db, or rediss:// with TLS", setURI},
	{"-c", "clients", "Number of parallel connections (default 50)", number(func(c *config) *int { return &c.clients })},
	{"-n", "requests", "Total number of requests (default 100000)", setRequests},
	{"-d", "size", "Bytes in a value of SET/GET (default 3)", setDataSize},
	{"--dbnum", "db", "SELECT this database (default 0)", number(func(c *config) *int { return &c.db })},
	{"-3", "", "Speak RESP3", on(func(c *config) *bool { return &c.resp3 })},
	{"--threads", "num", "Number of event loops, each on a thread of its own", setThreads},
	{"--cluster", "", "Not supported: name one node with -h and -p", refuse("cluster mode")},
	{"--enable-tracking", "", "Send CLIENT TRACKING on before starting", on(func(c *config) *bool { return &c.tracking })},
	{"-k", "boolean", "1=keep alive 0=reconnect (default 1)", number(func(c *config) *int { return &c.keepAlive })},
	{"-r", "keyspacelen", "Replace every __rand_int__ with a random number of 12 digits below this,\nin the tests' keys, members and scores too; without -r all use the same key", setRandomKeys},
	{"-P", "numreq", "Pipeline this many requests (default 1: no pipeline)", setPipeline},
	{"-q", "", "Quiet: only a line per test", on(func(c *config) *bool { return &c.quiet })},
	{"--precision", "digits", "Significant digits of latencies, 1 to 3 (default 3)", setPrecision},
	{"--csv", "", "Output in CSV format", on(func(c *config) *bool { return &c.csv })},
	{"-l", "", "Loop: run the tests forever", on(func(c *config) *bool { return &c.loop })},
	{"-t", "tests", "Run only these tests, comma-separated (see below); ignored if a command is given", setTests},
	{"-I", "", "Idle mode: open the connections and wait", on(func(c *config) *bool { return &c.idle })},
	{"-x", "", "Read the command's last argument from STDIN", on(func(c *config) *bool { return &c.stdinArg })},
	{"-e", "", "Accepted; error replies are always counted", func(*config, string) error { return nil }},
	{"--tls", "", "Speak TLS", on(func(c *config) *bool { return &c.tls })},
	{"--sni", "host", "Server name to ask for, and to expect in its certificate (default: the hostname)", text(func(c *config) *string { return &c.sni })},
	{"--cacert", "file", "Certificates of trusted authorities (default: the system's)", text(func(c *config) *string { return &c.caFile })},
	{"--cacertdir", "dir", "Not supported: name a file with --cacert", refuse("a directory of authorities")},
	{"--insecure", "", "Believe any certificate", on(func(c *config) *bool { return &c.insecure })},
	{"--cert", "file", "Certificate to show; needs --key", text(func(c *config) *string { return &c.certFile })},
	{"--key", "file", "Key of that certificate", text(func(c *config) *string { return &c.keyFile })},
	{"--tls-ciphers", "list", "Not supported: Go chooses", refuse("a list of ciphers")},
	{"--tls-ciphersuites", "list", "Not supported: Go chooses", refuse("a list of ciphers")},
	{"--seed", "num", "Seed of all random choices", setSeed},
	{"--help", "", "Print this help and exit", on(func(c *config) *bool { return &c.help })},
	{"--version", "", "Print the version and exit", on(func(c *config) *bool { return &c.version })},
	{"-v", "", "The same", on(func(c *config) *bool { return &c.version })},
}

// flagsBeyond are those that redis-benchmark does not have.
var flagsBeyond = []flag{
	{"--rate", "ops", "Open loop at this many requests a second; latency runs from the time a\nrequest was due, sent or not (no coordinated omission)", setRate},
	{"--duration", "time", "Run each test for so long (10s, 1m) instead of -n requests", duration(func(c *config) *time.Duration { return &c.duration })},
	{"--warmup", "time", "Run each test for so long before measuring", duration(func(c *config) *time.Duration { return &c.warmup })},
	{"--keys", "num", "Key space; the same as -r", setRandomKeys},
	{"--key-size", "bytes", "Length of the keys of GET, SET, MGET, MSET and --load: key:000000000042 filled\nwith zeros (default and least 16)", setKeySize},
	{"--dist", "name", "Keys: uniform, sequential, zipf or zipf:S (default uniform)", setDist},
	{"--ratio", "set:get", "One test that mixes SET and GET in these proportions", setRatio},
	{"--mget", "num", "One test: MGET of so many keys", number(func(c *config) *int { return &c.mget })},
	{"--load", "num", "First SET so many keys, in order; without -t, --ratio, --mget or a command do\nonly that", count(func(c *config) *int64 { return &c.preload })},
	{"--expire", "sec", "SET with EX sec", number(func(c *config) *int { return &c.expire })},
	{"--server-pid", "pid", "Report the CPU time per request and the memory of this process", number(func(c *config) *int { return &c.serverPID })},
	{"--server-cpu", "", "The same, of the server at the other end; it must run on this machine", on(func(c *config) *bool { return &c.serverCPU })},
	{"--json", "file", "Write results as JSON (- for standard output)", text(func(c *config) *string { return &c.jsonFile })},
	{"--hdr", "file", "Write the percentiles of each test's HDR histogram, in ms", text(func(c *config) *string { return &c.hdrFile })},
	{"--cpus", "list", "Pin the threads to these CPUs (Linux)", setCPUs},
	{"--portable", "", "Use Go's network poller instead of epoll", on(func(c *config) *bool { return &c.portable })},
	{"--no-progress", "", "No live line, even on a terminal", func(c *config, _ string) error { c.progress = false; return nil }},
}

// parseFlags reads the command line: options, then, from the first argument without a dash on, a
// command. Long options take their argument as --name value or --name=value.
func parseFlags(args []string) (*config, error) {
	c := defaults()
	for len(args) > 0 && strings.HasPrefix(args[0], "-") {
		name, value, attached := args[0], "", false
		if strings.HasPrefix(name, "--") {
			name, value, attached = strings.Cut(name, "=")
		}
		f := findFlag(name)
		switch {
		case f == nil || f.arg == "" && attached || f.arg != "" && !attached && len(args) < 2:
			return nil, invalidOption(args[0])
		case f.arg != "" && !attached:
			value = args[1]
			args = args[1:]
		}
		if err := f.set(c, value); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		args = args[1:]
	}
	c.command = args
	return c, c.check()
}

func findFlag(name string) *flag {
	for _, list := range [][]flag{flags, flagsBeyond} {
		for i := range list {
			if list[i].name == name {
				return &list[i]
			}
		}
	}
	return nil
}

// check looks at what options mean together.
func (c *config) check() error {
	if c.help || c.version {
		return nil
	}
	switch {
	case c.stdinArg && len(c.command) == 0:
		return errors.New("-x needs a command")
	case c.user != "" && c.password == "":
		return errors.New("--user needs -a")
	case (c.certFile == "") != (c.keyFile == ""):
		return errors.New("--cert and --key need each other")
	case c.clients < 1:
		return errors.New("-c must be at least 1")
	case c.loop && c.jsonFile != "":
		return errors.New("-l never ends, so --json would never be written")
	}
	return nil
}

func text(field func(*config) *string) func(*config, string) error {
	return func(c *config, value string) error { *field(c) = value; return nil }
}

func on(field func(*config) *bool) func(*config, string) error {
	return func(c *config, _ string) error { *field(c) = true; return nil }
}

func number(field func(*config) *int) func(*config, string) error {
	return func(c *config, value string) (err error) {
		*field(c), err = parseInt(value)
		return err
	}
}

func count(field func(*config) *int64) func(*config, string) error {
	return func(c *config, value string) error {
		n, err := parseInt(value)
		*field(c) = int64(n)
		return err
	}
}

func duration(field func(*config) *time.Duration) func(*config, string) error {
	return func(c *config, value string) error {
		d, err := time.ParseDuration(value)
		if sec, numeric := strconv.ParseFloat(value, 64); numeric == nil {
			d, err = time.Duration(sec*float64(time.Second)), nil
		}
		if err != nil || d <= 0 {
			return fmt.Errorf("%q is not a time such as 10s or 500ms", value)
		}
		*field(c) = d
		return nil
	}
}

func refuse(what string) func(*config, string) error {
	return func(*config, string) error { return fmt.Errorf("%s is %w", what, errRefused) }
}

func parseInt(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", value)
	}
	return n, nil
}

// setURI reads redis:// or rediss://[[user]:password@]host[:port][/db].
func setURI(c *config, value string) error {
	u, err := url.Parse(value)
	if err != nil {
		return err
	}
	switch u.Scheme {
	case "redis":
	case "rediss":
		c.tls = true
	default:
		return fmt.Errorf("%q is not a redis:// URI", value)
	}
	if host := u.Hostname(); host != "" {
		c.host = host
	}
	if port := u.Port(); port != "" {
		if c.port, err = parseInt(port); err != nil {
			return err
		}
	}
	if password, ok := u.User.Password(); ok {
		c.user, c.password = u.User.Username(), password
	} else if u.User != nil {
		c.password = u.User.Username()
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if c.db, err = parseInt(db); err != nil {
			return err
		}
	}
	return nil
}

func setRequests(c *config, value string) error {
	n, err := parseInt(value)
	c.requests, c.requestsSet = int64(n), true
	if err == nil && n < 1 {
		err = errors.New("must be at least 1")
	}
	return err
}

func setDataSize(c *config, value string) error {
	n, err := parseInt(value)
	c.dataSize = min(max(n, 1), 1<<30)
	return err
}

func setThreads(c *config, value string) error {
	n, err := parseInt(value)
	c.threads = max(n, 0)
	return err
}

func setRandomKeys(c *config, value string) error {
	n, err := parseInt(value)
	c.randomKeys, c.keys = true, int64(max(n, 1))
	return err
}

func setPipeline(c *config, value string) error {
	n, err := parseInt(value)
	c.pipeline = max(n, 1)
	return err
}

func setPrecision(c *config, value string) error {
	n, err := parseInt(value)
	if n < 1 || n > 3 {
		n = 3
	}
	c.precision = n
	return err
}

func setTests(c *config, value string) error {
	c.tests = strings.Split(strings.ToLower(value), ",")
	return nil
}

func setSeed(c *config, value string) (err error) {
	c.seed, err = strconv.ParseUint(value, 10, 64)
	return err
}

func setRate(c *config, value string) (err error) {
	if c.rate, err = strconv.ParseFloat(value, 64); err != nil || c.rate <= 0 {
		return fmt.Errorf("%q is not a number of requests a second", value)
	}
	return nil
}

func setKeySize(c *config, value string) error {
	n, err := parseInt(value)
	if err == nil && (n < minKeySize || n > 1<<20) {
		err = fmt.Errorf("must be between %d and %d", minKeySize, 1<<20)
	}
	c.keySize = n
	return err
}

func setDist(c *config, value string) (err error) {
	c.dist, err = load.ParseDistribution(value)
	return err
}

func setRatio(c *config, value string) error {
	set, get, ok := strings.Cut(value, ":")
	s, err1 := strconv.Atoi(set)
	g, err2 := strconv.Atoi(get)
	if !ok || err1 != nil || err2 != nil || s < 0 || g < 0 || s+g == 0 || s+g > 1<<16 {
		return fmt.Errorf("%q is not a pair such as 1:4", value)
	}
	c.setWeight, c.getWeight = s, g
	return nil
}

func setCPUs(c *config, value string) (err error) {
	c.cpus, err = load.ParseCPUs(value)
	return err
}
