package server

import (
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// bulkOf returns the content of a bulk string.
func bulkOf(reply string) string {
	_, rest, _ := strings.Cut(reply, "\r\n")
	return strings.TrimSuffix(rest, "\r\n")
}

// TestDumpInSteps copies large values by DUMP and RESTORE while others are at work on the same keys.
func TestDumpInSteps(t *testing.T) {
	const n = 60000
	numbers := func(i int) []string { return []string{strconv.Itoa(i), "member:" + strconv.Itoa(i)} }
	eachLongShape(t, func(t *testing.T, s *oracle.Server) {
		c, other := s.Dial(t), s.Dial(t)
		fill(c, n, []string{"ZADD", "zset"}, numbers)
		fill(c, n, []string{"HSET", "hash"}, numbers)
		fill(c, n, []string{"SADD", "set"}, numbered("member"))
		fill(c, n, []string{"RPUSH", "list"}, numbered("element"))
		for i := range n / 4 {
			c.Send("XADD", "stream", "1-"+strconv.Itoa(i+1), "field", strconv.Itoa(i))
		}
		for range n / 4 {
			c.Reply()
		}
		long := strings.Repeat("some text and more of it; ", 100_000)
		c.Do("SET", "string", long)
		c.Send("DUMP", "string")
		other.Send("SET", "string", "late")
		payload := bulkOf(c.Reply())
		if reply := c.Do("RESTORE", "again", "0", payload); reply != "+OK\r\n" {
			t.Fatalf("RESTORE of a string: %s", reply)
		}
		// The other one may have come before DUMP.
		if got := bulkOf(c.Do("GET", "again")); got != "late" && (got != long || len(payload) > len(long)/10) {
			t.Errorf("a string of %d bytes was dumped as %d and became one of %d", len(long), len(payload), len(got))
		}
		other.Reply()
		for key, late := range map[string][]string{"zset": {"ZADD", "zset", "1", "late"}, "hash": {"HSET", "hash", "late", "1"},
			"set": {"SADD", "set", "late"}, "list": {"RPUSH", "list", "late"}, "stream": {"XADD", "stream", "2-0", "late", "1"}} {
			digest := c.Do("DEBUG", "DIGEST-VALUE", key)
			c.Send("DUMP", key)
			other.Send(late...)
			payload := bulkOf(c.Reply())
			if reply := other.Reply(); strings.HasPrefix(reply, "-") {
				t.Fatalf("%s: %s", late, reply)
			}
			before := digest
			if c.Do("DEBUG", "DIGEST-VALUE", key) == digest {
				t.Fatalf("%s has not changed", key)
			}
			c.Send("RESTORE", key, "0", payload, "REPLACE")
			other.Send("TYPE", key)
			if reply := c.Reply(); reply != "+OK\r\n" {
				t.Fatalf("RESTORE of %s: %s", key, reply)
			}
			other.Reply()
			after := c.Do("DEBUG", "DIGEST-VALUE", key)
			if after == before {
				continue
			}
			// The late one may have come before DUMP.
			other.Do(late...)
			if c.Do("EXISTS", key) != ":1\r\n" || c.Do("DEBUG", "DIGEST-VALUE", key) != after && key != "list" && key != "stream" {
				t.Errorf("%s is not what was dumped", key)
			}
		}
	})
}

func TestSerializedLength(t *testing.T) {
	ours, theirs := oracle.Shoal(t, "--rdbcompression", "no").Dial(t), oracle.Redis(t, "--rdbcompression", "no").Dial(t)
	length := func(c *oracle.Client, key string) string {
		_, rest, _ := strings.Cut(c.Do("DEBUG", "OBJECT", key), "serializedlength:")
		return strings.Fields(rest)[0]
	}
	for _, words := range [][]string{{"SET", "k", "12345"}, {"SET", "k", strings.Repeat("x", 100)}, {"RPUSH", "k", "a", "b"}, {"SADD", "k", "1", "2"},
		{"SADD", "k", "a"}, {"ZADD", "k", "1", "a"}, {"HSET", "k", "a", "b"}, {"HSET", "k", "a", strings.Repeat("x", 100)}, {"XADD", "k", "1-1", "a", "b"}} {
		for _, c := range []*oracle.Client{ours, theirs} {
			c.Do("DEL", "k")
			c.Do(words...)
		}
		if a, b := length(ours, "k"), length(theirs, "k"); a != b {
			t.Errorf("%.60q: %s bytes, redis says %s", words, a, b)
		}
	}
}

// TestPayloadSettings turns the checks of RESTORE off and on.
func TestPayloadSettings(t *testing.T) {
	c := oracle.Shoal(t, "--sanitize-dump-payload", "yes").Dial(t)
	c.Do("RPUSH", "list", "a")
	payload := bulkOf(c.Do("DUMP", "list"))
	broken := payload[:len(payload)-1] + string([]byte{payload[len(payload)-1] ^ 1})
	restore := func(p, want string) {
		t.Helper()
		if got := c.Do("RESTORE", "k", "0", p, "REPLACE"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	const wrong = "-ERR DUMP payload version or checksum are wrong\r\n"
	restore(broken, wrong)
	c.Do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "1")
	restore(broken, "+OK\r\n")
	c.Do("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", "0")
	restore(broken, wrong)
	if got := c.Info("stats")["dump_payload_sanitizations"]; got != "1" {
		t.Errorf("%s payloads were sanitized, not 1", got)
	}
	c.Do("CONFIG", "SET", "sanitize-dump-payload", "no")
	restore(payload, "+OK\r\n")
	if got := c.Info("stats")["dump_payload_sanitizations"]; got != "1" {
		t.Errorf("%s payloads were sanitized, not 1", got)
	}
}
