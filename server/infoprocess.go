package server

import (
	"fmt"
	"hash/fnv"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shoaldb/shoal/server/config"
)

// observed is the part of the server's state that only INFO, MEMORY and DEBUG are about.
type observed struct {
	replID         atomic.Pointer[string] // nil: runID has to serve
	cronPaused     atomic.Bool            // DEBUG PAUSE-CRON
	allowInScripts atomic.Bool            // DEBUG SET-DISABLE-DENY-SCRIPTS
	expirePaused   atomic.Bool            // DEBUG SET-ACTIVE-EXPIRE
	listAlone      atomic.Int64           // DEBUG QUICKLIST-PACKED-THRESHOLD, bytes; 0: the default, which no node reaches
}

// build describes the program.
type build struct {
	revision string // 8 hexadecimal digits
	dirty    int64
	id       string
}

// readBuild asks the Go runtime what the program was built of.
var readBuild = sync.OnceValue(func() build {
	b := build{revision: "00000000"}
	bi, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range bi.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 8:
			b.revision = s.Value[:8]
		case s.Key == "vcs.modified" && s.Value == "true":
			b.dirty = 1
		}
	}
	h := fnv.New64a()
	h.Write([]byte(bi.String()))
	b.id = fmt.Sprintf("%x", h.Sum64())
	return b
})

// systemName returns system, release and machine, as uname prints them.
var systemName = sync.OnceValue(func() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return runtime.GOOS + " " + runtime.GOARCH
	}
	return unix.ByteSliceToString(u.Sysname[:]) + " " + unix.ByteSliceToString(u.Release[:]) + " " + unix.ByteSliceToString(u.Machine[:])
})

func executable() string {
	path, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return path
}

// supervisor names who started the server.
func supervisor(v *config.Values) string {
	switch {
	case v.Supervised == config.SupervisedSystemd, v.Supervised == config.SupervisedAuto && os.Getenv("NOTIFY_SOCKET") != "":
		return "systemd"
	case v.Supervised == config.SupervisedUpstart, v.Supervised == config.SupervisedAuto && os.Getenv("UPSTART_JOB") != "":
		return "upstart"
	}
	return "no"
}

func (r *infoReport) server() {
	s := r.srv
	b := readBuild()
	up := int64(time.Since(s.startedAt).Seconds())
	r.str("redis_version", RedisVersion)
	r.str("server_name", "shoal")
	r.str("shoal_version", Version)
	r.str("redis_git_sha1", b.revision)
	r.num("redis_git_dirty", b.dirty)
	r.str("redis_build_id", b.id)
	r.str("redis_mode", "standalone")
	r.str("os", systemName())
	r.num("arch_bits", 64)
	r.str("monotonic_clock", "POSIX clock_gettime")
	r.str("multiplexing_api", s.engine.Name())
	r.str("atomicvar_api", "sync/atomic")
	r.str("gcc_version", "0.0.0")
	r.str("go_version", runtime.Version())
	r.num("process_id", int64(os.Getpid()))
	r.str("process_supervised", supervisor(r.v))
	r.str("run_id", s.runID)
	r.num("tcp_port", s.port.Load())
	r.num("server_time_usec", time.Now().UnixMicro())
	r.num("uptime_in_seconds", up)
	r.num("uptime_in_days", up/86400)
	r.num("hz", int64(r.v.Hz))
	r.num("configured_hz", int64(r.v.Hz))
	r.num("lru_clock", r.nowMS/1000&0xffffff)
	r.str("executable", executable())
	r.str("config_file", s.cfg.File())
	r.num("io_threads_active", 0)
	r.str("net_engine", s.engine.Name())
	r.str("net_engine_reason", s.engine.Reason())
	r.num("reactors", int64(len(s.reactors)))
	r.num("shards", int64(s.ks.Shards()))
	r.listeners()
}

// listeners writes a line for TCP, one for the Unix socket and one for TLS, with redis' numbers.
func (r *infoReport) listeners() {
	bind := ""
	for _, b := range r.v.Bind {
		bind += ",bind=" + b
	}
	if r.v.Port != 0 {
		r.str("listener0", fmt.Sprintf("name=tcp%s,port=%d", bind, r.v.Port))
	}
	if r.v.UnixSocket != "" {
		r.str("listener1", "name=unix,bind="+strings.ReplaceAll(r.v.UnixSocket, "\n", ""))
	}
	if r.v.TLS.Port != 0 {
		r.str("listener2", fmt.Sprintf("name=tls%s,port=%d", bind, r.v.TLS.Port))
	}
}

// cpuTimes returns the CPU time in µs of who: unix.RUSAGE_SELF and its like.
func cpuTimes(who int) (userUS, systemUS int64) {
	var u unix.Rusage
	if unix.Getrusage(who, &u) != nil {
		return 0, 0
	}
	return u.Utime.Nano() / 1000, u.Stime.Nano() / 1000
}

// cpu writes the CPU times. Commands run on the reactors' threads: together they are what Redis' main thread is.
func (r *infoReport) cpu() {
	seconds := func(name string, us int64) { r.str(name, fmt.Sprintf("%d.%06d", us/1e6, us%1e6)) }
	user, system := cpuTimes(unix.RUSAGE_SELF)
	seconds("used_cpu_sys", system)
	seconds("used_cpu_user", user)
	user, system = cpuTimes(unix.RUSAGE_CHILDREN)
	seconds("used_cpu_sys_children", system)
	seconds("used_cpu_user_children", user)
	seconds("used_cpu_sys_main_thread", r.parts.systemUS)
	seconds("used_cpu_user_main_thread", r.parts.userUS)
}

// goMemory is what the Go runtime tells of itself.
type goMemory struct {
	heapBytes  int64 // live objects, and dead ones that have not been swept
	totalBytes int64 // all memory mapped by the runtime and not given back
	gcCycles   int64
}

// readGoMemory does not stop the world.
func readGoMemory() goMemory {
	m := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/released:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(m)
	value := func(i int) int64 {
		if m[i].Value.Kind() != metrics.KindUint64 {
			return 0
		}
		return int64(m[i].Value.Uint64())
	}
	return goMemory{heapBytes: value(0), totalBytes: value(1) - value(2), gcCycles: value(3)}
}
