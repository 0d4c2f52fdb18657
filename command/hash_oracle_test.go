package command

import (
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/types"
)

const hashCases = `
HSET h f v
HSET h f w
HSET h f 1 g 2 f 3
HSET h f 1 g
HSET h f
HSET h
HSET list f v
HGET list f
HSET e  
HGET e 
HMSET h f 1 g 2
HMSET h f
HMSET h f 1 g
HMSET list f 1
HSETNX h f 2
HSETNX h new 2
HSETNX h2 f 1
HSETNX list f 1
HGET h f
HGET h none
HGET none f
HMGET h f none g f
HMGET none f g
HMGET list f
HMGET h
HGETALL h
HGETALL none
HGETALL list
HKEYS h
HKEYS none
HVALS h
HVALS none
HLEN h
HLEN none
HLEN list
HSTRLEN h f
HSTRLEN h none
HSTRLEN none f
HSTRLEN list f
HSET h int -12345
HSTRLEN h int
HEXISTS h f
HEXISTS h none
HEXISTS none f
HEXISTS list f
HINCRBY h n 5
HINCRBY h n -7
HINCRBY h n 9223372036854775807
HINCRBY h n 9223372036854775807
HINCRBY h n x
HINCRBY h n 1.5
HINCRBY h n -9223372036854775808
HINCRBY h n -9223372036854775808
HSET h s abc
HINCRBY h s 1
HSET h s 01
HINCRBY h s 1
HSET h s 9223372036854775808
HINCRBY h s 1
HINCRBY none2 f 1
HINCRBY list f 1
HINCRBY list f x
HINCRBYFLOAT h fl 1.5
HINCRBYFLOAT h fl 2.5e1
HINCRBYFLOAT h fl x
HINCRBYFLOAT h fl inf
HINCRBYFLOAT h fl -inf
HINCRBYFLOAT h fl nan
HINCRBYFLOAT h s 1
HSET h s abc
HINCRBYFLOAT h s 1
HSET h s inf
HINCRBYFLOAT h s 1
HINCRBYFLOAT none3 f 3.0e3
HINCRBYFLOAT list f 1
HINCRBYFLOAT list f x
HINCRBYFLOAT h f 1
HSET one f v
HRANDFIELD one
HRANDFIELD none
HRANDFIELD list
HRANDFIELD one 1
HRANDFIELD one 5
HRANDFIELD one 0
HRANDFIELD one -3
HRANDFIELD one -3 WITHVALUES
HRANDFIELD one 3 withvalues
HRANDFIELD one 1 WITHVALUES
HRANDFIELD one 1 NOPE
HRANDFIELD one 1 WITHVALUES x
HRANDFIELD one x
HRANDFIELD none x
HRANDFIELD none 3
HRANDFIELD none -3 WITHVALUES
HRANDFIELD list 3
HRANDFIELD one 9223372036854775807
HRANDFIELD one 9223372036854775807 WITHVALUES
HRANDFIELD one -9223372036854775808
HRANDFIELD one -9223372036854775807 WITHVALUES
HRANDFIELD one -9223372036854775809
HSCAN h 0
HSCAN h 0 COUNT 100
HSCAN one 0 MATCH f
HSCAN one 0 MATCH g
HSCAN one 0 MATCH * COUNT 1
HSCAN one 0 COUNT 0
HSCAN one 0 COUNT x
HSCAN one 0 TYPE hash
HSCAN one 0 NOVALUES
HSCAN one 0 MATCH
HSCAN one x
HSCAN one 18446744073709551616
HSCAN none 0
HSCAN none x
HSCAN none 0 COUNT 0
HSCAN list 0
HSCAN one 5
HDEL h f g
HDEL h f
HDEL none f
HDEL list f
HDEL h
HDEL one x f y f
HDEL one f
HSET big f1 1 f2 2 f3 3
EXPIRE big 1000
HSET big f4 4
HGETALL big
HDEL big f1 f2 f3 f4 f5
SET s v
HSET s f v
COPY h h3
RENAME h3 h4
HGETALL h4
DEL h4
`

func TestHashesAgreeWithRedis(t *testing.T) {
	for _, proto := range []int{2, 3} {
		t.Run("RESP"+strconv.Itoa(proto), func(t *testing.T) {
			d := newDuel(t, proto, HashCommands, KeyCommands, ExpireCommands, StringCommands, ObjectCommands)
			d.setList("list")
			for _, line := range strings.Split(strings.TrimSpace(hashCases), "\n") {
				d.doLine(line)
			}
		})
	}
}

// TestEncodingsOfHashesAgreeWithRedis crosses the limits of the listpack in each way there is.
func TestEncodingsOfHashesAgreeWithRedis(t *testing.T) {
	d := newDuel(t, 2, HashCommands, KeyCommands)
	long := strings.Repeat("x", 65)
	edge := strings.Repeat("y", 64)
	d.do("HSET", "a", edge, edge)
	d.do("HSET", "a", "f", long)
	d.do("HSET", "b", long, "v")
	d.do("HSET", "c", "f", "v")
	d.do("HSETNX", "c", "f", long)
	d.do("HSETNX", "c", "g", long)
	d.do("HINCRBY", "d", long, "1")
	d.do("HINCRBYFLOAT", "e", long, "1")
	words := []string{"HSET", "f"}
	for i := range 512 {
		words = append(words, strconv.Itoa(i), "v")
	}
	d.do(words...)
	d.do("HSET", "f", "5", "w")
	d.do("HSET", "f", "512", "w")
	d.do("HDEL", "f", "512", "511", "510")
	d.do("HGETALL", "f")
	d.do("HDEL", "a", edge, "f")
}

// TestRandomHashCommandsAgreeWithRedis runs with limits so low that hashes change their encoding all the time.
func TestRandomHashCommandsAgreeWithRedis(t *testing.T) {
	for entries := range 3 {
		t.Run("entries="+strconv.Itoa(entries*4), func(t *testing.T) {
			limits := types.DefaultLimits
			limits.HashListpackEntries, limits.HashListpackValue = entries*4, 10
			d := newDuel(t, 3, HashCommands, KeyCommands, ExpireCommands)
			d.ours.Env.Limits = &limits
			d.want(d.redis.Do("CONFIG", "SET", "hash-max-listpack-entries", strconv.Itoa(entries*4), "hash-max-listpack-value", "10"))
			g := newGen(t)
			for range 1500 {
				d.do(g.hashCommand()...)
			}
		})
	}
}

func (g commandGen) hashCommand() []string {
	key := func() string { return g.pick("h1", "h2", "h3") }
	field := func() string {
		return g.pick("a", "b", "c", "1", "2", "-3", "", "longer than ten", strconv.Itoa(g.IntN(30)))
	}
	value := func() string {
		return g.pick("", "v", "1.5", strconv.Itoa(g.IntN(1000)-500), "9223372036854775807", "more than ten bytes", "ten bytes.")
	}
	fields := func(n int) (list []string) {
		for range 1 + g.IntN(n) {
			list = append(list, field())
		}
		return list
	}
	switch g.IntN(16) {
	case 0, 1, 2, 3:
		words := []string{g.pick("HSET", "HSET", "HMSET"), key()}
		for _, f := range fields(4) {
			words = append(words, f, value())
		}
		return words
	case 4:
		return []string{"HSETNX", key(), field(), value()}
	case 5, 6:
		return append([]string{"HDEL", key()}, fields(5)...)
	case 7:
		return []string{"HGET", key(), field()}
	case 8:
		return append([]string{"HMGET", key()}, fields(5)...)
	case 9:
		return []string{"HINCRBY", key(), field(), g.pick("1", "-5", "9223372036854775807", "x")}
	case 10:
		return []string{"HINCRBYFLOAT", key(), field(), g.pick("1", "-5.25", "1e10", "x")}
	case 11:
		return []string{g.pick("HSTRLEN", "HEXISTS"), key(), field()}
	case 12:
		return []string{g.pick("COPY", "RENAME", "RENAMENX"), key(), key()}
	case 13:
		return []string{g.pick("PERSIST", "TYPE", "HLEN", "DEL"), key()}
	case 14:
		return []string{"EXPIRE", key(), "1000"}
	}
	return []string{g.pick("HGETALL", "HKEYS", "HVALS"), key()}
}
