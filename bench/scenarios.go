package bench

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/shoaldb/shoal/bench/load"
)

// Scenario is one workload. Zero fields mean: 50 connections, values of 32 bytes, no pipeline, closed
// loop.
type Scenario struct {
	Name      string
	Words     []string // of the command; key and load.DataMark are replaced
	Mix       []string // of a second command, sent a quarter as often; nil: none
	Pipeline  int
	Conns     int
	ValueSize int
	Rate      float64  // requests a second, open loop
	Even      bool     // the second command is sent as often
	Beside    []string // what as many other connections send all the time, in a closed loop; nil: nothing

	Transaction int // so many of the command between MULTI and EXEC are one request; 0: none
	Audience    int // connections that listen to the channel that the command publishes to

	// Scenarios on collections have a title, and bring their data along: Once is sent before the first run, and what Before
	// returns before each run of the given length.
	Title  string
	Once   []feed
	Before func(run time.Duration) []feed
}

const (
	key     = "key:" + load.KeyMark // 16 bytes
	counter = "ctr:" + load.KeyMark
)

var (
	get    = []string{"GET", key}
	set    = []string{"SET", key, load.DataMark}
	incr   = []string{"INCR", counter}
	mget10 = []string{"MGET", key, key, key, key, key, key, key, key, key, key}
)

// Scenarios are all workloads that can be asked for by name.
var Scenarios = slices.Concat([]Scenario{
	{Name: "get-p1", Words: get, Pipeline: 1},
	{Name: "get-p16", Words: get, Pipeline: 16},
	{Name: "get-p100", Words: get, Pipeline: 100},
	{Name: "set-p1", Words: set, Pipeline: 1},
	{Name: "set-p16", Words: set, Pipeline: 16},
	{Name: "set-p100", Words: set, Pipeline: 100},
	{Name: "mix-p1", Words: get, Mix: set, Pipeline: 1},
	{Name: "mix-p16", Words: get, Mix: set, Pipeline: 16},
	{Name: "mix-p100", Words: get, Mix: set, Pipeline: 100},
	{Name: "incr-p16", Words: incr, Pipeline: 16},
	{Name: "mget10-p16", Words: mget10, Pipeline: 16},
	{Name: "get-1k-p1", Words: get, Pipeline: 1, ValueSize: 1024},
	{Name: "set-1k-p1", Words: set, Pipeline: 1, ValueSize: 1024},
	{Name: "get-1k-p16", Words: get, Pipeline: 16, ValueSize: 1024},
	{Name: "set-1k-p16", Words: set, Pipeline: 16, ValueSize: 1024},
	{Name: "get-single-p100", Words: get, Pipeline: 100, Conns: 1},
	{Name: "set-single-p100", Words: set, Pipeline: 100, Conns: 1},
	{Name: "set-500-p1", Words: set, Pipeline: 1, Conns: 500},
	{Name: "ping-p1", Words: []string{"PING"}, Pipeline: 1},
	{Name: "ping-p100", Words: []string{"PING"}, Pipeline: 100},
	{Name: "get-rate-50k", Words: get, Rate: 50_000},
	{Name: "mix-rate-50k", Words: get, Mix: set, Rate: 50_000},
	{Name: "get-beside-set", Words: get, Rate: 5_000, Beside: set},
}, dataTypes, programs)

// FindScenarios gives the scenarios whose names match a comma-separated list of names and patterns ("get-*").
func FindScenarios(list string) ([]Scenario, error) {
	var found []Scenario
	for pattern := range strings.SplitSeq(list, ",") {
		n := len(found)
		for _, s := range Scenarios {
			if ok, err := path.Match(pattern, s.Name); err != nil {
				return nil, fmt.Errorf("pattern %q: %w", pattern, err)
			} else if ok {
				found = append(found, s)
			}
		}
		if len(found) == n {
			return nil, fmt.Errorf("no scenario is named %q; --list shows them", pattern)
		}
	}
	return found, nil
}

// ownData tells whether the scenario needs none of the keys that are loaded for the others.
func (s *Scenario) ownData() bool { return s.Once != nil || s.Before != nil || s.Audience > 0 }

func (s *Scenario) valueSize() int {
	if s.ValueSize == 0 {
		return 32
	}
	return s.ValueSize
}

func (s *Scenario) conns() int {
	if s.Conns == 0 {
		return 50
	}
	return s.Conns
}

// workload is one run of the scenario.
func (s *Scenario) workload(d time.Duration, keys int64, seed uint64) load.Workload {
	w := load.Workload{
		Name: s.Name, Commands: []load.Command{load.Expand(s.Words, s.valueSize())}, Pipeline: s.Pipeline,
		Keys: keys, Seed: seed, Duration: d, Rate: s.Rate,
	}
	if s.Transaction > 0 {
		w.Commands[0], w.Replies = transaction(s.Words, s.valueSize(), s.Transaction)
	}
	if s.Mix != nil {
		if w.Commands[0].Weight = 4; s.Even {
			w.Commands[0].Weight = 1
		}
		w.Commands = append(w.Commands, load.Expand(s.Mix, s.valueSize()))
	}
	return w
}

// describe says in words what the scenario does.
func (s *Scenario) describe() string {
	command := s.Words[0]
	switch {
	case s.Title != "":
		command = s.Title
	case s.Mix != nil:
		command += ":" + s.Mix[0] + " 4:1"
	case command == "MGET":
		command += " of " + fmt.Sprint(len(s.Words)-1)
	}
	text := fmt.Sprintf("%s, P=%d", command, max(s.Pipeline, 1))
	if s.ValueSize != 0 {
		text += fmt.Sprintf(", %d B values", s.ValueSize)
	}
	switch s.Conns {
	case 0:
	case 1:
		text += ", one connection"
	default:
		text += fmt.Sprintf(", %d connections", s.Conns)
	}
	if s.Rate > 0 {
		text += fmt.Sprintf(", %.0f/s", s.Rate)
	}
	if s.Beside != nil {
		text += fmt.Sprintf(", beside %s of %d others", s.Beside[0], s.conns())
	}
	return text
}
