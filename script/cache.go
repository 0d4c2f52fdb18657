package script

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shoaldb/shoal/command"
)

// maxEvalScripts is how many scripts are kept that have only come with EVAL; then those not used for longest go. Redis keeps
// all of them, newer versions 500.
const maxEvalScripts = 500

// maxScriptBytes is how long a script may be. The parser takes some hundred times as much memory for the worst of them.
const maxScriptBytes = 4 << 20

// Cache holds the scripts of a server.
type Cache struct {
	table *command.Table

	mu      sync.Mutex
	scripts map[string]*Script
	evals   []*Script // those not loaded by SCRIPT LOAD, in no order
	clock   int64
	bytes   int64

	used    atomic.Bool
	version atomic.Uint64 // changes when scripts go
	evicted atomic.Int64
}

// NewCache makes an empty cache; scripts call commands of table.
func NewCache(table *command.Table) *Cache {
	return &Cache{table: table, scripts: map[string]*Script{}}
}

// Version changes when scripts are flushed or evicted: copies of the cache are then out of date.
func (c *Cache) Version() uint64 { return c.version.Load() }

// Get returns the script with a SHA1 in lower case, or nil.
func (c *Cache) Get(sha string) *Script {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.scripts[sha]
	if s != nil {
		c.touch(s)
	}
	return s
}

func (c *Cache) touch(s *Script) {
	c.clock++
	s.used = c.clock
}

// Add returns the script with this body, compiled if it is new. loaded tells that it came with SCRIPT LOAD.
func (c *Cache) Add(body string, loaded bool) (*Script, error) {
	sha := SHA1([]byte(body))
	c.used.Store(true)
	s := c.Get(sha)
	if s == nil {
		var err error
		if s, err = compileScript(body, sha, c.table); err != nil {
			return nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if had := c.scripts[sha]; had != nil {
		s = had
	} else {
		c.insert(s)
	}
	if loaded && !s.loaded {
		s.loaded = true
		i := slices.Index(c.evals, s)
		c.evals = slices.Delete(c.evals, i, i+1)
	}
	return s, nil
}

func (c *Cache) insert(s *Script) {
	c.scripts[s.SHA] = s
	c.evals = append(c.evals, s)
	c.bytes += s.bytes()
	c.touch(s)
	if len(c.evals) <= maxEvalScripts {
		return
	}
	at := 0
	for i, e := range c.evals {
		if e.used < c.evals[at].used {
			at = i
		}
	}
	old := c.evals[at]
	c.evals = slices.Delete(c.evals, at, at+1)
	delete(c.scripts, old.SHA)
	c.bytes -= old.bytes()
	c.evicted.Add(1)
	c.version.Add(1)
}

// bytes returns about what s takes: its text and several times that for what it is compiled to.
func (s *Script) bytes() int64 { return int64(5*len(s.Body)) + 500 }

// Used tells whether there have ever been scripts.
func (c *Cache) Used() bool { return c.used.Load() }

// Flush forgets all scripts.
func (c *Cache) Flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.scripts, c.evals, c.bytes = map[string]*Script{}, nil, 0
	c.version.Add(1)
}

// Stats tells how many scripts there are, about how many bytes they take, and how many have been evicted.
func (c *Cache) Stats() (n int, bytes, evicted int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.scripts), c.bytes, c.evicted.Load()
}
