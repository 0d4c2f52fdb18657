package test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/shoaldb/shoal/internal/certs"
	"github.com/shoaldb/shoal/internal/oracle"
)

// newCerts makes certificates for one test.
func newCerts(t testing.TB) *certs.Set {
	t.Helper()
	set, err := certs.NewSet(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func freePort(t testing.TB) int {
	t.Helper()
	port, err := oracle.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// startTLS runs a server that speaks TLS on a port of its own, beside the one in plain text.
func (s subject) startTLS(t testing.TB, set *certs.Set, args ...string) (srv *oracle.Server, tlsPort int) {
	t.Helper()
	tlsPort = freePort(t)
	return s.start(t, append(append(set.ServerArgs(), "--tls-port", strconv.Itoa(tlsPort)), args...)...), tlsPort
}

// dialTLS connects with these settings.
func dialTLS(t testing.TB, port int, config *tls.Config) *oracle.Conn {
	t.Helper()
	c, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	_ = c.SetDeadline(time.Now().Add(2 * oracle.Deadline))
	return oracle.NewConn(tls.Client(c, config))
}

// must returns the reply to a command.
func must(t testing.TB, c *oracle.Conn, args ...string) string {
	t.Helper()
	reply, err := c.Do(args...)
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	return string(reply)
}

// TestTLSTools uses redis-cli and redis-benchmark.
func TestTLSTools(t *testing.T) {
	set := newCerts(t)
	eachSubject(t, func(t *testing.T, s subject) {
		_, port := s.startTLS(t, set)
		args := append([]string{"-p", strconv.Itoa(port)}, set.ToolArgs()...)
		if got := tool(t, "", "redis-cli", append(args, "SET", "k", "v")...); got != "OK\n" {
			t.Errorf("SET: %q", got)
		}
		if got := tool(t, "GET k\nPING\n", "redis-cli", args...); got != "v\nPONG\n" {
			t.Errorf("a script: %q", got)
		}
		var many strings.Builder
		for i := range 50_000 {
			fmt.Fprintf(&many, "SET key:%d %d\r\n", i, i)
		}
		if got := tool(t, many.String(), "redis-cli", append(args, "--pipe")...); !strings.Contains(got, "errors: 0, replies: 50000") {
			t.Errorf("--pipe: %q", got)
		}
		if got := tool(t, "", "redis-cli", append(args, "--bigkeys")...); !strings.Contains(got, "50001") {
			t.Errorf("--bigkeys: %q", tail(got))
		}
		for _, options := range [][]string{{"-P", "16"}, {"-c", "100", "--threads", "2"}, {"-k", "0", "-c", "5", "-n", "100"}, {"-d", "100000", "-n", "200"}} {
			got := tool(t, "", "redis-benchmark", append(append(args, "-t", "set,get", "-n", "3000", "--csv"), options...)...)
			if !strings.Contains(got, `"GET"`) {
				t.Errorf("%q: %q", options, got)
			}
		}
	})
}

// TestTLSPython uses redis-py.
func TestTLSPython(t *testing.T) {
	command := python("")(t)
	if command == nil {
		return
	}
	set := newCerts(t)
	const script = `
import sys, redis
port, dir = int(sys.argv[1]), sys.argv[2]
r = redis.Redis(port=port, ssl=True, ssl_certfile=dir+"/client.crt", ssl_keyfile=dir+"/client.key", ssl_ca_certs=dir+"/ca.crt")
p = r.pipeline()
for i in range(1000): p.set("k%d" % i, "v" * i)
for i in range(1000): p.get("k%d" % i)
got = p.execute()
assert got[1000:] == [b"v" * i for i in range(1000)]
s = r.pubsub()
s.subscribe("c"); s.get_message(timeout=100)
assert r.publish("c", "hello") == 1
assert s.get_message(timeout=100)["data"] == b"hello"
big = b"x" * (20 << 20)
r.set("big", big)
assert r.get("big") == big
print("fine")
`
	eachEngine(t, func(t *testing.T, engine string) {
		_, port := subject{"engine=" + engine, oracle.ShoalPath(t), []string{"--net-engine", engine}}.startTLS(t, set)
		out, err := exec.Command(command[0], "-c", script, strconv.Itoa(port), set.Dir).CombinedOutput()
		if err != nil || string(out) != "fine\n" {
			t.Errorf("%v: %s", err, out)
		}
	})
}

// TestTLSGoRedis has several clients at work at once.
func TestTLSGoRedis(t *testing.T) {
	set := newCerts(t)
	eachSubject(t, func(t *testing.T, s subject) {
		_, port := s.startTLS(t, set)
		client := goRedis(&goredis.Options{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), TLSConfig: set.ClientConfig(set.Client), PoolSize: 8, ClientName: "test"})
		defer client.Close()
		useGoRedis(t, client)
		ctx := t.Context()
		var group sync.WaitGroup
		for g := range 8 {
			group.Go(func() {
				for i := range 50 {
					key, value := fmt.Sprintf("g%d", g), strings.Repeat(strconv.Itoa(i), 1<<(i%16))
					_, err := client.Pipelined(ctx, func(p goredis.Pipeliner) error {
						p.Set(ctx, key, value, 0)
						p.Incr(ctx, "sum")
						p.LPush(ctx, "queue", i)
						return nil
					})
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := client.Get(ctx, key).Result(); err != nil || got != value {
						t.Errorf("%d bytes, %v", len(got), err)
					}
					if err := client.BRPop(ctx, time.Minute, "queue").Err(); err != nil {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
		if n, err := client.Get(ctx, "sum").Int(); err != nil || n != 400 {
			t.Errorf("%d, %v", n, err)
		}
	})
}

// TestTLSOnly has no other port, and names of it where redis has them.
func TestTLSOnly(t *testing.T) {
	set := newCerts(t)
	eachSubject(t, func(t *testing.T, s subject) {
		port := freePort(t)
		sock := t.TempDir() + "/s"
		srv := s.start(t, append(set.ServerArgs(), "--port", "0", "--tls-port", strconv.Itoa(port), "--unixsocket", sock, "--proc-title-template", "{port} {tls-port} {listen-addr}")...)
		c := dialTLS(t, port, set.ClientConfig(set.Client))
		if info := must(t, c, "INFO", "server"); !strings.Contains(info, fmt.Sprintf("tcp_port:%d\r\n", port)) {
			t.Errorf("%q", info)
		} else if !s.isRedis() && !strings.Contains(info, fmt.Sprintf("listener1:name=unix,bind=%s\r\nlistener2:name=tls,bind=127.0.0.1,port=%d\r\n", sock, port)) {
			t.Errorf("%q", info)
		}
		title, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", srv.Pid))
		if want := fmt.Sprintf("0 %d 127.0.0.1:%d", port, port); err == nil && !bytes.HasPrefix(title, []byte(want)) {
			t.Errorf("the title is %q, want %q", title, want)
		}
		list := must(t, c, "CLIENT", "LIST")
		if !regexp.MustCompile(`addr=127.0.0.1:\d+ laddr=127.0.0.1:` + strconv.Itoa(port) + ` .*cmd=client\|list`).MatchString(list) {
			t.Errorf("%q", list)
		}
	})
}

// TestTLSRefuses has clients that must not get in; the log says why, and they are counted.
func TestTLSRefuses(t *testing.T) {
	set := newCerts(t)
	eachSubject(t, func(t *testing.T, s subject) {
		srv, port := s.startTLS(t, set)
		failures := 0
		f := func(name, reason string, do func() error) {
			t.Helper()
			if err := do(); err == nil {
				t.Errorf("%s: no error", name)
			}
			failures++
			oracle.WaitFor(t, name+" is logged", func() bool {
				return strings.Count(srv.Log(), "Error accepting a client connection: ") >= failures && (s.isRedis() || strings.Contains(srv.Log(), reason))
			})
		}
		with := func(shown ...certs.Pair) func() error {
			return func() error {
				config := set.ClientConfig()
				config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					cert := new(tls.Certificate)
					for _, p := range shown {
						*cert = p.TLS()
					}
					return cert, nil
				}
				_, err := dialTLS(t, port, config).Do("PING")
				return err
			}
		}
		f("no certificate", "client didn't provide a certificate", with())
		f("expired", "certificate has expired", with(set.Expired))
		f("stranger", "signed by unknown authority", with(set.Stranger))
		f("plain", "first record does not look like a TLS handshake", func() error {
			c, err := oracle.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Do("PING")
			return err
		})
		f("old", "client offered only unsupported versions", func() error {
			config := set.ClientConfig(set.Client)
			config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
			_, err := dialTLS(t, port, config).Do("PING")
			return err
		})
		if s.isRedis() {
			return // it waits for a line's end
		}
		oracle.WaitFor(t, "all are counted", func() bool {
			return strings.Contains(srv.Dial(t).Do("INFO", "stats"), fmt.Sprintf("tls_failed_handshakes:%d\r\n", failures))
		})
		_, err := dialTLS(t, srv.Port, set.ClientConfig(set.Client)).Do("PING")
		if err == nil || !strings.Contains(err.Error(), "protocol version not supported") {
			t.Errorf("TLS on the plain port: %v", err)
		}
		oracle.WaitFor(t, "it is logged", func() bool {
			return strings.Contains(srv.Log(), "begins a TLS handshake on a port that speaks plain text")
		})
	})
}

// TestTLSConfigSet reloads certificates and changes rules; connections that exist go on, and a file that is not good
// changes nothing.
func TestTLSConfigSet(t *testing.T) {
	eachSubject(t, func(t *testing.T, s subject) {
		set := newCerts(t)
		srv, port := s.startTLS(t, set)
		old := dialTLS(t, port, set.ClientConfig(set.Client))
		admin := srv.Dial(t)
		config := func(want string, args ...string) {
			t.Helper()
			if got := admin.Do(append([]string{"CONFIG", "SET"}, args...)...); got != want {
				t.Errorf("CONFIG SET %q: %q, want %q", args, got, want)
			}
		}
		server := func() string {
			t.Helper()
			c := dialTLS(t, port, set.ClientConfig(set.Client))
			must(t, c, "PING")
			return c.Conn.(*tls.Conn).ConnectionState().PeerCertificates[0].Subject.CommonName
		}
		refused := func(name string) string {
			return "-ERR CONFIG SET failed (possibly related to argument '" + name + "') - Unable to update TLS configuration. Check server logs.\r\n"
		}
		next, err := set.CA.Issue("next", time.Now().Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		must(t, old, "PING")

		// The same names, other contents.
		if err := set.Write("server", next); err != nil {
			t.Fatal(err)
		}
		if got := server(); got != "server" {
			t.Errorf("%q before the files are read again", got)
		}
		config("+OK\r\n", "tls-cert-file", set.Path("server.crt"))
		if got := server(); got != "next" {
			t.Errorf("%q behind CONFIG SET", got)
		}
		// Bad ones change nothing, even if what is in use is gone.
		if err := os.Remove(set.Path("server.crt")); err != nil {
			t.Fatal(err)
		}
		config(refused("tls-cert-file"), "tls-cert-file", set.Path("nosuch"))
		config(refused("tls-key-file"), "tls-key-file", set.Path("client.key"))
		config(refused("tls-ca-cert-file"), "tls-ca-cert-file", set.Path("client.key"))
		config(refused("tls-cert-file"), "tls-cert-file", set.Path("client.crt"), "tls-key-file", set.Path("nosuch"))
		if got := server(); got != "next" {
			t.Errorf("%q behind a CONFIG SET that failed", got)
		}
		if got := admin.Do("CONFIG", "GET", "tls-cert-file"); !strings.Contains(got, set.Path("server.crt")) {
			t.Errorf("%q", got)
		}
		config("+OK\r\n", "tls-cert-file", set.Path("client.crt"), "tls-key-file", set.Path("client.key"))
		if got := server(); got != "client" {
			t.Errorf("%q", got)
		}
		// Other rules.
		anonymous := func() error {
			_, err := dialTLS(t, port, set.ClientConfig()).Do("PING")
			return err
		}
		for _, rule := range []struct {
			value string
			lets  bool
		}{{"yes", false}, {"no", true}, {"optional", true}, {"yes", false}} {
			config("+OK\r\n", "tls-auth-clients", rule.value)
			if err := anonymous(); (err == nil) != rule.lets {
				t.Errorf("tls-auth-clients %s: %v", rule.value, err)
			}
		}
		config("+OK\r\n", "tls-protocols", "TLSv1.2")
		c := dialTLS(t, port, set.ClientConfig(set.Client))
		must(t, c, "PING")
		if v := c.Conn.(*tls.Conn).ConnectionState().Version; v != tls.VersionTLS12 {
			t.Errorf("version %x", v)
		}
		config(refused("tls-protocols"), "tls-protocols", "SSLv3")
		config(refused("tls-ciphers"), "tls-ciphers", "NOSUCH")
		config("+OK\r\n", "tls-protocols", "")
		if reply := must(t, old, "PING"); reply != "+PONG\r\n" {
			t.Errorf("the first connection: %q", reply)
		}
	})
}

// TestTLSPorts moves ports while clients are connected.
func TestTLSPorts(t *testing.T) {
	set := newCerts(t)
	eachSubject(t, func(t *testing.T, s subject) {
		srv := s.start(t, set.ServerArgs()...)
		admin := srv.Dial(t)
		plain := func(port int) string {
			c, err := oracle.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			if err != nil {
				return "none"
			}
			defer c.Close()
			if reply, err := c.Do("PING"); err != nil || string(reply) != "+PONG\r\n" {
				return fmt.Sprint(string(reply), err)
			}
			return "plain"
		}
		secure := func(port int) string {
			if reply, err := dialTLS(t, port, set.ClientConfig(set.Client)).Do("PING"); err != nil || string(reply) != "+PONG\r\n" {
				return fmt.Sprint(string(reply), err)
			}
			return "tls"
		}
		f := func(want string, args ...string) {
			t.Helper()
			if got := admin.Do(append([]string{"CONFIG", "SET"}, args...)...); got != want {
				t.Fatalf("%q: %q", args, got)
			}
		}
		const ok = "+OK\r\n"
		a, b := freePort(t), freePort(t)
		f(ok, "tls-port", strconv.Itoa(a))
		if got := secure(a) + " " + plain(srv.Port); got != "tls plain" {
			t.Error(got)
		}
		f("-ERR CONFIG SET failed (possibly related to argument 'tls-port') - Unable to listen on this port. Check server logs.\r\n", "tls-port", strconv.Itoa(srv.Port))
		if got := secure(a) + " " + plain(srv.Port); got != "tls plain" {
			t.Error(got)
		}
		f(ok, "tls-port", strconv.Itoa(b))
		closed := func(port int) {
			t.Helper()
			oracle.WaitFor(t, "the port is closed", func() bool { return plain(port) == "none" })
		}
		closed(a)
		if got := secure(b) + " " + plain(srv.Port); got != "tls plain" {
			t.Error(got)
		}
		f(ok, "port", "0")
		closed(srv.Port)
		if got := secure(b); got != "tls" {
			t.Error(got)
		}
		f(ok, "tls-port", "0")
		f(ok, "port", strconv.Itoa(b))
		if got := plain(b); got != "plain" {
			t.Error(got)
		}
		f(ok, "port", "0", "tls-port", strconv.Itoa(b))
		if got := secure(b); got != "tls" {
			t.Error(got)
		}
		f(ok, "bind", "127.0.0.1 -::1")
		if got := secure(b) + " " + plain(srv.Port); got != "tls none" {
			t.Error(got)
		}
	})
}

// TestTLSBadStart starts with settings that cannot work.
func TestTLSBadStart(t *testing.T) {
	set := newCerts(t)
	eachSubject(t, func(t *testing.T, s subject) {
		for _, args := range [][]string{
			{},
			{"--tls-cert-file", set.Path("server.crt")},
			{"--tls-cert-file", set.Path("server.crt"), "--tls-key-file", set.Path("server.key")},
			{"--tls-cert-file", "/nosuch", "--tls-key-file", set.Path("server.key"), "--tls-auth-clients", "no"},
		} {
			srv := s.spawn(t, append(args, "--port", "0", "--tls-port", strconv.Itoa(freePort(t)), "--save", "")...)
			oracle.WaitFor(t, "it ends", srv.Ended)
			if !strings.Contains(srv.Log(), "Failed to configure TLS. Check logs for more info.") {
				t.Errorf("%q: %s", args, srv.Log())
			}
		}
	})
}

// TestTLSHalfClosed sends requests and says that no more will come; the replies come all the same.
func TestTLSHalfClosed(t *testing.T) {
	set := newCerts(t)
	eachEngine(t, func(t *testing.T, engine string) {
		_, port := subject{"engine=" + engine, oracle.ShoalPath(t), []string{"--net-engine", engine}}.startTLS(t, set)
		c := dialTLS(t, port, set.ClientConfig(set.Client)).Conn.(*tls.Conn)
		if _, err := io.WriteString(c, strings.Repeat("PING\r\n", 100)); err != nil {
			t.Fatal(err)
		}
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(c)
		if want := strings.Repeat("+PONG\r\n", 100); string(got) != want || err != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

// TestTLSHostile has peers that stop in the middle of the handshake, in numbers, and one that is killed there. Others are served.
func TestTLSHostile(t *testing.T) {
	set := newCerts(t)
	eachEngine(t, func(t *testing.T, engine string) {
		srv, port := subject{"engine=" + engine, oracle.ShoalPath(t), []string{"--net-engine", engine}}.startTLS(t, set, "--maxclients", "400")
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		admin := srv.Dial(t)
		for i := range 300 {
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, []string{"", "\x16\x03\x01", "\x16\x03\x01\x00\x05\x01\x00\x10\x00\x00"}[i%3])
		}
		oracle.WaitFor(t, "all are there", func() bool { return strings.Count(admin.Do("CLIENT", "LIST"), "id=") == 301 })
		if reply := must(t, dialTLS(t, port, set.ClientConfig(set.Client)), "PING"); reply != "+PONG\r\n" {
			t.Errorf("beside them: %q", reply)
		}
		if got := admin.Do("CLIENT", "KILL", "LADDR", addr, "SKIPME", "yes"); !strings.HasPrefix(got, ":30") {
			t.Errorf("CLIENT KILL: %q", got)
		}
		oracle.WaitFor(t, "they are gone", func() bool { return strings.Count(admin.Do("CLIENT", "LIST"), "id=") == 1 })
		// More than maxclients: those that do not fit are closed without a handshake.
		admin.Do("CONFIG", "SET", "maxclients", "2")
		must(t, dialTLS(t, port, set.ClientConfig(set.Client)), "PING")
		if _, err := dialTLS(t, port, set.ClientConfig(set.Client)).Do("PING"); err == nil {
			t.Error("one more than maxclients")
		}
	})
}

// TestTLSOutputLimit has a reader that does not read: what waits for it, in the clear or not, is bounded.
func TestTLSOutputLimit(t *testing.T) {
	set := newCerts(t)
	eachEngine(t, func(t *testing.T, engine string) {
		srv, port := subject{"engine=" + engine, oracle.ShoalPath(t), []string{"--net-engine", engine}}.startTLS(t, set, "--client-output-buffer-limit", "normal 4mb 0 0")
		admin := srv.Dial(t)
		admin.Do("SET", "k", strings.Repeat("x", 500_000))
		c := dialTLS(t, port, set.ClientConfig(set.Client))
		must(t, c, "PING")
		get := bytes.Repeat(oracle.AppendCommand(nil, "GET", "k"), 100)
		if err := c.SendRaw(get); err != nil {
			t.Fatal(err)
		}
		oracle.WaitFor(t, "it is closed", func() bool {
			return strings.Contains(srv.Log(), "scheduled to be closed ASAP for overcoming of output buffer limits")
		})
	})
}

// TestTLSLargeValue writes and reads a value of 128 MB; the server's memory does not grow by another copy of it.
func TestTLSLargeValue(t *testing.T) {
	const size = 128 << 20
	set := newCerts(t)
	eachEngine(t, func(t *testing.T, engine string) {
		srv, port := subject{"engine=" + engine, oracle.ShoalPath(t), []string{"--net-engine", engine}}.startTLS(t, set)
		client := goRedis(&goredis.Options{Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), TLSConfig: set.ClientConfig(set.Client)})
		defer client.Close()
		value := strings.Repeat("0123456789abcdef", size/16)
		ctx := context.Background()
		if err := client.Set(ctx, "k", value, 0).Err(); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := client.Get(ctx, "k").Result()
			if err != nil || got != value {
				t.Fatalf("%d bytes, %v", len(got), err)
			}
		}
		peak := residentPeak(t, srv.Pid)
		if peak > 2*size {
			t.Errorf("%d MB at the most, for a value of %d MB", peak>>20, size>>20)
		}
	})
}

// residentPeak is the most memory that a process ever had, in bytes; 0 where the system does not say.
func residentPeak(t testing.TB, pid int) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}
