package server

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/oracle"
)

// hostPort returns where s listens.
func hostPort(t testing.TB, s *oracle.Server) (host, port string) {
	t.Helper()
	_, addr := s.Address()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// TestMigrateLikeRedis has both servers move keys to redis-server and to Shoal, and compares replies and what is where afterwards.
func TestMigrateLikeRedis(t *testing.T) {
	theirs, ours := oracle.Redis(t), oracle.Shoal(t)
	want := migrateScript(t, theirs, oracle.Redis(t), oracle.Redis(t, "--requirepass", "secret"))
	compare := func(name string, got []string) {
		t.Helper()
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: %q, from redis-server to redis-server: %q", name, got[i], want[i])
			}
		}
	}
	compare("to redis-server", migrateScript(t, ours, oracle.Redis(t), oracle.Redis(t, "--requirepass", "secret")))
	target, locked := oracle.Shoal(t, "--enable-debug-command", "yes"), oracle.Shoal(t, "--requirepass", "secret", "--enable-debug-command", "yes")
	compare("from redis-server", migrateScript(t, theirs, target, locked))
	compare("to Shoal", migrateScript(t, ours, target, locked))
}

// migrateScript moves keys from one server to others, and returns what they reply and hold.
func migrateScript(t *testing.T, from, target, locked *oracle.Server) (log []string) {
	t.Helper()
	host, port := hostPort(t, target)
	lockedHost, lockedPort := hostPort(t, locked)
	to := target.Dial(t)
	lockedTo := locked.Dial(t)
	lockedTo.Do("AUTH", "secret")
	script := [][]string{
		{"MIGRATE", host, port, "none", "0", "100000"},
		{"SET", "a", "1"}, {"MIGRATE", host, port, "a", "0", "100000"}, {"EXISTS", "a"},
		{"SET", "a", "2"}, {"MIGRATE", host, port, "a", "0", "100000"}, {"GET", "a"}, {"MIGRATE", host, port, "a", "0", "100000", "REPLACE"}, {"GET", "a"},
		{"SET", "c", "3"}, {"MIGRATE", host, port, "c", "3", "100000", "COPY"}, {"GET", "c"}, {"MIGRATE", host, port, "c", "3", "100000", "COPY", "REPLACE"},
		{"RPUSH", "l", "a", "b"}, {"ZADD", "z", "1", "m"}, {"HSET", "h", "f", "v"}, {"SADD", "s", "1", "x"}, {"XADD", "x", "1-1", "f", "v"},
		{"MIGRATE", host, port, "", "0", "100000", "KEYS", "l", "z", "none", "h", "s", "x"}, {"DBSIZE"},
		{"SET", "t", "v", "PXAT", "4102444800000"}, {"MIGRATE", host, port, "t", "0", "100000"}, {"EXISTS", "t"}, {"MIGRATE", host, port, "none", "0", "0"},
		{"SET", "d", "v"}, {"MIGRATE", host, port, "", "0", "100000", "KEYS", "d", "d"}, {"EXISTS", "d"},
		{"SET", "p", "v"}, {"SET", "q", "v"}, {"MIGRATE", host, port, "p", "0", "100000", "COPY"}, {"MIGRATE", host, port, "", "0", "100000", "KEYS", "p", "q"}, {"EXISTS", "p", "q"},
		{"MIGRATE", host, port, "p", "99", "100000"}, {"MIGRATE", host, port, "p", "0", "100000", "REPLACE"},
		{"SET", "k", "v"}, {"MIGRATE", lockedHost, lockedPort, "k", "0", "100000"}, {"MIGRATE", lockedHost, lockedPort, "k", "0", "100000", "AUTH", "wrong"},
		{"MIGRATE", lockedHost, lockedPort, "k", "0", "100000", "AUTH2", "nobody", "secret"}, {"MIGRATE", lockedHost, lockedPort, "k", "0", "100000", "COPY", "AUTH", "secret"},
		{"MIGRATE", lockedHost, lockedPort, "k", "0", "100000", "REPLACE", "AUTH2", "default", "secret"}, {"EXISTS", "k"},
		{"SET", "k", "v"}, {"MIGRATE", host, "1", "k", "0", "100000"}, {"MIGRATE", host, port, "k", "0", "x"}, {"MIGRATE", host, port, "k", "x", "100000"},
		{"MIGRATE", host, port, "k", "0", "100000", "AUTH"}, {"MIGRATE", host, port, "k", "0", "100000", "AUTH2", "x"}, {"MIGRATE", host, port, "k", "0", "100000", "nonsense"},
		{"MIGRATE", host, port, "k", "0", "100000", "KEYS", "k"}, {"MIGRATE", host, port, "k", "0"},
		{"MIGRATE", host, port, "k", "0", "100000", "AUTH2"}, {"MIGRATE", host, port, "", "0", "100000", "KEYS"}, {"MIGRATE", host, port, "", "0", "100000"},
		{"SET", "", "empty"}, {"MIGRATE", host, port, "", "0", "-5"}, {"EXISTS", ""}, {"MIGRATE", host, port, "k", "0", "1.5"}, {"MIGRATE", host, port, "k", "-1", "100000"},
		{"SET", "u", "v"}, {"SET", "v", "w"}, {"MIGRATE", host, port, "u", "0", "100000", "copy"}, {"SET", "u", "other"},
		{"MIGRATE", host, port, "", "0", "100000", "KEYS", "v", "u"}, {"EXISTS", "u", "v"}, {"MIGRATE", host, port, "", "0", "100000", "rePLACE", "keys", "u", "v"}, {"EXISTS", "u", "v"},
		{"SET", "auth", "v"}, {"MIGRATE", lockedHost, lockedPort, "", "2", "100000", "AUTH", "KEYS", "KEYS", "auth"},
		{"MIGRATE", lockedHost, lockedPort, "", "2", "100000", "AUTH", "secret", "COPY", "KEYS", "auth", "KEYS", "AUTH"},
		{"MIGRATE", lockedHost, lockedPort, "", "2", "100000", "AUTH", "secret", "KEYS", "auth", "auth"}, {"EXISTS", "auth"},
		{"COMMAND", "GETKEYS", "MIGRATE", lockedHost, lockedPort, "", "2", "100000", "AUTH", "KEYS", "KEYS", "auth"},
		{"EVAL", "redis.call('SET', KEYS[1], 'v') return redis.call('MIGRATE', ARGV[1], ARGV[2], KEYS[1], 7, 100000)", "1", "script", host, port}, {"EXISTS", "script"},
		{"COMMAND", "GETKEYS", "MIGRATE", host, port, "k", "0", "100000"}, {"COMMAND", "GETKEYS", "MIGRATE", host, port, "", "0", "100000", "KEYS", "a", "b"},
		{"MULTI"}, {"MIGRATE", host, port, "k", "5", "100000"}, {"EXEC"}, {"EXISTS", "k"},
	}
	c := from.Dial(t)
	c.Do("FLUSHALL")
	to.Do("FLUSHALL")
	lockedTo.Do("FLUSHALL")
	ports := strings.NewReplacer(port, "PORT", lockedPort, "LOCKED")
	for _, words := range script {
		log = append(log, ports.Replace(strings.Join(words, " "))+": "+c.Do(words...))
	}
	ttl := to.Do("PEXPIRETIME", "t")
	return append(log, "there: "+to.Do("DEBUG", "DIGEST"), "there: "+lockedTo.Do("DEBUG", "DIGEST"), "expires: "+ttl[:min(len(ttl), 11)])
}

// TestMigrateHome takes keys from redis-server and gives them back.
func TestMigrateHome(t *testing.T) {
	ours, theirs := oracle.Shoal(t), oracle.Redis(t)
	a, b := ours.Dial(t), theirs.Dial(t)
	fill(b, 20000, []string{"ZADD", "zset"}, func(i int) []string { return []string{strconv.Itoa(i), "member:" + strconv.Itoa(i)} })
	fill(b, 20000, []string{"RPUSH", "list"}, numbered("element"))
	b.Do("SET", "string", strings.Repeat("x", 2<<20))
	digest := b.Do("DEBUG", "DIGEST")
	host, port := hostPort(t, ours)
	if got := b.Do("MIGRATE", host, port, "", "0", "100000", "KEYS", "zset", "list", "string"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	host, port = hostPort(t, theirs)
	if got := a.Do("MIGRATE", host, port, "", "0", "100000", "KEYS", "zset", "list", "string"); got != "+OK\r\n" {
		t.Fatal(got)
	}
	kept := a.Info("stats")["migrate_cached_sockets"] // they are for some seconds
	if a.Do("DBSIZE") != ":0\r\n" || b.Do("DEBUG", "DIGEST") != digest {
		t.Errorf("%s is left, and there is %s instead of %s", a.Do("DBSIZE"), b.Do("DEBUG", "DIGEST"), digest)
	}
	if kept != "1" {
		t.Errorf("%s sockets are kept", kept)
	}
}

// TestMigrateBlocksNobody lets a target hang: the reactor goes on, the key waits.
func TestMigrateBlocksNobody(t *testing.T) {
	s := oracle.Shoal(t, "--reactors", "1")
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	host, port, _ := net.SplitHostPort(silent.Addr().String())
	mover, other, waiter, flusher := s.Dial(t), s.Dial(t), s.Dial(t), s.Dial(t)
	other.Do("SET", "k", "v")
	other.Do("SET", "free", "v")
	begin := time.Now()
	mover.Send("MIGRATE", host, port, "k", "0", "1500")
	conn, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	waiter.Send("GET", "k")
	flusher.Send("FLUSHALL")
	for range 100 {
		if got := other.Do("PING"); got != "+PONG\r\n" {
			t.Fatal(got)
		}
	}
	// On a busy machine the time may be over before all is written.
	if got := mover.Reply(); !strings.HasPrefix(got, "-IOERR error or timeout ") {
		t.Errorf("MIGRATE: %q", got)
	}
	if time.Since(begin) < time.Second {
		t.Error("the timeout was not waited for")
	}
	waiter.Reply()
	if got := flusher.Reply(); got != "+OK\r\n" {
		t.Errorf("FLUSHALL: %q", got)
	}
	if got := other.Do("DBSIZE"); got != ":0\r\n" {
		t.Errorf("DBSIZE: %q", got)
	}
}
