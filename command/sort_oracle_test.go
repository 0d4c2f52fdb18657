package command

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

const sortCases = `
RPUSH l 3 1 2 10 1
SADD s 5 3 9 1
SADD words b a c B
ZADD z 1 z 2 b 3 a
ZADD numbers 5 1 4 2 3 3
SORT
SORT none
SORT none BY x GET y
SORT l
SORT l ASC
SORT l DESC
SORT l desc ALPHA
SORT l LIMIT 0 2
SORT l LIMIT 1 2
SORT l LIMIT -5 2
SORT l LIMIT 0 0
SORT l LIMIT 0 -1
SORT l LIMIT 3 -7
SORT l LIMIT 5 1
SORT l LIMIT 100 1
SORT l LIMIT 9223372036854775807 9223372036854775807
SORT l LIMIT 1 9223372036854775807
SORT l LIMIT -9223372036854775808 9223372036854775807
SORT l LIMIT 9223372036854775808 1
SORT l LIMIT x 1
SORT l LIMIT 1 x
SORT l LIMIT 1
SORT l BAD
SORT l BY
SORT l GET
SORT l STORE
SORT str
SORT hash
SORT words
SORT words ALPHA
SORT words ALPHA DESC
SORT words STORE dest
SORT words ALPHA STORE dest
LRANGE dest 0 -1
SORT s
SORT s BY nosort STORE dest
LRANGE dest 0 -1
SORT words BY nosort STORE dest
LRANGE dest 0 -1
SORT words BY nosort STORE dest DESC
LRANGE dest 0 -1
SORT z BY nosort
SORT z BY nosort DESC
SORT z BY nosort LIMIT 1 1
SORT z BY nosort DESC LIMIT 1 1
SORT z BY nosort DESC LIMIT 1 5
SORT z BY nosort LIMIT 5 5
SORT z BY nosort DESC LIMIT 5 5
SORT z
SORT z ALPHA
SORT numbers DESC
SORT_RO numbers
OBJECT ENCODING numbers
OBJECT ENCODING z
SORT l BY nosort
SORT l BY nosort DESC
SORT l BY nosort LIMIT 1 2
SORT l BY nosort DESC LIMIT 1 2
SORT l BY nosort DESC LIMIT 1 200
SORT l BY nosort DESC LIMIT 10 200
MSET w_1 30 w_2 20 w_3 10 w_10 40 v_1 one v_2 two v_3 three
SORT l BY w_*
SORT l BY w_* DESC
SORT l BY w_* GET v_*
SORT l BY w_* GET v_* GET #
SORT l BY w_* GET # GET w_* GET nothing GET none_*
SORT l BY w_* ALPHA
SORT l BY v_* ALPHA
SORT l BY v_*
SORT l BY none_*
SORT l BY none_* DESC
SORT l BY none_* ALPHA
SORT l BY none_* ALPHA DESC LIMIT 1 3
SORT l BY w_* LIMIT 1 2
SORT l BY w_* LIMIT 0 0
SORT l BY w_* LIMIT 10 1
SORT l BY # 
SORT l BY l*
SORT l GET l* GET l
SORT l BY w_* BY nosort
SORT l BY nosort BY w_*
HSET h_1 f 5 g x
HSET h_2 f 4
HSET h_3 f 6 -> 1
HSET h_10 g 4
SORT l BY h_*->f
SORT l BY h_*->f DESC GET h_*->g GET h_*->f GET #
SORT l BY h_*->g ALPHA GET h_*->g
SORT l BY h_*->
SORT l BY h_*->nosuch GET h_*->nosuch
SORT l GET h_*
SORT l GET w_*->f
SORT l GET h_*->->
SORT l GET *->f
SORT l STORE dest
LRANGE dest 0 -1
SORT l BY w_* GET v_* STORE dest
LRANGE dest 0 -1
SORT l STORE l
LRANGE l 0 -1
SORT none STORE dest
SORT none STORE dest
SORT l LIMIT 9 9 STORE dest
SORT l STORE dest STORE dest2
SORT l STORE str2
SORT words STORE dest2
SORT_RO l STORE dest
SORT_RO l BY w_* GET v_* LIMIT 0 3
SORT_RO words ALPHA
SORT_RO str
RPUSH mixed 1 -5 2.5 1e3 0x10  -0 inf -inf 00012
SORT mixed
SORT mixed DESC
RPUSH bad 1 2 three
SORT bad
SORT bad STORE dest
SORT bad BY nosort
SORT bad LIMIT 0 0
RPUSH bad3 nan
SORT bad3
RPUSH bad4 1,5
SORT bad4
LPUSH by1 1
SORT by1 BY by* GET by*
EXPIRE l 1000
SORT l STORE l`

func TestSortOracle(t *testing.T) {
	for _, proto := range []int{2, 3} {
		t.Run(fmt.Sprint("proto=", proto), func(t *testing.T) {
			d := newDuel(t, proto, sortLists...)
			d.do("SET", "str", "x")
			d.do("HSET", "hash", "x", "y")
			for line := range strings.Lines(sortCases) {
				if line = strings.TrimSuffix(line, "\n"); line != "" {
					d.doLine(line)
				}
			}
			d.do("RPUSH", "zeros", "b\x00b", "b\x00a", "a\x00x", "b", "1\x00x", "")
			d.do("SORT", "zeros", "ALPHA")
			d.do("SORT", "zeros", "ALPHA", "DESC")
			d.do("SORT", "zeros", "ALPHA", "STORE", "dest")
			d.do("LRANGE", "dest", "0", "-1")
			d.do("RPUSH", "zeros2", " 5", "1\x00x", "")
			d.do("SORT", "zeros2")
			d.do("SORT", "zeros", "ALPHA", "BY", "\x00*")
			d.do("SORT", "zeros", "ALPHA", "BY", "w*\x00->f", "GET", "w*\x00->f", "GET", "*->\x00")
			d.do("RPUSH", "large", "1e5000")
			d.do("SORT", "large") // the last one: redis takes any number for too large after it, until errno changes
		})
	}
}

var sortLists = [][]Spec{SortCommands, ListCommands, SetCommands, ZSetCommands, HashCommands, StringCommands, KeyCommands,
	ExpireCommands, ObjectCommands}

func TestRandomSortOracle(t *testing.T) {
	g := newGen(t)
	d := newDuel(t, 2+g.IntN(2), sortLists...)
	for range 2500 {
		d.do(g.sortCommand()...)
		if t.Failed() {
			return
		}
	}
}

func (g commandGen) sortCommand() []string {
	element := func() string {
		if g.IntN(30) == 0 {
			return g.pick("x", "abc", "1.5", "-3", "1e2")
		}
		return strconv.Itoa(g.IntN(g.pickInt(10, 100)))
	}
	elements := func() (list []string) {
		for range 1 + g.IntN(g.pickInt(5, 20, 60)) {
			list = append(list, element())
		}
		return list
	}
	pattern := func() string {
		return g.pick("w_*", "w_*", "w_*", "h_*->f", "h_*->f", "h_*->g", "none_*", "#", "*", "w_*->f", "h_*", "nosort")
	}
	switch g.IntN(12) {
	case 0:
		return append([]string{"RPUSH", g.pick("l1", "l2")}, elements()...)
	case 1:
		return append([]string{"SADD", g.pick("s1", "s2")}, elements()...)
	case 2:
		words := []string{"ZADD", g.pick("z1", "z2")}
		for _, e := range elements() {
			words = append(words, strconv.Itoa(g.IntN(50)), e)
		}
		return words
	case 3:
		return []string{"DEL", g.pick("l1", "l2", "s1", "s2", "z1", "z2", "d1", "w_1", "h_2")}
	case 4:
		return []string{"SET", "w_" + strconv.Itoa(g.IntN(100)), g.pick(element(), "same", "7")}
	case 5:
		return []string{"HSET", "h_" + strconv.Itoa(g.IntN(100)), "f", element(), g.pick("g", "f"), element()}
	case 6:
		return []string{"LRANGE", "d1", "0", "-1"}
	}
	words := []string{g.pick("SORT", "SORT", "SORT", "SORT_RO"), g.pick("l1", "l2", "s1", "s2", "z1", "z2")}
	alpha := g.maybe(2, "ALPHA")
	var by []string
	if words[1][0] == 'l' { // of the others the order of lookups, and that of equal weights, is that of a hash table
		by = g.maybe(2, "BY", pattern())
	}
	words = append(append(words, by...), alpha...)
	words = append(words, g.maybe(3, g.pick("ASC", "DESC"))...)
	words = append(words, g.maybe(3, "LIMIT", strconv.Itoa(g.IntN(30)-3), strconv.Itoa(g.IntN(30)-3))...)
	for range g.pickInt(0, 0, 1, 2) {
		words = append(words, "GET", pattern())
	}
	if words[0] == "SORT" {
		words = append(words, g.maybe(3, "STORE", g.pick("d1", "d1", "l2"))...)
	}
	return words
}
