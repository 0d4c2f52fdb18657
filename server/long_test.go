package server

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// longMembers is how many elements the values have on which commands of these tests run in steps.
const longMembers = 300000

// fill sends command, with so many of elements at a time behind it, n times in all.
func fill(c *oracle.Client, n int, command []string, element func(i int) []string) {
	const batch = 2000
	for i := 0; i < n; {
		args := slices.Clone(command)
		for end := min(i+batch, n); i < end; i++ {
			args = append(args, element(i)...)
		}
		c.Do(args...)
	}
}

func numbered(prefix string) func(int) []string {
	return func(i int) []string { return []string{fmt.Sprintf("%s:%d", prefix, i)} }
}

// members returns the bulk strings of an aggregate reply, sorted.
func members(t testing.TB, reply string) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(reply, "\r\n"), "\r\n")
	var all []string
	for i := 2; i < len(lines); i += 2 {
		all = append(all, lines[i])
	}
	if lines[0][1:] != fmt.Sprint(len(all)) {
		t.Fatalf("%d elements behind %q", len(all), lines[0])
	}
	slices.Sort(all)
	return all
}

func wantMembers(t testing.TB, what, reply string, n int) {
	t.Helper()
	all := members(t, reply)
	if len(all) != n || len(slices.Compact(all)) != n {
		t.Errorf("%s: %d elements, of which %d differ, not %d", what, len(all), len(slices.Compact(all)), n)
	}
}

var longShapes = [][]string{{"--reactors", "1"}, {"--reactors", "4"}}

// eachLongShape runs a test with one reactor, where everything alternates, and with several.
func eachLongShape(t *testing.T, f func(t *testing.T, s *oracle.Server)) {
	for _, shape := range longShapes {
		t.Run(strings.Join(shape, " "), func(t *testing.T) { f(t, oracle.Shoal(t, shape...)) })
	}
}

// calls returns how often a command has run to its end.
func calls(t testing.TB, c *oracle.Client, name string) string {
	text := c.Info("commandstats")["cmdstat_"+name]
	text, _, _ = strings.Cut(text, ",")
	return text
}

// TestLongCommand has other clients at work while one reads a large set.
func TestLongCommand(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		reader, other, writer, flusher := s.Dial(t), s.Dial(t), s.Dial(t), s.Dial(t)
		fill(other, longMembers, []string{"SADD", "set"}, numbered("member"))
		other.Do("SET", "k", "v")
		// On a busy machine SMEMBERS may be over before others have been answered.
		var reply string
		oracle.WaitFor(t, "somebody is answered while SMEMBERS runs", func() bool {
			other.Do("CONFIG", "RESETSTAT")
			reader.Send("SMEMBERS", "set")
			reader.Send("PING")
			between := 0
			for {
				replies := pipeline(other, [][]string{{"GET", "k"}, {"SISMEMBER", "set", "member:0"}, {"INFO", "commandstats"}})
				if replies[0] != "$1\r\nv\r\n" || replies[1] != ":1\r\n" {
					t.Fatalf("GET and SISMEMBER beside SMEMBERS: %q", replies[:2])
				}
				if strings.Contains(replies[2], "cmdstat_smembers:") {
					break
				}
				if between++; between == 1 {
					writer.Send("SADD", "set", "late")
				}
			}
			reply = reader.Reply()
			if got := reader.Reply(); got != "+PONG\r\n" {
				t.Errorf("PING behind SMEMBERS: %q", got)
			}
			return between > 0
		})
		wantMembers(t, "SMEMBERS", reply, longMembers)
		if got := writer.Reply(); got != ":1\r\n" {
			t.Errorf("SADD beside SMEMBERS: %q", got)
		}
		wantMembers(t, "SMEMBERS again", other.Do("SMEMBERS", "set"), longMembers+1)

		reader.Send("SMEMBERS", "set")
		flusher.Send("FLUSHALL")
		n := len(members(t, reader.Reply()))
		if n != longMembers+1 && n != 0 { // FLUSHALL may have been first
			t.Errorf("SMEMBERS beside FLUSHALL: %d members", n)
		}
		if got := flusher.Reply(); got != "+OK\r\n" {
			t.Errorf("FLUSHALL: %q", got)
		}
		if got := other.Do("DBSIZE"); got != ":0\r\n" {
			t.Errorf("DBSIZE after FLUSHALL: %q", got)
		}
	})
}

// TestLongCommands compares what commands reply that run in steps with the same ones on fewer elements at a time.
func TestLongCommands(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c := s.Dial(t)
		const n = 40000
		fill(c, n, []string{"SADD", "a"}, numbered("m"))
		fill(c, n, []string{"SADD", "b"}, func(i int) []string { return []string{fmt.Sprintf("m:%d", i+n/2)} })
		fill(c, n, []string{"SADD", "ints"}, func(i int) []string { return []string{fmt.Sprint(i)} })
		fill(c, n, []string{"RPUSH", "list"}, numbered("e"))
		fill(c, n, []string{"HSET", "hash"}, func(i int) []string { return []string{fmt.Sprintf("f:%d", i), fmt.Sprintf("v:%d", i)} })
		fill(c, n, []string{"ZADD", "z"}, func(i int) []string { return []string{fmt.Sprint(i), fmt.Sprintf("m:%d", i)} })
		for _, q := range []struct {
			n       int
			command string
		}{
			{n, "SMEMBERS a"}, {n, "SMEMBERS ints"}, {n * 3 / 2, "SUNION a b"}, {n / 2, "SINTER a b"}, {n / 2, "SDIFF a b"},
			{0, "SDIFF a a"}, {n, "SUNION a nosuch"}, {0, "SINTER a nosuch"}, {n * 5 / 2, "SUNION a b ints a b a b"},
			{n, "LRANGE list 0 -1"}, {2 * n, "HGETALL hash"}, {n, "HKEYS hash"}, {n, "HVALS hash"},
			{n, "ZRANGE z 0 -1"}, {n, "ZRANGE z 0 -1 REV"}, {2 * n, "ZRANGE z 0 -1 WITHSCORES"}, {n - 5, "ZRANGEBYSCORE z 5 +inf"},
			{n, "ZUNION 2 z a"}, {n, "ZINTER 2 z a"}, {n / 2, "ZDIFF 2 z b"}, {n * 5 / 2, "ZUNION 4 z a b ints"},
		} {
			reply := c.Do(strings.Fields(q.command)...)
			got := members(t, reply)
			if len(got) != q.n {
				t.Errorf("%s: %d elements, not %d", q.command, len(got), q.n)
			}
			if q.command == "ZRANGE z 0 -1" || q.command == "LRANGE list 0 -1" {
				if !strings.HasSuffix(reply, fmt.Sprintf(":%d\r\n", n-1)) || !strings.Contains(reply[:30], ":0\r\n") {
					t.Errorf("%s: not in order", q.command)
				}
			}
		}
		for _, q := range []struct {
			want    int
			command string
		}{
			{n * 3 / 2, "SUNIONSTORE dest a b"}, {n / 2, "SINTERSTORE dest a b"}, {n / 2, "SDIFFSTORE dest a b"},
			{n * 3 / 2, "SUNIONSTORE a2 a2 a b a"}, {n / 2, "SINTERCARD 2 a b"}, {n, "ZRANGESTORE dest z 0 -1"},
			{n * 3 / 2, "ZUNIONSTORE dest 2 z b"}, {n / 2, "ZINTERSTORE dest 2 z b"}, {n / 2, "ZDIFFSTORE dest 2 z b"},
			{n / 2, "ZINTERCARD 2 z b"}, {n * 3 / 2, "SUNIONSTORE a a b"}, {n * 3 / 2, "SCARD a"}, {n / 2, "ZCARD dest"},
		} {
			if got := c.Do(strings.Fields(q.command)...); got != fmt.Sprintf(":%d\r\n", q.want) {
				t.Errorf("%s: %q, not %d", q.command, got, q.want)
			}
		}
		for i := range n {
			c.Send("XADD", "stream", fmt.Sprintf("%d-1", i+1), "f", fmt.Sprint(i))
			if i%500 == 499 {
				for range 500 {
					c.Reply()
				}
			}
		}
		for _, command := range []string{"XRANGE stream - +", "XREVRANGE stream + -"} {
			reply := c.Do(strings.Fields(command)...)
			if !strings.HasPrefix(reply, fmt.Sprintf("*%d\r\n", n)) || strings.Count(reply, "\r\n$1\r\nf\r\n") != n {
				t.Errorf("%s: %.20q, %d entries", command, reply, strings.Count(reply, "\r\n$1\r\nf\r\n"))
			}
		}
		if got := c.Do("XREAD", "STREAMS", "stream", "0"); !strings.HasPrefix(got, fmt.Sprintf("*1\r\n*2\r\n$6\r\nstream\r\n*%d\r\n", n)) ||
			strings.Count(got, "\r\n$1\r\nf\r\n") != n {
			t.Errorf("XREAD: %.40q", got)
		}
		if got := c.Do("XTRIM", "stream", "MAXLEN", "7"); got != fmt.Sprintf(":%d\r\n", n-7) {
			t.Errorf("XTRIM: %q", got)
		}
		if got := c.Do("XLEN", "stream"); got != ":7\r\n" {
			t.Errorf("XLEN after XTRIM: %q", got)
		}
		c.Do("HELLO", "3")
		if got := c.Do("SINTER", "a", "b"); !strings.HasPrefix(got, fmt.Sprintf("~%d\r\n", n)) {
			t.Errorf("SINTER in RESP3 begins with %.20q", got)
		}
		c.Send("CLIENT", "REPLY", "SKIP")
		c.Send("SMEMBERS", "a")
		if got := c.Do("PING"); got != "+PONG\r\n" {
			t.Errorf("after a reply that is skipped: %q", got)
		}
		if got := calls(t, c, "sunionstore"); got != "calls=3" {
			t.Errorf("SUNIONSTORE: %s", got)
		}
	})
}

// TestLongChanges has commands change large values in steps, and looks at what is left.
func TestLongChanges(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c := s.Dial(t)
		const n = 40000
		number := func(want int) string { return fmt.Sprintf(":%d\r\n", want) }
		do := func(want, command string) {
			t.Helper()
			if got := c.Do(strings.Fields(command)...); got != want {
				t.Errorf("%s: %.80q, not %q", command, got, want)
			}
		}
		count := func(want int, command string) {
			t.Helper()
			if got := len(members(t, c.Do(strings.Fields(command)...))); got != want {
				t.Errorf("%s: %d elements, not %d", command, got, want)
			}
		}
		list := func() {
			c.Do("DEL", "list")
			fill(c, n, []string{"RPUSH", "list"}, numbered("e"))
		}
		zset := func() {
			c.Do("DEL", "z")
			fill(c, n, []string{"ZADD", "z"}, func(i int) []string { return []string{fmt.Sprint(i), fmt.Sprintf("m:%d", i)} })
		}
		set := func() {
			c.Do("DEL", "set")
			fill(c, n, []string{"SADD", "set"}, numbered("m"))
		}
		last := fmt.Sprintf("e:%d", n-1)
		list()
		do("$-1\r\n", "LPOS list absent")
		do(number(n-1), "LPOS list "+last)
		do("*1\r\n"+number(n-1), "LPOS list "+last+" COUNT 0")
		do(":-1\r\n", "LINSERT list BEFORE absent x")
		do(number(n+1), "LINSERT list BEFORE "+last+" x")
		do(":0\r\n", "LREM list 0 absent")
		do(":1\r\n", "LREM list -1 x")
		count(n-9, fmt.Sprintf("LPOP list %d", n-9))
		do(":9\r\n", "LLEN list")
		list()
		count(n-9, fmt.Sprintf("RPOP list %d", n-9))
		do("$3\r\ne:8\r\n", "RPOP list")
		list()
		if got := c.Do("LMPOP", "2", "nosuch", "list", "LEFT", "COUNT", fmt.Sprint(n-3)); !strings.HasPrefix(got, fmt.Sprintf("*2\r\n$4\r\nlist\r\n*%d\r\n", n-3)) {
			t.Errorf("LMPOP: %.60q", got)
		}
		do(":3\r\n", "LLEN list")
		c.Do("DEL", "list")
		fill(c, 20*n, []string{"RPUSH", "list"}, numbered("e"))
		do("+OK\r\n", fmt.Sprintf("LTRIM list 10 %d", 20*n-11-15*n))
		do(number(5*n-20), "LLEN list")
		do("$4\r\ne:10\r\n", "LINDEX list 0")
		do("+OK\r\n", "LTRIM list 5 1")
		do(":0\r\n", "EXISTS list")

		zset()
		do(number(n-10), fmt.Sprintf("ZREMRANGEBYRANK z 5 %d", n-6))
		do(":10\r\n", "ZCARD z")
		do("$1\r\n4\r\n", "ZSCORE z m:4")
		do("$-1\r\n", "ZSCORE z m:5")
		zset()
		do(number(n-1), "ZREMRANGEBYSCORE z 1 +inf")
		zset()
		count(2*(n-1), fmt.Sprintf("ZPOPMAX z %d", n-1))
		do(":1\r\n", "ZCARD z")
		zset()
		count(2*n, fmt.Sprintf("ZPOPMIN z %d", n))
		do(":0\r\n", "EXISTS z")
		zset()
		if got := c.Do("ZMPOP", "2", "nosuch", "z", "MAX", "COUNT", fmt.Sprint(n-2)); !strings.HasPrefix(got, fmt.Sprintf("*2\r\n$1\r\nz\r\n*%d\r\n", n-2)) {
			t.Errorf("ZMPOP: %.60q", got)
		}
		do(":2\r\n", "ZCARD z")
		zset()
		count(50000, "ZRANDMEMBER z -50000")
		count(n/2, fmt.Sprintf("ZRANDMEMBER z %d", n/2))
		do(number(n-1), "GEOSEARCHSTORE near z FROMMEMBER m:1 BYRADIUS 22000 km COUNT "+fmt.Sprint(n-1))

		set()
		wantMembers(t, "SPOP of half", c.Do("SPOP", "set", fmt.Sprint(n/2)), n/2)
		do(number(n/2), "SCARD set")
		wantMembers(t, "SRANDMEMBER of nearly all", c.Do("SRANDMEMBER", "set", fmt.Sprint(n/2-1)), n/2-1)
		count(n, fmt.Sprintf("SRANDMEMBER set -%d", n))
		wantMembers(t, "SPOP of all", c.Do("SPOP", "set", fmt.Sprint(n)), n/2)
		do(":0\r\n", "EXISTS set")

		set()
		c.Do("PEXPIRE", "set", "3600000")
		for i := range 8 { // some of these keys are in another shard
			do(":1\r\n", fmt.Sprintf("COPY set copy:%d", i))
			do("+OK\r\n", fmt.Sprintf("RENAME copy:%d moved:%d", i, i))
			do(number(n), fmt.Sprintf("SCARD moved:%d", i))
			do(number(n), fmt.Sprintf("SINTERCARD 2 set moved:%d", i))
			do(":0\r\n", fmt.Sprintf("EXISTS copy:%d", i))
			if got := c.Do("PTTL", fmt.Sprintf("moved:%d", i)); len(got) != len(":3600000\r\n") {
				t.Errorf("PTTL of a copy: %q", got)
			}
		}
		do(":0\r\n", "RENAMENX moved:0 moved:1")
		do(":0\r\n", "COPY moved:0 moved:1")

		c.Do("DEL", "numbers")
		fill(c, n, []string{"RPUSH", "numbers"}, func(i int) []string { return []string{fmt.Sprint(n - i)} })
		if got := c.Do("SORT", "numbers"); !strings.HasPrefix(got, fmt.Sprintf("*%d\r\n$1\r\n1\r\n$1\r\n2\r\n", n)) || !strings.HasSuffix(got, fmt.Sprintf("%d\r\n", n)) {
			t.Errorf("SORT: %.60q", got)
		}
		do(number(n), "SORT numbers ALPHA DESC STORE sorted")
		do("$4\r\n9999\r\n", "LINDEX sorted 0")
		c.Do("DEL", "numbers", "sorted", "near", "set", "z")
		count(8, "KEYS *")
		fill(c, n, []string{"MSET"}, func(i int) []string { return []string{fmt.Sprintf("k:%d", i), "v"} })
		wantMembers(t, "KEYS of many", c.Do("KEYS", "k:*"), n)
		wantMembers(t, "KEYS of few", c.Do("KEYS", "moved*"), 8)
	})
}

// TestLongCommandDisconnect has clients leave in the middle, and waits until nobody waits for them any more.
func TestLongCommandDisconnect(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c := s.Dial(t)
		fill(c, longMembers, []string{"SADD", "set"}, numbered("member"))
		for range 5 {
			reader, waiting := s.Dial(t), s.Dial(t)
			reader.Send("SMEMBERS", "set")
			waiting.Send("SREM", "set", "nosuch")
			c.Do("PING")
			waiting.Close()
			reader.Close()
		}
		if got := c.Do("SADD", "set", "member:0", "late"); got != ":1\r\n" {
			t.Errorf("SADD after clients have gone: %q", got)
		}
		if got := c.Do("FLUSHALL"); got != "+OK\r\n" {
			t.Errorf("FLUSHALL after clients have gone: %q", got)
		}
	})
}

// TestLongCommandExpiry lets the key expire in the middle.
func TestLongCommandExpiry(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c, reader := s.Dial(t), s.Dial(t)
		fill(c, longMembers, []string{"SADD", "set"}, numbered("member"))
		c.Do("PEXPIRE", "set", "20")
		for {
			reply := reader.Do("SMEMBERS", "set")
			if strings.HasPrefix(reply, "*0") {
				break
			}
			wantMembers(t, "SMEMBERS of what expires", reply, longMembers)
		}
		oracle.WaitFor(t, "the key has gone", func() bool { return c.Do("DBSIZE") == ":0\r\n" })
	})
}

// TestLongCommandBlocked has clients wait, in blocking commands, for a list that is being read and for what a long
// command stores.
func TestLongCommandBlocked(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c, reader, first, second, mover := s.Dial(t), s.Dial(t), s.Dial(t), s.Dial(t), s.Dial(t)
		fill(c, longMembers, []string{"RPUSH", "list"}, numbered("e"))
		mover.Send("BLMOVE", "from", "list", "LEFT", "RIGHT", "0")
		oracle.WaitFor(t, "BLMOVE blocks", func() bool { return c.Info("clients")["blocked_clients"] == "1" })
		reader.Do("CLIENT", "SETNAME", "reader")
		reader.Send("LRANGE", "list", "0", "-1")
		oracle.WaitFor(t, "LRANGE begins", func() bool { return clientNamed(t, c, "reader")["cmd"] == "lrange" })
		c.Do("LPUSH", "from", "moved")
		first.Send("BLPOP", "list", "0")
		wantMembers(t, "LRANGE", reader.Reply(), longMembers)
		if got := mover.Reply(); got != "$5\r\nmoved\r\n" {
			t.Errorf("BLMOVE: %q", got)
		}
		if got := first.Reply(); !strings.HasSuffix(got, "$3\r\ne:0\r\n") {
			t.Errorf("BLPOP: %q", got)
		}
		second.Send("BZPOPMIN", "stored", "0")
		oracle.WaitFor(t, "BZPOPMIN blocks", func() bool { return c.Info("clients")["blocked_clients"] == "1" })
		fill(c, 50000, []string{"ZADD", "z"}, func(i int) []string { return []string{fmt.Sprint(i), fmt.Sprint(i)} })
		if got := c.Do("ZRANGESTORE", "stored", "z", "0", "-1"); got != ":50000\r\n" {
			t.Errorf("ZRANGESTORE: %q", got)
		}
		if got := second.Reply(); !strings.Contains(got, "stored") {
			t.Errorf("BZPOPMIN: %q", got)
		}
		if got := c.Do("ZCARD", "stored"); got != ":49999\r\n" {
			t.Errorf("ZCARD: %q", got)
		}
	})
}

// TestLongCommandsAtOnce has readers and writers of the same keys contend.
func TestLongCommandsAtOnce(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c := s.Dial(t)
		const n, rounds = 20000, 30
		fill(c, n, []string{"SADD", "a"}, numbered("a"))
		fill(c, n, []string{"SADD", "b"}, numbered("b"))
		clients := make([]*oracle.Client, 8)
		for i := range clients {
			clients[i] = s.Dial(t)
		}
		commands := []string{"SMEMBERS a", "SUNIONSTORE c a b", "SUNION a b", "SADD b x", "SREM b x", "SDIFFSTORE b b c2", "SCARD c", "FLUSHDB"}
		for i, cl := range clients {
			for range rounds {
				if commands[i] == "FLUSHDB" {
					cl.Send("SELECT", "1")
				}
				cl.Send(strings.Fields(commands[i])...)
			}
		}
		for i, cl := range clients {
			for range rounds {
				reply := cl.Reply()
				if commands[i] == "FLUSHDB" {
					reply = cl.Reply()
				}
				if strings.HasPrefix(reply, "-") {
					t.Errorf("%s: %q", commands[i], reply)
				}
				if commands[i] == "SMEMBERS a" {
					wantMembers(t, "SMEMBERS", reply, n)
				}
			}
		}
	})
}

// TestLongCommandShutdown stops the server in the middle of a command.
func TestLongCommandShutdown(t *testing.T) {
	s := oracle.Shoal(t, "--reactors", "2")
	c, reader := s.Dial(t), s.Dial(t)
	fill(c, longMembers, []string{"SADD", "set"}, numbered("member"))
	reader.Send("SMEMBERS", "set")
	c.Do("PING")
	c.Send("SHUTDOWN", "NOSAVE")
	c.ReadAll()
}

// A command that only replies ends with its client: a billion elements are for nobody.
func TestLongCommandOfGoneClient(t *testing.T) {
	for _, args := range shapes {
		srv := oracle.Shoal(t, append(args, "--client-output-buffer-limit", "normal 1mb 0 0")...)
		c := srv.Dial(t)
		c.Do("HSET", "h", "a", "1", "b", "2")
		greedy := srv.Dial(t)
		greedy.Send("HRANDFIELD", "h", "-999999999")
		oracle.WaitFor(t, "the end of the client", func() bool {
			return c.InfoInt("stats", "client_output_buffer_limit_disconnections") == 1
		})
		if got := c.Do("HSET", "h", "c", "3"); got != ":1\r\n" { // it waits for the lease
			t.Error(got)
		}
	}
}

// TestLongSortPatterns has SORT look up keys that it finds while it runs, which others want to change.
func TestLongSortPatterns(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c, sorter, writer, runner, scripter := s.Dial(t), s.Dial(t), s.Dial(t), s.Dial(t), s.Dial(t)
		const n = 40000
		fill(c, n, []string{"RPUSH", "list"}, func(i int) []string { return []string{fmt.Sprint(i)} })
		fill(c, n, []string{"MSET"}, func(i int) []string { return []string{fmt.Sprintf("w:%d:x", i), fmt.Sprint((i * 7919) % n)} })
		fill(c, n, []string{"HSET", "h:1"}, func(i int) []string { return []string{fmt.Sprintf("f:%d", i), "v"} })
		c.Do("SET", "w:", "not covered")
		for round := range 3 {
			sorter.Send("SORT", "list", "BY", "w:*:x", "GET", "#", "GET", "w:*:x", "GET", "h:*->f:1", "GET", "nosuch")
			c.Do("PING")
			writer.Send("SET", "w:5:x", fmt.Sprint(1000000+round))
			writer.Send("SET", "w:", "free")
			runner.Send("MULTI")
			runner.Send("DEL", "w:6:x")
			runner.Send("HDEL", "h:1", "f:1")
			runner.Send("EXEC")
			scripter.Send("EVAL", "return redis.call('INCR', 'w:' .. ARGV[1] .. ':x')", "0", "7")
			if got := c.Do("GET", "w:5:x"); !strings.HasPrefix(got, "$") {
				t.Fatalf("GET beside SORT: %q", got)
			}
			reply := sorter.Reply()
			if !strings.HasPrefix(reply, fmt.Sprintf("*%d\r\n", 4*n)) || !strings.HasSuffix(reply, "$-1\r\n") {
				t.Fatalf("SORT: %.60q", reply)
			}
			last := -1
			lines := strings.Split(reply, "\r\n")
			for i := 1; i+1 < len(lines); {
				elem, weight := lines[i+1], 0
				i += 2
				if lines[i] != "$-1" {
					i++
					weight = atoi(t, lines[i])
				}
				i++
				if weight < last || weight == 0 && i > 20 && elem != "6" {
					t.Fatalf("element %s with weight %d behind %d", elem, weight, last)
				}
				last = weight
				for range 2 {
					if lines[i] != "$-1" {
						i++
					}
					i++
				}
			}
			for _, waited := range []*oracle.Client{writer, writer, runner, runner, runner, runner, scripter} {
				if got := waited.Reply(); strings.HasPrefix(got, "-") {
					t.Errorf("beside SORT: %q", got)
				}
			}
			if got := c.Do("GET", "w:5:x"); got != fmt.Sprintf("$7\r\n%d\r\n", 1000000+round) {
				t.Errorf("GET after SORT: %q", got)
			}
		}
		c.Do("PEXPIRE", "w:9:x", "1")
		if got := c.Do("SORT", "list", "BY", "w:*:x", "LIMIT", "0", "30000", "STORE", "sorted"); got != ":30000\r\n" {
			t.Errorf("SORT STORE: %q", got)
		}
		if got := c.Do("SORT", "list", "BY", "w:*:x", "STORE", "list"); got != fmt.Sprintf(":%d\r\n", n) {
			t.Errorf("SORT STORE of itself: %q", got)
		}
		oracle.WaitFor(t, "the key has gone", func() bool { return c.Do("DEL", "w:9:x") == ":0\r\n" })
		if got := c.Do("FLUSHALL"); got != "+OK\r\n" {
			t.Errorf("FLUSHALL: %q", got)
		}
	})
}

func atoi(t testing.TB, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestLongStreams has commands about consumer groups and several streams run in steps.
func TestLongStreams(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c := s.Dial(t)
		const n = 20000
		do := func(want string, args ...string) {
			t.Helper()
			if got := c.Do(args...); got != want {
				t.Errorf("%q: %.80q, not %q", args, got, want)
			}
		}
		for _, key := range []string{"x", "y"} {
			for i := range n {
				c.Send("XADD", key, fmt.Sprintf("%d-1", i+1), "f", fmt.Sprint(i))
				if i%500 == 499 {
					for range 500 {
						c.Reply()
					}
				}
			}
			do("+OK\r\n", "XGROUP", "CREATE", key, "g", "0")
		}
		streams := func(got, what string) {
			t.Helper()
			second := fmt.Sprintf("*2\r\n$1\r\ny\r\n*%d\r\n", n)
			if !strings.HasPrefix(got, fmt.Sprintf("*2\r\n*2\r\n$1\r\nx\r\n*%d\r\n*2\r\n", n)) ||
				strings.Count(got, second) != 1 || strings.Count(got[:strings.Index(got, second)], "\r\n$1\r\nf\r\n") != n || strings.Count(got, "\r\n$1\r\nf\r\n") != 2*n {
				t.Errorf("%s: %.60q, %d entries", what, got, strings.Count(got, "\r\n$1\r\nf\r\n"))
			}
		}
		streams(c.Do("XREAD", "STREAMS", "x", "y", "0", "0"), "XREAD")
		streams(c.Do("XREADGROUP", "GROUP", "g", "alice", "STREAMS", "x", "y", ">", ">"), "XREADGROUP")
		do("*-1\r\n", "XREADGROUP", "GROUP", "g", "alice", "STREAMS", "x", "y", ">", ">")
		streams(c.Do("XREADGROUP", "GROUP", "g", "alice", "STREAMS", "x", "y", "0", "0"), "XREADGROUP of what is pending")
		if got := c.Do("XREADGROUP", "GROUP", "g", "alice", "COUNT", "15000", "STREAMS", "x", "nosuch", "0", "0"); !strings.HasPrefix(got, "-NOGROUP") {
			t.Errorf("XREADGROUP: %.60q", got)
		}
		if got := c.Do("XREADGROUP", "GROUP", "g", "alice", "COUNT", "15000", "STREAMS", "x", "0"); !strings.HasPrefix(got, "*1\r\n*2\r\n$1\r\nx\r\n*15000\r\n") {
			t.Errorf("XREADGROUP: %.60q", got)
		}
		if got := c.Do("XPENDING", "x", "g", "-", "+", "15000"); !strings.HasPrefix(got, "*15000\r\n*4\r\n$3\r\n1-1\r\n$5\r\nalice\r\n") || !strings.HasSuffix(got, ":3\r\n") {
			t.Errorf("XPENDING: %.60q ... %.40q", got, got[len(got)-40:])
		}
		do("*0\r\n", "XPENDING", "x", "g", "IDLE", "100000000", "-", "+", "15000")
		do(":1\r\n", "XDEL", "x", "5-1")
		got := c.Do("XAUTOCLAIM", "x", "g", "bob", "0", "0", "COUNT", "15000", "JUSTID")
		if !strings.HasPrefix(got, "*3\r\n$7\r\n15001-1\r\n*14999\r\n$3\r\n1-1\r\n") || !strings.HasSuffix(got, "$7\r\n15000-1\r\n*1\r\n$3\r\n5-1\r\n") {
			t.Errorf("XAUTOCLAIM: %.60q ... %q", got, got[len(got)-40:])
		}
		full := c.Do("XINFO", "STREAM", "x", "FULL", "COUNT", "0")
		if strings.Count(full, "\r\n$1\r\nf\r\n") != n-1 || strings.Count(full, "\r\n$3\r\nbob\r\n:") != 14999 || !strings.HasPrefix(full, "*18\r\n") {
			t.Errorf("XINFO STREAM FULL: %.60q, %d entries", full, strings.Count(full, "\r\n$1\r\nf\r\n"))
		}
		do(":14999\r\n", "XGROUP", "DELCONSUMER", "x", "g", "bob")
		do(fmt.Sprintf("*4\r\n:%d\r\n$7\r\n15001-1\r\n$7\r\n20000-1\r\n*1\r\n*2\r\n$5\r\nalice\r\n$4\r\n5000\r\n", n-15000), "XPENDING", "x", "g")
		c.Do("HELLO", "3")
		if got := c.Do("XREAD", "STREAMS", "x", "y", "0", "0"); !strings.HasPrefix(got, fmt.Sprintf("%%2\r\n$1\r\nx\r\n*%d\r\n", n-1)) || strings.Count(got, "\r\n$1\r\nf\r\n") != 2*n-1 {
			t.Errorf("XREAD in RESP3: %.60q", got)
		}
	})
}

// TestLongScans has SCAN and its like run in steps.
func TestLongScans(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c := s.Dial(t)
		const n = 30000
		fill(c, n, []string{"SADD", "set"}, numbered("m"))
		fill(c, n, []string{"HSET", "hash"}, func(i int) []string { return []string{fmt.Sprintf("f:%d", i), fmt.Sprintf("v:%d", i)} })
		fill(c, n, []string{"ZADD", "z"}, func(i int) []string { return []string{fmt.Sprint(i), fmt.Sprintf("m:%d", i)} })
		fill(c, n, []string{"MSET"}, func(i int) []string { return []string{fmt.Sprintf("k:%d", i), "v"} })
		for _, q := range []struct {
			n       int
			command string
		}{
			{n, "SSCAN set 0 COUNT 1000000"}, {11, "SSCAN set 0 COUNT 1000000 MATCH m:2999*"}, {2 * n, "HSCAN hash 0 COUNT 1000000"},
			{2 * n, "ZSCAN z 0 COUNT 1000000"}, {n + 3, "SCAN 0 COUNT 1000000"}, {11, "SCAN 0 COUNT 1000000 MATCH k:2999*"},
			{1, "SCAN 0 COUNT 1000000 TYPE hash"},
		} {
			got := c.Do(strings.Fields(q.command)...)
			const head = "*2\r\n$1\r\n0\r\n"
			if !strings.HasPrefix(got, head) {
				t.Errorf("%s: %.60q", q.command, got)
				continue
			}
			if found := len(members(t, got[len(head):])); found != q.n {
				t.Errorf("%s: %d elements, not %d", q.command, found, q.n)
			}
		}
		seen := map[string]bool{}
		for cursor, calls := "0", 0; calls == 0 || cursor != "0"; calls++ {
			got := c.Do("SCAN", cursor, "COUNT", "12000")
			lines := strings.SplitN(got, "\r\n", 4)
			cursor = lines[2]
			for _, name := range members(t, lines[3]) {
				seen[name] = true
			}
			if calls > 10 {
				t.Fatal("SCAN does not come to an end")
			}
		}
		if len(seen) != n+3 {
			t.Errorf("SCAN from 0 to 0: %d keys, not %d", len(seen), n+3)
		}
	})
}

// TestLongStrings has bit operations and LCS run in steps.
func TestLongStrings(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c := s.Dial(t)
		do := func(want string, command string) {
			t.Helper()
			if got := c.Do(strings.Fields(command)...); got != want {
				t.Errorf("%s: %.80q, not %q", command, got, want)
			}
		}
		const bits = 32 << 23
		for _, at := range []int{0, 77, bits / 2, bits - 1} {
			do(":0\r\n", fmt.Sprintf("SETBIT big %d 1", at))
		}
		do(":4\r\n", "BITCOUNT big")
		do(":2\r\n", fmt.Sprintf("BITCOUNT big 78 %d BIT", bits-1))
		do(":1\r\n", fmt.Sprintf("BITCOUNT big 1 %d BIT", bits/2-1))
		do(fmt.Sprintf(":%d\r\n", bits/2), fmt.Sprintf("BITPOS big 1 78 %d BIT", bits-1))
		do(":-1\r\n", fmt.Sprintf("BITPOS big 1 78 %d BIT", bits/2-1))
		do(":1\r\n", "BITPOS big 0")
		do(fmt.Sprintf(":%d\r\n", bits/8), "BITOP NOT inverse big")
		do(fmt.Sprintf(":%d\r\n", bits-4), "BITCOUNT inverse")
		do(":77\r\n", "BITPOS inverse 0 1")
		do(fmt.Sprintf(":%d\r\n", bits/8), "BITOP XOR ones inverse big")
		do(fmt.Sprintf(":%d\r\n", bits), "BITCOUNT ones")
		do(fmt.Sprintf(":%d\r\n", bits), "BITPOS ones 0")
		do(fmt.Sprintf(":%d\r\n", bits/8), "BITOP AND big big inverse nosuch")
		do(":0\r\n", "BITCOUNT big")
		a, b := strings.Repeat("abcde", 1600), strings.Repeat("bd", 4000)
		c.Do("MSET", "{l}a", a, "{l}b", b)
		do(":3200\r\n", "LCS {l}a {l}b LEN")
		do("$3200\r\n"+strings.Repeat("bd", 1600)+"\r\n", "LCS {l}a {l}b")
		if got := c.Do("LCS", "{l}a", "{l}b", "IDX"); !strings.HasSuffix(got, "$3\r\nlen\r\n:3200\r\n") {
			t.Errorf("LCS IDX: %.60q", got)
		}
	})
}

// TestLongDump has DUMP and RESTORE run in steps.
func TestLongDump(t *testing.T) {
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c := s.Dial(t)
		const n = 40000
		fill(c, n, []string{"HSET", "hash"}, func(i int) []string { return []string{fmt.Sprintf("f:%d", i), fmt.Sprintf("v:%d", i)} })
		dumped := c.Do("DUMP", "hash")
		head, payload, _ := strings.Cut(dumped, "\r\n")
		payload = strings.TrimSuffix(payload, "\r\n")
		if head != fmt.Sprintf("$%d", len(payload)) {
			t.Fatalf("DUMP begins with %q before %d bytes", head, len(payload))
		}
		if got := c.Do("RESTORE", "copy", "0", payload); got != "+OK\r\n" {
			t.Errorf("RESTORE: %q", got)
		}
		if got, want := c.Do("DEBUG", "DIGEST-VALUE", "copy"), c.Do("DEBUG", "DIGEST-VALUE", "hash"); got != want {
			t.Errorf("DEBUG DIGEST-VALUE of the copy: %q, not %q", got, want)
		}
		broken := []byte(payload)
		broken[len(broken)/2]++
		if got := c.Do("RESTORE", "broken", "0", string(broken)); got != "-ERR DUMP payload version or checksum are wrong\r\n" {
			t.Errorf("RESTORE of a broken payload: %q", got)
		}
	})
}
