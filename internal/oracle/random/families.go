package random

import "strings"

// family is a set of commands that are drawn together, weight times as often as one of weight 1.
type family struct {
	name      string
	weight    int
	templates []string
}

var families = []family{
	{"string", 10, []string{
		"SET <key> <value> [NX|XX] [GET] [EX <sec>|PX <ms>|EXAT <future>|PXAT <futurems>|KEEPTTL]",
		"SET <plain> <value> (EXAT <past>|PXAT <past>|EX <badtime>|PX <badtime>|EXAT <badtime>) [GET]",
		"SET <key> <value>",
		"SET <nkey> <number>",
		"GET <key>",
		"GET <key>",
		"GETSET <key> <value>",
		"GETDEL <key>",
		"GETEX <key> [EX <sec>|PX <ms>|EXAT <future>|PXAT <futurems>|PERSIST|EXAT <past>|EX <badtime>]",
		"SETNX <key> <value>",
		"SETEX <key> (<sec>|<sec>|<badtime>) <value>",
		"PSETEX <key> (<ms>|<ms>|<badtime>) <value>",
		"MSET (<key> <value>)+",
		"MSETNX (<key> <value>)+",
		"MGET (<key>)+",
		"APPEND <key> <value>",
		"STRLEN <key>",
		"(INCR|DECR) <nkey>",
		"(INCRBY|DECRBY) <nkey> <int>",
		"INCRBYFLOAT <nkey> <float>",
		"(GETRANGE|SUBSTR) <key> <index> <index>",
		"SETRANGE <key> <offset> <value>",
		"MSET <lkey> <text> <lkey> <text>",
		"APPEND <lkey> <text>",
		"LCS <lkey> <lkey> [LEN] [IDX] [MINMATCHLEN <small>] [WITHMATCHLEN]",
	}},
	{"bitmap", 5, []string{
		"SETBIT <key> <bitpos> <bit>",
		"GETBIT <key> <bitpos>",
		"BITCOUNT <key> [<index> <index> [BIT|BYTE]]",
		"BITPOS <key> <bit> [<index> [<index> [BIT|BYTE]]]",
		"BITOP (AND|OR|XOR) <key> (<key>)+",
		"BITOP NOT <key> <key>",
		"BITFIELD <key> (GET <bittype> <bitoff>|SET <bittype> <bitoff> <number>|INCRBY <bittype> <bitoff> <number>|OVERFLOW (WRAP|SAT|FAIL))+",
		"BITFIELD_RO <key> (GET <bittype> <bitoff>)+",
	}},
	{"keys", 5, []string{
		"(DEL|UNLINK) (<key>)+",
		"(EXISTS|TOUCH) (<key>)+",
		"TYPE <key>",
		"RENAME <key> <key>",
		"RENAMENX <key> <key>",
		"COPY <key> <key> [DB <db>] [REPLACE]",
		"MOVE <key> <db>",
		"KEYS <pattern>",
		"RANDOMKEY",
		"SCAN 0 COUNT <count> [MATCH <pattern>] [TYPE <type>]",
		"EXISTS " + strings.Join(plainKeys, " ") + " ; DBSIZE", // DBSIZE counts expired keys until somebody looks at them
		"OBJECT (ENCODING|REFCOUNT|IDLETIME|FREQ) <key>",
	}},
	{"expire", 5, []string{
		"EXPIRE <key> <sec> [NX|XX|GT|LT]",
		"PEXPIRE <key> <ms> [NX|XX|GT|LT]",
		"EXPIREAT <key> <future> [NX|XX|GT|LT]",
		"PEXPIREAT <key> <futurems> [NX|XX|GT|LT]",
		"EXPIREAT <key> <future> [NX|XX] [GT|LT]",
		"(EXPIREAT|PEXPIREAT) <key> <past>",
		"(EXPIRE|PEXPIRE|EXPIREAT|PEXPIREAT) <key> <badtime>",
		"(TTL|PTTL|EXPIRETIME|PEXPIRETIME) <key>",
		"(TTL|PTTL|EXPIRETIME|PEXPIRETIME) <key>",
		"PERSIST <key>",
	}},
	{"set", 8, []string{
		"SADD <skey> (<smember>)+",
		"SADD <skey> (<smember>)+ (<smember>)+",
		"SADD <skey> (<small>)+",
		"CONFIG SET set-max-intset-entries <small> ; SADD <skey> (<small>)+ ; CONFIG SET set-max-intset-entries 512",
		"SREM <skey> (<smember>)+",
		"SREM <skey> (<small>)+",
		"SMOVE <skey> <skey> <smember>",
		"(SISMEMBER|SMISMEMBER) <skey> <smember>",
		"SMISMEMBER <skey> (<smember>)+",
		"(SCARD|SMEMBERS|SMEMBERS) <skey>",
		"(SINTER|SUNION|SDIFF) (<skey>)+",
		"(SINTERSTORE|SUNIONSTORE|SDIFFSTORE) <skey> (<skey>)+",
		"SINTERCARD 2 <skey> <skey> [LIMIT <small>]",
		"SRANDMEMBER <skey> [<small>|-3|100]",
		"SPOP <skey> 100000 ; SMEMBERS <skey>", // what a smaller count leaves is random; and nothing damages two commands
		"SSCAN <skey> 0 COUNT <count> [MATCH <pattern>]",
		"(DEL|UNLINK|PERSIST) <skey>",
		"(COPY|RENAME) <skey> <skey>",
		"COPY <skey> <skey> REPLACE",
		"EXPIRE <skey> <sec>",
		"OBJECT ENCODING <skey>",
	}},
	{"zset", 8, []string{
		"ZADD <zkey> (<score> <smember>)+",
		"ZADD <zkey> (<score> <smember>)+ (<score> <smember>)+",
		"ZADD <zkey> [NX|XX] [GT|LT] [CH] (<score> <smember>)+",
		"ZADD <zkey> [NX|XX|GT|LT] INCR <score> <smember>",
		"ZADD <zkey> (<small> <small>)+",
		"CONFIG SET zset-max-listpack-entries <small> ; ZADD <zkey> (<score> <smember>)+ ; CONFIG SET zset-max-listpack-entries 128",
		"CONFIG SET zset-max-listpack-value <small> ; ZADD <zkey> <score> <value> ; CONFIG SET zset-max-listpack-value 64",
		"ZINCRBY <zkey> <score> <smember>",
		"ZREM <zkey> (<smember>)+",
		"(ZCARD|ZCARD|TYPE) <zkey>",
		"ZSCORE <zkey> <smember>",
		"ZMSCORE <zkey> (<smember>)+",
		"(ZRANK|ZREVRANK) <zkey> <smember> ; ZCARD <zkey>", // an argument more has a meaning to Redis 7.2
		"ZRANGE <zkey> <index> <index> [REV] [WITHSCORES]",
		"ZRANGE <zkey> 0 -1 WITHSCORES",
		"ZRANGE <zkey> <scorebound> <scorebound> BYSCORE [REV] [LIMIT <small> <small>] [WITHSCORES]",
		"(ZRANGEBYSCORE|ZREVRANGEBYSCORE) <zkey> <scorebound> <scorebound> [WITHSCORES] [LIMIT <small> <small>]",
		"(ZREVRANGE) <zkey> <index> <index> [WITHSCORES]",
		"ZCOUNT <zkey> <scorebound> <scorebound>",
		"ZRANGESTORE <zkey> <zkey> <index> <index> [REV]",
		"ZRANGESTORE <zkey> <zkey> <scorebound> <scorebound> BYSCORE [REV] [LIMIT <small> <small>]",
		"ZREMRANGEBYRANK <zkey> <index> <index>",
		"ZREMRANGEBYSCORE <zkey> <scorebound> <scorebound>",
		"ZADD <lexkey> (0 <lexmember>)+ (0 <lexmember>)+",
		"ZRANGE <lexkey> <lexbound> <lexbound> BYLEX [REV] [LIMIT <small> <small>]",
		"(ZRANGEBYLEX|ZREVRANGEBYLEX) <lexkey> <lexbound> <lexbound> [LIMIT <small> <small>]",
		"(ZLEXCOUNT|ZREMRANGEBYLEX) <lexkey> <lexbound> <lexbound>",
		"(ZPOPMIN|ZPOPMAX) <zkey> [<small>]",
		"ZMPOP 2 <zkey> <zkey> (MIN|MAX) [COUNT <small>]",
		"ZRANDMEMBER <zkey> [<small>|-3|100] [WITHSCORES]",
		"ZSCAN <zkey> 0 COUNT <count> [MATCH <pattern>]",
		"(ZUNION|ZINTER) 2 <zkey> <zkey> [WEIGHTS <score> <score>] [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]",
		"ZUNION 4 <zkey> <zkey> <skey> <zkey> [AGGREGATE (SUM|MIN|MAX)] [WITHSCORES]",
		"ZINTER 2 <zkey> <skey> [WEIGHTS <score> <score>] [WITHSCORES]",
		"ZDIFF 2 <zkey> (<zkey>|<skey>) [WITHSCORES]",
		"ZINTERCARD 2 <zkey> <zkey> [LIMIT <small>]",
		"(ZUNIONSTORE|ZINTERSTORE) <zkey> 2 <zkey> <zkey> [WEIGHTS <score> <score>] [AGGREGATE (SUM|MIN|MAX)]",
		"ZUNIONSTORE <zkey> 1 <zkey>",
		"ZDIFFSTORE <zkey> 2 <zkey> <zkey>",
		"(DEL|UNLINK|PERSIST) <zkey>",
		"(COPY|RENAME) <zkey> <zkey>",
		"COPY <zkey> <zkey> REPLACE",
		"EXPIRE <zkey> <sec>",
		"OBJECT ENCODING <zkey>",
	}},
	{"hash", 8, []string{
		"HSET <hkey> (<field> <value>)+",
		"HSET <hkey> (<field> <value>)+ (<field> <value>)+",
		"HMSET <hkey> (<field> <number>)+",
		"CONFIG SET hash-max-listpack-entries <small> ; HSET <hkey> (<field> <value>)+ ; CONFIG SET hash-max-listpack-entries 512",
		"CONFIG SET hash-max-listpack-value <small> ; HSETNX <hkey> <field> <value> ; CONFIG SET hash-max-listpack-value 64",
		"HSETNX <hkey> <field> <value>",
		"HDEL <hkey> (<field>)+",
		"(HGET|HEXISTS|HSTRLEN) <hkey> <field>",
		"HMGET <hkey> (<field>)+",
		"(HLEN|HGETALL|HGETALL|HKEYS|HVALS) <hkey>",
		"HINCRBY <hkey> <field> <int>",
		"HINCRBYFLOAT <hkey> <field> <float>",
		"HRANDFIELD <hkey> [<small>|-3|100] [WITHVALUES]",
		"HSCAN <hkey> 0 COUNT <count> [MATCH <pattern>]",
		"(DEL|UNLINK|PERSIST) <hkey>",
		"(COPY|RENAME) <hkey> <hkey>",
		"COPY <hkey> <hkey> REPLACE",
		"EXPIRE <hkey> <sec>",
		"OBJECT ENCODING <hkey>",
	}},
	{"databases", 1, []string{
		"SELECT <db>",
		"SELECT <db>",
		"SELECT <db>",
		"SELECT <db>",
		"SWAPDB <db> <db>",
		"FLUSHDB [SYNC|ASYNC]",
	}},
	{"connection", 1, []string{
		"PING [<value>]",
		"ECHO <value>",
		"nosuch <value>",
		"CLIENT GETNAME",
		"CLIENT SETNAME (<key>|<value>)",
		"CONFIG GET (maxmemory|databases|nosuch|hash-max-listpack-value)",
		"COMMAND GETKEYS MSET (<key> <value>)+",
	}},
}

// parsed is a family with its templates as trees.
type parsed struct {
	weight int
	nodes  []node
}

func parseFamilies() (all []parsed, weights int) {
	for _, f := range families {
		p := parsed{weight: f.weight}
		for _, t := range f.templates {
			p.nodes = append(p.nodes, parse(t))
		}
		all = append(all, p)
		weights += f.weight
	}
	return all, weights
}
