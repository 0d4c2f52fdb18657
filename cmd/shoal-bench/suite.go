package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/shoaldb/shoal/bench/load"
)

// minKeySize is the length of "key:" and twelve digits.
const minKeySize = 16

// test is one line of output: a workload without the counts that the command line gives.
type test struct {
	title    string
	names    []string // that select it with -t
	commands []load.Command
}

// words builds a test of one command from its words; a word may hold the marks of package load.
func (c *config) words(title, names string, args ...string) test {
	return test{title: title, names: strings.Fields(names), commands: []load.Command{load.Expand(args, c.dataSize)}}
}

// suite lists redis-benchmark's tests, in its order and with its titles.
func (c *config) suite() []test {
	key := c.key()
	score := "0"
	if c.randomKeys {
		score = load.KeyMark
	}
	mset := []string{"MSET"}
	for range 10 {
		mset = append(mset, key, load.DataMark)
	}
	const lrange = "lrange lrange_100 lrange_300 lrange_500 lrange_600"
	return []test{
		{title: "PING_INLINE", names: []string{"ping", "ping_inline"}, commands: []load.Command{{Wire: []byte("PING\r\n")}}},
		c.words("PING_MBULK", "ping ping_mbulk", "PING"),
		c.words("SET", "set", c.set()...),
		c.words("GET", "get", "GET", key),
		c.words("INCR", "incr", "INCR", "counter:"+load.KeyMark),
		c.words("LPUSH", "lpush", "LPUSH", "mylist", load.DataMark),
		c.words("RPUSH", "rpush", "RPUSH", "mylist", load.DataMark),
		c.words("LPOP", "lpop", "LPOP", "mylist"),
		c.words("RPOP", "rpop", "RPOP", "mylist"),
		c.words("SADD", "sadd", "SADD", "myset", "element:"+load.KeyMark),
		c.words("HSET", "hset", "HSET", "myhash", "element:"+load.KeyMark, load.DataMark),
		c.words("SPOP", "spop", "SPOP", "myset"),
		c.words("ZADD", "zadd", "ZADD", "myzset", score, "element:"+load.KeyMark),
		c.words("ZPOPMIN", "zpopmin", "ZPOPMIN", "myzset"),
		c.words("LPUSH (needed to benchmark LRANGE)", lrange, "LPUSH", "mylist", load.DataMark),
		c.words("LRANGE_100 (first 100 elements)", "lrange lrange_100", "LRANGE", "mylist", "0", "99"),
		c.words("LRANGE_300 (first 300 elements)", "lrange lrange_300", "LRANGE", "mylist", "0", "299"),
		c.words("LRANGE_500 (first 500 elements)", "lrange lrange_500", "LRANGE", "mylist", "0", "499"),
		c.words("LRANGE_600 (first 600 elements)", "lrange lrange_600", "LRANGE", "mylist", "0", "599"),
		c.words("MSET (10 keys)", "mset", mset...),
	}
}

// selected lists the tests that the command line asks for. stdin is the last argument with -x.
func (c *config) selected(stdin string) []test {
	if len(c.command) > 0 {
		return []test{c.custom(stdin)}
	}
	var list []test
	if c.setWeight+c.getWeight > 0 {
		list = append(list, c.mix())
	}
	if c.mget > 0 {
		list = append(list, c.mgetTest())
	}
	if len(list) > 0 || c.preload > 0 && c.tests == nil {
		return list
	}
	for _, t := range c.suite() {
		if c.tests == nil || slices.ContainsFunc(t.names, func(n string) bool { return slices.Contains(c.tests, n) }) {
			list = append(list, t)
		}
	}
	return list
}

// custom is the command of the command line. Its title is the command as given.
func (c *config) custom(stdin string) test {
	args := slices.Clone(c.command)
	if c.stdinArg {
		args = append(args, stdin)
	}
	return c.words(strings.Join(c.command, " "), "", args...)
}

func (c *config) mix() test {
	t := test{title: fmt.Sprintf("SET:GET %d:%d", c.setWeight, c.getWeight)}
	add := func(weight int, args ...string) {
		if weight > 0 {
			command := c.words("", "", args...).commands[0]
			command.Weight = weight
			t.commands = append(t.commands, command)
		}
	}
	add(c.setWeight, c.set()...)
	add(c.getWeight, "GET", c.key())
	return t
}

func (c *config) mgetTest() test {
	args := []string{"MGET"}
	for range c.mget {
		args = append(args, c.key())
	}
	return c.words(fmt.Sprintf("MGET (%d keys)", c.mget), "", args...)
}

// loading is what --load runs.
func (c *config) loading() test { return c.words("LOAD", "", c.set()...) }

func (c *config) key() string {
	return "key:" + strings.Repeat("0", c.keySize-minKeySize) + load.KeyMark
}

func (c *config) set() []string {
	args := []string{"SET", c.key(), load.DataMark}
	if c.expire > 0 {
		args = append(args, "EX", fmt.Sprint(c.expire))
	}
	return args
}
