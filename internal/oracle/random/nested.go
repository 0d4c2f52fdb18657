package random

import (
	"strconv"
	"strings"
	"sync"
)

// Commands that hold other commands.

var innerFamilies = sync.OnceValues(func() ([]parsed, int) { return parseFamilies(true) })

// inner makes a command, or a few that belong together, to be put into others.
func (g *Gen) inner() Op {
	all, weights := innerFamilies()
	return g.op(all, weights)
}

// anyCommand stands for a random command.
type anyCommand struct{}

func (anyCommand) expand(g *Gen, words []string) []string {
	for i, command := range g.inner().Commands {
		if i > 0 {
			words = append(words, separator)
		}
		words = append(words, command...)
	}
	return words
}

// anyScript stands for EVAL of a script that runs random commands.
type anyScript struct{}

func (anyScript) expand(g *Gen, words []string) []string {
	var commands [][]string
	for len(commands) < 1+g.IntN(4) {
		for _, args := range g.inner().Commands {
			if tolerance[toleranceName(args)] == nil { // a difference that is tolerated in a reply is not in what a script makes of it
				commands = append(commands, args)
			}
		}
	}
	var argv []string
	var script strings.Builder
	if g.IntN(8) == 0 {
		script.WriteString("redis.setresp(3) ")
	}
	script.WriteString("local r = {} ")
	for _, args := range commands {
		from := len(argv) + 1
		argv = append(argv, args...)
		call := "unpack(ARGV, " + strconv.Itoa(from) + ", " + strconv.Itoa(len(argv)) + ")"
		switch g.IntN(8) {
		case 0:
			script.WriteString("r[#r+1] = redis.call(" + call + ") ")
		case 1:
			script.WriteString("local ok, e = pcall(redis.call, " + call + ") r[#r+1] = ok and e or (type(e) == 'table' and e.err or tostring(e)) ")
		case 2:
			script.WriteString("local v = redis.pcall(" + call + ") r[#r+1] = type(v) r[#r+1] = tostring(type(v) ~= 'table' and v) ")
		case 3:
			script.WriteString("local v = redis.pcall(" + call + ") r[#r+1] = type(v) == 'table' and (v.err or v.ok or #v) or v ")
		default:
			script.WriteString("r[#r+1] = redis.pcall(" + call + ") ")
		}
	}
	script.WriteString(one("return r", "return r", "return r", "return r[1]", "return r[#r]", "return #r", "return {r, KEYS}")(g))
	name := one("EVAL", "EVAL", "EVAL", "EVAL_RO")(g)
	keys := g.IntN(3)
	words = append(words, name, script.String(), strconv.Itoa(keys))
	for range keys {
		words = append(words, plainKeys[g.IntN(len(plainKeys))])
	}
	return append(words, argv...)
}

// conversions are scripts whose results have types of their own.
var conversions = []string{
	"return {1, 1.9, -1.9, '1.9', true, false, 'x'}",
	"return {1, 2, nil, 4}",
	"return {ok='fine'}",
	"return {err='MINE is wrong'}",
	"return {err='no code'}",
	"return redis.error_reply('MINE too')",
	"return redis.error_reply('-MINE too')",
	"return redis.status_reply('fine')",
	"return {double=3.14}",
	"return {map={a=1}}",
	"redis.setresp(3) return {double=3.25}",
	"redis.setresp(3) return {map={a=1}}",
	"redis.setresp(3) return {set={a=true}}",
	"redis.setresp(3) return {big_number='123'}",
	"redis.setresp(3) return {verbatim_string={format='txt', string='x'}}",
	"return {{}, {{}}, {'a', {1, {2}}}}",
	"return 2^53",
	"return -2^53 - 1.5",
	"return 1/0",
	"return 0/0",
	"return nil",
	"return",
	"",
	"return KEYS",
	"return ARGV",
	"return {KEYS[1], ARGV[1], #KEYS, #ARGV}",
	"return tonumber(ARGV[2])",
	"return tostring(tonumber(ARGV[2]))",
	"return type(redis.call('get', 'nosuchkey'))",
	"return redis.sha1hex(ARGV[1] or '')",
	"return cjson.encode({1, 'a', {x=1.5}})",
	"return cjson.encode(cjson.decode('[1,2.5,\"x\",null,{\"a\":[]}]'))",
	"return #cmsgpack.pack(ARGV)",
	"return cmsgpack.unpack(cmsgpack.pack(ARGV))",
	"return {bit.band(0xff, 0x0f), bit.tohex(-1)}",
	"return #struct.pack('>I4', 77)",
	"error('mine')",
	"error({err='MINE table'})",
	"return nosuch",
	"return x.y",
	"return redis.call()",
	"return redis.call('nosuch')",
	"return redis.call('get')",
	"return redis.call('get', {})",
	"return redis.call('get', nil)",
	"return redis.call('set', 'num', 1.5) and redis.call('get', 'num')",
	"return redis.call('multi')",
	"return redis.call('subscribe', 'x')",
	"return redis.pcall('eval', 'return 1', 0)",
	"return string.format('%s %d %5.2f', 'a', 7, 1.005)",
	"return select('#', unpack(ARGV))",
	"return )",
	"local x = 1; x()",
	"x = 1",
	"return redis.REPL_ALL",
	"return redis.log(redis.LOG_DEBUG, 'x')",
	"redis.call('set', 'a', 1) error('after a write')",
	"return table.concat(ARGV, ',')",
	"return string.rep('x', 100)",
	"return math.max(1, 5, 3) .. ''",
	"return (string.gsub('hello world', 'o', '0'))",
	"local t = {} for w in string.gmatch('one two', '%a+') do t[#t+1] = w end return t",
	"return pcall(error, 'x')",
	"return {pcall(function() return redis.call('incr', 'a') end)}",
	"return redis.call('ping').ok",
	"return os.time and 1",
	"return loadstring('return 1+1')()",
}
