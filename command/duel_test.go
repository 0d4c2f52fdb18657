package command

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// duel runs commands on our handlers and on a real redis-server and compares everything that can be seen: reply bytes,
// keyspace notifications, what replicas are sent, and the state of the keys afterwards.
type duel struct {
	t      *testing.T
	ours   *testCtx
	redis  *oracle.Conn
	events *oracle.Conn // subscribed to every notification
	stream *oracle.Conn // a replica's
	rounds int
}

// newDuel starts redis-server for our commands of lists. proto is that of the replies, 2 or 3.
func newDuel(t *testing.T, proto int, lists ...[]Spec) *duel {
	t.Helper()
	srv := oracle.Redis(t, "--notify-keyspace-events", "AEmn", "--repl-diskless-sync", "no",
		"--repl-ping-replica-period", "3600", "--proto-max-bulk-len", "512mb")
	d := &duel{t: t, ours: newTestCtx(t, lists...)}
	d.ours.Reply.Proto = uint8(proto)
	d.redis, d.events = d.dial(srv), d.dial(srv)
	d.want(d.redis.Do("HELLO", strconv.Itoa(proto)))
	d.want(d.redis.Do("DEBUG", "SET-ACTIVE-EXPIRE", "0"))
	d.want(d.events.Do("PSUBSCRIBE", "__keyevent@0__:*"))
	d.stream = d.replica(srv)
	return d
}

func (d *duel) dial(srv *oracle.Server) *oracle.Conn {
	d.t.Helper()
	conn, err := oracle.Dial(srv.Address())
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { conn.Close() })
	return conn
}

func (d *duel) want(reply []byte, err error) []byte {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
	return reply
}

// replica connects as a replica does and skips the snapshot: "$<bytes>\r\n", the bytes, and no line end.
func (d *duel) replica(srv *oracle.Server) *oracle.Conn {
	conn := d.dial(srv)
	if err := conn.Send("SYNC"); err != nil {
		d.t.Fatal(err)
	}
	r := bufio.NewReader(conn.Conn)
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			d.t.Fatal(err)
		}
		if line = strings.TrimSpace(line); line == "" {
			continue // sent while the snapshot is being made
		}
		n, err := strconv.ParseInt(line[1:], 10, 64)
		if err != nil {
			d.t.Fatalf("%q instead of a snapshot", line)
		}
		if _, err := io.CopyN(io.Discard, r, n); err != nil {
			d.t.Fatal(err)
		}
		return oracle.NewConn(bufferedConn{conn, r})
	}
}

// bufferedConn is a connection some of whose bytes have been read already.
type bufferedConn struct {
	net.Conn
	r *bufio.Reader
}

func (c bufferedConn) Read(b []byte) (int, error) { return c.r.Read(b) }

// setList makes key hold a list on both sides.
func (d *duel) setList(key string) {
	d.want(d.redis.Do("DEL", key))
	d.want(d.redis.Do("RPUSH", key, "x"))
	d.ours.setList(key)
}

// doLine is do with the words of line, which are separated by single blanks.
func (d *duel) doLine(line string) {
	d.t.Helper()
	d.do(strings.Split(line, " ")...)
}

const stateReplies = 4

// do runs a command on both sides and compares.
func (d *duel) do(words ...string) {
	d.t.Helper()
	d.ours.NowMS++ // judges expiry; redis' own clock serves for what follows
	reply := d.ours.do(words...)
	d.rounds++
	begin, end := fmt.Sprint("begin", d.rounds), fmt.Sprint("end", d.rounds)
	var keys []string
	for _, k := range d.ours.Keys {
		keys = append(keys, string(k.Name))
	}
	out := oracle.AppendCommand(nil, "PUBLISH", "__keyevent@0__:mark", begin)
	out = oracle.AppendCommand(out, words...)
	out = oracle.AppendCommand(out, "PUBLISH", "__keyevent@0__:mark", end)
	for _, key := range keys {
		for _, w := range [stateReplies][]string{{"TYPE", key}, {"OBJECT", "ENCODING", key}, {"GET", key}, {"PEXPIRETIME", key}} {
			out = oracle.AppendCommand(out, w...)
		}
	}
	if err := d.redis.SendRaw(out); err != nil {
		d.t.Fatal(err)
	}
	d.want(d.redis.Reply())
	theirs := string(d.want(d.redis.Reply()))
	d.want(d.redis.Reply())
	if reply != theirs && !sameLeft(words[0], reply, theirs) && !sameInAnyOrder(words[0], reply, theirs) {
		d.t.Errorf("%.300q replied\n %.500q, redis replies\n %.500q", words, reply, theirs)
	}
	if events := d.eventsBetween(begin, end); !slices.Equal(events, d.ours.events) {
		d.t.Errorf("%.300q notified of %q, redis notifies of %q", words, d.ours.events, events)
	}
	if log := d.streamBetween(begin, end); !sameLogs(log, d.ours.log) && !lengthened(words, log) {
		d.t.Errorf("%.300q propagates %.300q, redis propagates %.300q", words, d.ours.log, log)
	}
	for _, key := range keys {
		d.compareState(words, key)
	}
}

// sameLeft compares replies that tell times, which were computed from slightly different clocks.
func sameLeft(name, a, b string) bool {
	if name == "XPENDING" || name == "XINFO" {
		return maskTimes(a) == maskTimes(b)
	}
	x, err1 := strconv.ParseInt(strings.Trim(a, ":\r\n"), 10, 64)
	y, err2 := strconv.ParseInt(strings.Trim(b, ":\r\n"), 10, 64)
	if err1 != nil || err2 != nil || x < 0 || y < 0 {
		return false
	}
	switch name {
	case "PTTL", "PEXPIRETIME":
		return sameTime(x, y)
	case "TTL", "EXPIRETIME":
		return x-y <= 300 && y-x <= 300
	}
	return false
}

var streamTimes = regexp.MustCompile(`(idle\r\n):\d+|:\d{13}|:\d+(\r\n:\d+\r\n)`)

// maskTimes leaves the times out of a reply about deliveries and consumers of a stream.
func maskTimes(reply string) string { return streamTimes.ReplaceAllString(reply, "$1$2") }

func (d *duel) compareState(words []string, key string) {
	d.t.Helper()
	var replies [stateReplies]string
	for i := range replies {
		replies[i] = string(d.want(d.redis.Reply()))
	}
	ours := d.ours.state(key)
	if want := strings.TrimSpace(replies[0][1:]); ours.kind != want {
		d.t.Errorf("%.300q: %q is %s, redis says %s", words, key, ours.kind, want)
		return
	}
	if ours.kind == "none" {
		return
	}
	if want := bulk(replies[1]); ours.encoding != want {
		d.t.Errorf("%.300q: %q is encoded as %s, redis says %s", words, key, ours.encoding, want)
	}
	if want := bulk(replies[2]); ours.kind == "string" && ours.value != want {
		d.t.Errorf("%.300q: %q is %.300q, redis says %.300q", words, key, ours.value, want)
	}
	at, err := strconv.ParseInt(strings.TrimSpace(replies[3][1:]), 10, 64)
	if err != nil {
		d.t.Fatal(err)
	}
	if !sameTime(max(at, 0), ours.expireMS) {
		d.t.Errorf("%.300q: %q expires at %d, redis says %d", words, key, ours.expireMS, at)
	}
}

// bulk returns the content of a bulk string.
func bulk(reply string) string {
	_, rest, _ := strings.Cut(reply, "\r\n")
	return strings.TrimSuffix(rest, "\r\n")
}

// sameTime compares times in ms that were computed from slightly different clocks.
func sameTime(a, b int64) bool {
	const slack = 5 * 60 * 1000
	return a-b < slack && b-a < slack
}

// eventsBetween returns the notifications between two marks, "event key" each.
func (d *duel) eventsBetween(begin, end string) []string {
	var list []string
	seen := false
	for {
		message := elements(d.want(d.events.Reply())) // pmessage, pattern, channel, key
		event, key := strings.TrimPrefix(message[2], "__keyevent@0__:"), message[3]
		switch {
		case event == "mark" && key == end:
			return list
		case event == "mark":
			seen = key == begin
		case seen:
			list = append(list, event+" "+key)
		}
	}
}

// streamBetween returns what replicas were sent between two marks. SELECT, and the MULTI and EXEC around several effects of
// a command, are not the handlers' business.
func (d *duel) streamBetween(begin, end string) []string {
	var list []string
	seen := false
	for {
		words := elements(d.want(d.stream.Reply()))
		switch {
		case words[0] == "PUBLISH" && words[2] == end:
			return list
		case words[0] == "PUBLISH":
			seen = words[2] == begin
		case seen && words[0] != "SELECT" && words[0] != "MULTI" && words[0] != "EXEC" && words[0] != "PING":
			list = append(list, strings.Join(words, " "))
		}
	}
}

// lengthened tells whether redis may have kept from its replicas that a BITFIELD whose writes all failed has made the string
// longer. We tell them.
func lengthened(words, log []string) bool {
	return words[0] == "BITFIELD" && len(log) == 0 && slices.ContainsFunc(words, func(w string) bool {
		return strings.EqualFold(w, "FAIL")
	})
}

func sameLogs(a, b []string) bool {
	return slices.EqualFunc(a, b, func(a, b string) bool {
		if a == b {
			return true
		}
		return slices.EqualFunc(strings.Split(a, " "), strings.Split(b, " "), sameWord)
	})
}

func sameWord(a, b string) bool {
	x, err1 := strconv.ParseInt(a, 10, 64)
	y, err2 := strconv.ParseInt(b, 10, 64)
	return a == b || err1 == nil && err2 == nil && min(x, y) > 1e12 && sameTime(x, y)
}

// elements returns the bulk strings of an array.
func elements(reply []byte) []string {
	var list []string
	_, reply, _ = bytes.Cut(reply, []byte("\r\n"))
	for len(reply) > 0 {
		head, rest, _ := bytes.Cut(reply, []byte("\r\n"))
		n, err := strconv.Atoi(string(head[1:]))
		if err != nil || head[0] != '$' {
			n = -2 // an integer: the count of a subscription
		}
		list = append(list, string(rest[:max(n, 0)]))
		reply = rest[n+2:]
	}
	return list
}

// commandGen makes random arguments for a duel.
type commandGen struct{ *rand.Rand }

func newGen(t *testing.T) commandGen {
	return commandGen{rand.New(rand.NewPCG(oracle.Seed(t), 0))}
}

func (g commandGen) pick(list ...string) string { return list[g.IntN(len(list))] }

// maybe returns words in one of n cases, else none.
func (g commandGen) maybe(n int, words ...string) []string {
	if g.IntN(n) == 0 {
		return words
	}
	return nil
}
