// Package oracle is the harness of the tests that need a whole server: it starts a real redis-server (the oracle: what
// it answers is right) or a shoal-server built from this tree, and speaks RESP to it without interpreting more than a
// reply's end, so that replies can be compared byte for byte.
//
//	redis := oracle.Redis(t, "--maxclients", "100")
//	shoal := oracle.Shoal(t, "--shards", "4")
//	want := redis.Dial(t).Do("SET", "k", "v", "XX")
//	got := shoal.Dial(t).Do("SET", "k", "v", "XX")
//
// Servers get a free port on 127.0.0.1, a temporary directory of their own, and are killed when the test ends, or
// when the test process dies.
//
// Environment:
//
//	CI=true        a missing redis-server fails a test instead of skipping it
//	REDIS_SERVER   the oracle's path, instead of redis-server from PATH
//	SHOAL_SERVER   a shoal-server to test, instead of one built from this tree
//	SHOAL_BUILD    flags for that build, such as "-race" or "-tags invariants"
package oracle
