package server

import (
	"runtime"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/script"
)

// memoryFigures are what INFO memory and MEMORY STATS are about, in bytes.
type memoryFigures struct {
	used     int64 // data set, its indexes and clients
	peak     int64
	clients  int64
	overhead int64 // of used: what is neither key nor value
	heap     alloc.HeapStats
	// allocated are live blocks, active the pages that hold them, resident what the allocator has of the system.
	allocated, active, resident int64
	rss                         int64
	keys                        int64
}

// startupBytes is what used_memory was when the server had started: arenas hold nothing before the first write.
const startupBytes = 0

// memory puts the figures together.
func (s *Server) memory(c *census) memoryFigures {
	h := s.ks.Heap().Stats()
	m := memoryFigures{heap: h, clients: s.maxMemory.clients.Load(), rss: residentBytes(), keys: c.keys()}
	m.allocated = int64(c.arena.Allocated+s.ks.RetiredBytes()) + int64(h.Large)
	m.active = int64(h.InUse + h.Large)
	m.resident = int64(h.Resident)
	m.used = m.allocated + m.clients
	m.overhead = startupBytes + int64(c.arena.Tables) + c.indexBytes() + m.clients
	m.peak = s.rates.reached(m.used)
	return m
}

// reached notes the use of memory and returns the highest one so far.
func (x *rates) reached(used int64) int64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.peak = max(x.peak, used)
	return x.peak
}

// dataset returns what keys and values take.
func (m *memoryFigures) dataset() int64 { return m.used - m.overhead }

func (r *infoReport) memory() {
	m := r.srv.memory(&r.census)
	r.size("used_memory", m.used)
	r.size("used_memory_rss", m.rss)
	r.size("used_memory_peak", m.peak)
	r.percent("used_memory_peak_perc", ratio(m.used, m.peak))
	r.num("used_memory_overhead", m.overhead)
	r.num("used_memory_startup", startupBytes)
	r.num("used_memory_dataset", m.dataset())
	r.percent("used_memory_dataset_perc", ratio(m.dataset(), m.used-startupBytes))
	r.num("allocator_allocated", m.allocated)
	r.num("allocator_active", m.active)
	r.num("allocator_resident", m.resident)
	r.size("total_system_memory", systemMemory())
	r.scriptMemory()
	r.size("maxmemory", r.v.MaxMemory)
	r.str("maxmemory_policy", r.v.MaxMemoryPolicy.String())
	r.fixed("allocator_frag_ratio", ratio(m.active, m.allocated))
	r.num("allocator_frag_bytes", m.active-m.allocated)
	r.fixed("allocator_rss_ratio", ratio(m.resident, m.active))
	r.num("allocator_rss_bytes", m.resident-m.active)
	r.fixed("rss_overhead_ratio", ratio(m.rss, m.resident))
	r.num("rss_overhead_bytes", m.rss-m.resident)
	r.fixed("mem_fragmentation_ratio", ratio(m.rss, m.used))
	r.num("mem_fragmentation_bytes", m.rss-m.used)
	r.zeros("mem_not_counted_for_evict", "mem_replication_backlog", "mem_total_replication_buffers", "mem_clients_slaves")
	r.num("mem_clients_normal", m.clients)
	r.zeros("mem_cluster_links", "mem_aof_buffer")
	r.str("mem_allocator", "shoal-arena")
	r.num("active_defrag_running", 0)
	r.num("lazyfree_pending_objects", int64(r.census.pending))
	r.num("lazyfreed_objects", r.census.stats.FreedLater)
	g := readGoMemory()
	r.num("go_heap_bytes", g.heapBytes)
	r.num("go_memory_bytes", g.totalBytes)
	r.num("go_gc_cycles", g.gcCycles)
	r.num("go_goroutines", int64(runtime.NumGoroutine()))
}

// scriptMemory writes what scripts and functions take. What their states take is part of the Go heap: that of states which have
// not run anything is told.
func (r *infoReport) scriptMemory() {
	eval := r.srv.running.states[ofScripts].Load() * script.StateBytes
	call := r.srv.running.states[ofFunctions].Load() * script.StateBytes
	n, scripts, _ := r.srv.scripts.Stats()
	set := r.srv.libraries.set.Load()
	libraries, functions := set.Count()
	one := min(eval, script.StateBytes) // of a state, as Redis has one
	r.num("used_memory_lua", one)
	r.num("used_memory_vm_eval", eval)
	r.str("used_memory_lua_human", humanBytes(one))
	r.num("used_memory_scripts_eval", scripts)
	r.num("number_of_cached_scripts", int64(n))
	r.num("number_of_functions", int64(functions))
	r.num("number_of_libraries", int64(libraries))
	r.num("used_memory_vm_functions", call)
	r.size("used_memory_vm_total", eval+call)
	r.num("used_memory_functions", set.Bytes())
	r.size("used_memory_scripts", scripts+set.Bytes())
}

func (r *infoReport) percent(name string, part float64) {
	r.fixed(name, part*100)
	r.b = append(r.b[:len(r.b)-2], "%\r\n"...)
}
