package server

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
)

var infoCommands = []command.Spec{
	{Name: "INFO", Arity: -1, Flags: command.Loading | command.Stale | command.Barrier, ACL: command.ACLDangerous, Group: command.GroupServer,
		Since: "1.0.0", Complexity: "O(1)", Summary: "Describes the server's state in numbers.",
		Tips:    []string{arbitrary, "request_policy:all_shards", "response_policy:special"},
		History: []command.Change{{Since: "7.0.0", What: "Takes several sections."}},
		Args:    []command.Arg{{Name: "section", Type: command.ArgString, Optional: true, Multiple: true}}, Run: info},
}

// infoNeeds says where the figures of a section come from.
type infoNeeds uint8

const (
	fromReactors infoNeeds = 1 << iota // each reactor is asked for its clients
	fromShards                         // each shard is locked for a moment, one after the other
	fromCalls                          // each reactor is asked for its calls, too
	fromValues                         // all values are looked at, on a goroutine of its own
)

// infoSection is one section of INFO.
type infoSection struct {
	name, title string
	needs       infoNeeds
	show        infoShow
	write       func(*infoReport)
}

// infoShow says when a section is shown without being named.
type infoShow uint8

const (
	showNever infoShow = iota
	showAll
	showDefault
)

// infoSections are the sections in the order in which INFO shows them.
var infoSections = []infoSection{
	{"server", "Server", 0, showDefault, (*infoReport).server},
	{"clients", "Clients", fromReactors, showDefault, (*infoReport).clients},
	{"memory", "Memory", fromReactors | fromShards, showDefault, (*infoReport).memory},
	{"persistence", "Persistence", 0, showDefault, (*infoReport).persistence},
	{"stats", "Stats", fromReactors | fromShards, showDefault, (*infoReport).stats},
	{"replication", "Replication", 0, showDefault, (*infoReport).replication},
	{"cpu", "CPU", fromReactors, showDefault, (*infoReport).cpu},
	{"modules", "Modules", 0, showDefault, func(*infoReport) {}},
	{"commandstats", "Commandstats", fromReactors | fromCalls, showAll, (*infoReport).commandStats},
	{"errorstats", "Errorstats", 0, showDefault, (*infoReport).errorStats},
	{"latencystats", "Latencystats", fromReactors | fromCalls, showAll, (*infoReport).latencyStats},
	{"cluster", "Cluster", 0, showDefault, func(r *infoReport) { r.num("cluster_enabled", 0) }},
	{"keyspace", "Keyspace", fromShards, showDefault, (*infoReport).keyspace},
	{"keysizes", "Keysizes", fromValues, showNever, (*infoReport).keySizes},
	{"debug", "Debug", 0, showNever, (*infoReport).debug},
}

// infoChosen returns the sections that the arguments of INFO name.
func infoChosen(args [][]byte) []*infoSection {
	least := showDefault + 1
	named := map[string]bool{}
	if len(args) == 0 {
		least = showDefault
	}
	for _, a := range args {
		switch name := strings.ToLower(string(a)); name {
		case "default":
			least = min(least, showDefault)
		case "all", "everything":
			least = showAll
		case "module_list":
			named["modules"] = true
		default:
			named[name] = true
		}
	}
	var chosen []*infoSection
	for i := range infoSections {
		if s := &infoSections[i]; s.show >= least || named[s.name] {
			chosen = append(chosen, s)
		}
	}
	return chosen
}

func info(c *command.Ctx) {
	sections := infoChosen(c.Args[1:])
	needs := infoNeeds(0)
	for _, s := range sections {
		needs |= s.needs
	}
	cl := client(c)
	r := cl.reactor
	r.publishFlow()
	switch {
	case needs&fromValues != 0 && r.scripting.current == nil: // a script holds locks
		infoOfValues(cl, sections, needs)
	case needs&fromReactors == 0:
		c.Reply.Verbatim("txt", r.info(sections, needs, nil, nil))
	default:
		gather(cl, func(r *reactor) reactorFigures { return r.figures(needs) }, func(w *resp.Writer, parts []reactorFigures) {
			w.Verbatim("txt", r.info(sections, needs, parts, nil))
		})
	}
}

// infoOfValues replies to an INFO for which all values are looked at, first of all. That may take a second for some
// million keys; cl waits.
func infoOfValues(cl *Client, sections []*infoSection, needs infoNeeds) {
	r := cl.reactor
	nowMS := r.nowMS
	collect := func(r *reactor) reactorFigures { return r.figures(needs) }
	if r.alone {
		sizes := r.srv.keySizes(nowMS)
		gather(cl, collect, func(w *resp.Writer, parts []reactorFigures) { w.Verbatim("txt", r.info(sections, needs, parts, sizes)) })
		return
	}
	cl.suspend(0)
	go func() {
		sizes := r.srv.keySizes(nowMS)
		collectAll(r, collect, func(parts []reactorFigures) {
			r.finish(cl, func(w *resp.Writer) { w.Verbatim("txt", r.info(sections, needs, parts, sizes)) })
		})
	}()
}

// infoReport is a reply to INFO being written.
type infoReport struct {
	srv    *Server
	v      *config.Values
	nowMS  int64
	parts  reactorFigures // of all reactors together
	calls  [][]callStats  // of each reactor, if a section needs them
	sizes  []keySizes     // of each database, if a section needs them
	census census
	b      []byte
}

// info returns the text of sections. parts are the reactors' figures, and sizes those of all values, if needs says so.
func (home *reactor) info(sections []*infoSection, needs infoNeeds, parts []reactorFigures, sizes []keySizes) string {
	r := infoReport{srv: home.srv, v: home.srv.cfg.Load(), nowMS: home.nowMS, parts: sumFigures(parts), sizes: sizes, b: make([]byte, 0, 8<<10)}
	if needs&fromCalls != 0 {
		for i := range parts {
			r.calls = append(r.calls, parts[i].calls)
		}
	}
	if needs&fromShards != 0 {
		r.census = home.census()
	}
	for i, sec := range sections {
		if i > 0 {
			r.b = append(r.b, "\r\n"...)
		}
		r.b = append(r.b, "# "+sec.title+"\r\n"...)
		sec.write(&r)
	}
	return string(r.b)
}

// str writes a field.
func (r *infoReport) str(name, value string) {
	r.b = append(r.b, name...)
	r.b = append(r.b, ':')
	r.b = append(r.b, value...)
	r.b = append(r.b, "\r\n"...)
}

func (r *infoReport) num(name string, n int64) { r.str(name, strconv.FormatInt(n, 10)) }

// zeros writes fields of what does not exist here, which are 0.
func (r *infoReport) zeros(names ...string) {
	for _, n := range names {
		r.str(n, "0")
	}
}

// fixed writes a number with two decimals.
func (r *infoReport) fixed(name string, f float64) {
	r.str(name, strconv.FormatFloat(f, 'f', 2, 64))
}

// size writes a number of bytes twice, the second time for people.
func (r *infoReport) size(name string, n int64) {
	r.num(name, n)
	r.str(name+"_human", humanBytes(n))
}

// humanBytes writes n bytes as Redis does: in the largest unit of which there is one.
func humanBytes(n int64) string {
	if n < 1024 {
		return strconv.FormatInt(n, 10) + "B"
	}
	f := float64(n)
	unit := -1
	for f >= 1024 && unit < 4 {
		f /= 1024
		unit++
	}
	return fmt.Sprintf("%.2f%c", f, "KMGTP"[unit])
}

// ratio returns a/b, or 0 where that is no number.
func ratio(a, b int64) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}
