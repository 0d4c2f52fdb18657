package server

import (
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

func TestKeySizes(t *testing.T) {
	for _, args := range shapes {
		c := oracle.Shoal(t, args...).Dial(t)
		c.Do("EVAL", `for i = 1, 100 do redis.call('SET', 'k' .. i, 'xyz') end
			redis.call('SET', 'empty', '') redis.call('SET', 'long', string.rep('x', 2048)) redis.call('SET', 'n', 12345678)
			for i = 1, 1024 do redis.call('RPUSH', 'l', i) end
			redis.call('SADD', 's', 1) redis.call('SADD', 's2', 1, 2) redis.call('ZADD', 'z', 1, 1, 2, 2, 3, 3) redis.call('HSET', 'h', 1, 1)
			redis.call('XADD', 'x', '*', 'a', 'b')`, "0")
		c.Do("SELECT", "3")
		c.Do("SET", "k", "12345")
		want := map[string]string{
			"db0_distrib_strings_sizes": "0=1,2=100,8=1,2K=1", "db0_distrib_lists_items": "1K=1", "db0_distrib_sets_items": "1=1,2=1",
			"db0_distrib_zsets_items": "2=1", "db0_distrib_hashes_items": "1=1", "db3_distrib_strings_sizes": "4=1",
		}
		c.Do("MULTI")
		c.Do("INFO", "keysizes")
		for i, text := range []string{c.Do("INFO", "keysizes"), c.Do("EXEC"), bulk(t, c.Do("INFO", "keysizes", "everything"))} {
			if i == 0 { // in the transaction
				continue
			}
			n := 0
			for line := range strings.Lines(text) {
				name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
				if !strings.Contains(name, "_distrib_") {
					continue
				}
				n++
				if want[name] != value {
					t.Errorf("%s:%s, want %s", name, value, want[name])
				}
			}
			if n == 0 || n%len(want) != 0 {
				t.Errorf("%d lines of %q", n, text)
			}
		}
	}
}
