package server

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/shoaldb/shoal/acl"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/server/latency"
)

// What INFO shows goes on changing while it is read, on all reactors. Who sees something counted may act on that: so it is
// there already. Who changes something writes what it is before the count, when it comes and when it goes; who reports it reads
// the count first. (A client is in its queues before it counts as blocked, and has left them before it does not any
// more.) What a client's own commands did is counted before their replies are sent.

// sum adds up one of the reactors' counters.
func (s *Server) sum(value func(*counters) int64) (n int64) {
	for _, r := range s.reactors {
		n += value(&r.stats)
	}
	return n
}

func (r *infoReport) clients() {
	s := r.srv
	r.num("connected_clients", s.clients.Load())
	r.num("cluster_connections", 0)
	r.num("maxclients", int64(r.v.MaxClients))
	r.num("client_recent_max_input_buffer", int64(r.parts.maxInput))
	r.num("client_recent_max_output_buffer", int64(r.parts.maxOutput))
	r.num("blocked_clients", s.sum(func(c *counters) int64 { return c.blocked.Load() }))
	r.num("tracking_clients", s.trackers.clients.Load())
	r.num("clients_in_timeout_table", s.sum(func(c *counters) int64 { return c.timers.Load() }))
	keys, lost := s.ks.WaitedFor()
	r.num("total_blocking_keys", keys)
	r.num("total_blocking_keys_on_nokey", lost)
}

// persistence reads the count of saves first, then whether there is one, then how the last one ended, as others go on
// meanwhile and write these the other way round: whoever sees a save counted sees it in progress, or its outcome.
func (r *infoReport) persistence() {
	s, x := r.srv, &r.srv.saving
	var keys, total, peak int64
	saves, sn := x.saves.Load(), x.current.Load()
	if sn != nil {
		keys, total, peak = sn.Progress()
	}
	r.flag("loading", s.loading.active.Load())
	r.zeros("async_loading")
	r.num("current_cow_peak", peak)
	r.num("current_cow_size", peak)
	r.zeros("current_cow_size_age")
	r.fixed("current_fork_perc", 100*ratio(keys, total))
	r.num("current_save_keys_processed", keys)
	r.num("current_save_keys_total", total)
	if sn != nil {
		r.num("current_save_eta_seconds", saveETA(sn))
	}
	dumping, tookSec := sn != nil && !sn.ForAOF(), int64(-1)
	if dumping {
		tookSec = int64(time.Since(sn.Began()) / time.Second)
	}
	r.num("rdb_changes_since_last_save", s.changes())
	r.flag("rdb_bgsave_in_progress", dumping)
	r.num("rdb_last_save_time", x.lastSec.Load())
	r.status("rdb_last_bgsave_status", !x.failed.Load())
	r.num("rdb_last_bgsave_time_sec", x.lastTookSec.Load())
	r.num("rdb_current_bgsave_time_sec", tookSec)
	r.num("rdb_saves", saves)
	r.num("rdb_last_cow_size", x.lastPeak.Load())
	r.num("rdb_last_load_keys_expired", s.loading.keysExpired.Load())
	r.num("rdb_last_load_keys_loaded", s.loading.keysLoaded.Load())
	r.aofInfo()
	r.zeros("module_fork_in_progress", "module_fork_last_cow_size")
	r.aofSizes()
	if s.loading.active.Load() {
		r.loadingInfo()
	}
}

func (r *infoReport) flag(name string, on bool) {
	if on {
		r.num(name, 1)
		return
	}
	r.num(name, 0)
}

func (r *infoReport) status(name string, ok bool) {
	if ok {
		r.str(name, "ok")
		return
	}
	r.str(name, "err")
}

func (r *infoReport) stats() {
	s := r.srv
	all, rate := s.totals(), s.instantaneous()
	r.num("total_connections_received", s.connections.Load())
	r.num("total_commands_processed", all.commands)
	r.num("instantaneous_ops_per_sec", rate.commands)
	r.num("total_net_input_bytes", all.netIn)
	r.num("total_net_output_bytes", all.netOut)
	r.zeros("total_net_repl_input_bytes", "total_net_repl_output_bytes")
	r.fixed("instantaneous_input_kbps", float64(rate.netIn)/1024)
	r.fixed("instantaneous_output_kbps", float64(rate.netOut)/1024)
	r.fixed("instantaneous_input_repl_kbps", 0)
	r.fixed("instantaneous_output_repl_kbps", 0)
	r.num("rejected_connections", s.rejectedConns.Load())
	r.num("tls_failed_handshakes", s.tlsFailures.Load())
	r.zeros("sync_full", "sync_partial_ok", "sync_partial_err")
	r.expiry()
	r.num("evicted_keys", r.census.stats.Evicted)
	r.num("evicted_clients", s.clientMemory.evicted.Load())
	_, _, evictedScripts := s.scripts.Stats()
	r.num("evicted_scripts", evictedScripts)
	r.num("total_eviction_exceeded_time", r.srv.maxMemory.totalNS.Load()/1e6)
	r.num("current_eviction_exceeded_time", r.srv.maxMemory.exceededMS())
	r.evictionWaits(&r.parts.evictions)
	r.num("keyspace_hits", r.census.stats.Hits)
	r.num("keyspace_misses", r.census.stats.Misses)
	r.num("pubsub_channels", s.pubsub.channels.count.Load())
	r.num("pubsub_patterns", s.pubsub.patterns.table.count.Load())
	r.num("pubsubshard_channels", s.pubsub.shards.count.Load())
	r.zeros("latest_fork_usec")
	r.num("total_forks", s.saving.cuts.Load())
	r.num("migrate_cached_sockets", int64(s.migrations.count()))
	r.zeros("slave_expires_tracked_keys", "active_defrag_hits", "active_defrag_misses",
		"active_defrag_key_hits", "active_defrag_key_misses", "total_active_defrag_time", "current_active_defrag_time")
	r.num("tracking_total_keys", s.trackers.keys.Load())
	r.num("tracking_total_items", s.trackers.items.Load())
	r.num("tracking_total_prefixes", s.trackers.prefixCount())
	r.num("unexpected_error_replies", s.loading.errors.Load())
	r.num("total_error_replies", s.errorStats.sum())
	r.num("dump_payload_sanitizations", s.sanitizations.Load())
	r.num("total_reads_processed", s.sum(func(c *counters) int64 { return c.reads.Load() }))
	r.num("total_writes_processed", s.sum(func(c *counters) int64 { return c.writes.Load() }))
	r.zeros("io_threaded_reads_processed", "io_threaded_writes_processed")
	r.num("client_query_buffer_limit_disconnections", s.queryBufferDrops.Load())
	r.num("client_output_buffer_limit_disconnections", s.outputDrops.Load())
	r.zeros("reply_buffer_shrinks", "reply_buffer_expands")
	r.eventLoop(rate)
	r.num("acl_access_denied_auth", s.denied[acl.DeniedAuth].Load())
	r.num("acl_access_denied_cmd", s.denied[acl.DeniedCommand].Load())
	r.num("acl_access_denied_key", s.denied[acl.DeniedKey].Load())
	r.num("acl_access_denied_channel", s.denied[acl.DeniedChannel].Load())
}

// expiry writes how many keys have expired, and how late they were deleted.
func (r *infoReport) expiry() {
	s, st := r.srv, &r.census.stats
	r.num("expired_keys", st.Expired)
	r.fixed("expired_stale_perc", 0)
	r.num("expired_time_cap_reached_count", s.sum(func(c *counters) int64 { return c.expireCapped.Load() }))
	r.num("expire_cycle_cpu_milliseconds", s.sum(func(c *counters) int64 { return c.expireNanos.Load() })/1e6)
	r.num("expire_lag_p50_ms", lagMS(&st.ExpireLag, 0.5))
	r.num("expire_lag_p99_ms", lagMS(&st.ExpireLag, 0.99))
	r.num("expire_stale_records", st.ExpiredStale)
}

// evictionWaits writes how long commands waited for eviction, off by an eighth at most.
func (r *infoReport) evictionWaits(c *latency.Counts) {
	r.num("eviction_waits", c.Total())
	r.num("eviction_wait_p50_usec", c.Percentile(50)/1000)
	r.num("eviction_wait_p99_usec", c.Percentile(99)/1000)
	r.num("eviction_wait_p999_usec", c.Percentile(99.9)/1000)
	r.num("eviction_wait_max_usec", c.Percentile(100)/1000)
}

// eventLoop writes what the turns of the reactors took, up to the end of each turn's last command.
func (r *infoReport) eventLoop(rate totals) {
	s := r.srv
	r.num("eventloop_cycles", s.sum(func(c *counters) int64 { return c.turns.Load() }))
	r.num("eventloop_duration_sum", s.sum(func(c *counters) int64 { return c.turnNanos.Load() })/1000)
	r.num("eventloop_duration_cmd_sum", r.parts.callNanos/1000)
	r.num("instantaneous_eventloop_cycles_per_sec", rate.turns)
	r.num("instantaneous_eventloop_duration_usec", int64(ratio(rate.turnNanos, rate.turns))/1000)
}

// debug writes the section that is only shown by name.
func (r *infoReport) debug() {
	longest, most := int64(0), int64(0)
	for _, re := range r.srv.reactors {
		longest = max(longest, re.stats.longestTurn.Load())
		most = max(most, re.stats.mostCommands.Load())
	}
	r.num("eventloop_duration_aof_sum", 0)
	r.num("eventloop_duration_cron_sum", r.srv.sum(func(c *counters) int64 { return c.cronNanos.Load() })/1000)
	r.num("eventloop_duration_max", longest/1000)
	r.num("eventloop_cmd_per_cycle_max", most)
}

const noReplID = "0000000000000000000000000000000000000000"

func (r *infoReport) replication() {
	r.str("role", "master")
	r.num("connected_slaves", 0)
	r.str("master_failover_state", "no-failover")
	r.str("master_replid", r.srv.replicationID())
	r.str("master_replid2", noReplID)
	r.num("master_repl_offset", 0)
	r.num("second_repl_offset", -1)
	r.num("repl_backlog_active", 0)
	r.num("repl_backlog_size", r.v.ReplBacklogSize)
	r.zeros("repl_backlog_first_byte_offset", "repl_backlog_histlen")
}

// replicationID returns the name of the data set's history, 40 hexadecimal digits.
func (s *Server) replicationID() string {
	if id := s.observed.replID.Load(); id != nil {
		return *id
	}
	s.changeReplicationID()
	return *s.observed.replID.Load()
}

// changeReplicationID gives the data set's history a new name.
func (s *Server) changeReplicationID() {
	id := runID()
	s.observed.replID.Store(&id)
}

func (r *infoReport) commandStats() {
	for _, spec := range r.srv.table.Specs() {
		r.commandStat(spec)
		for i := range spec.Subcommands {
			r.commandStat(&spec.Subcommands[i])
		}
	}
}

func (r *infoReport) commandStat(spec *command.Spec) {
	var sum callStats
	for _, calls := range r.calls {
		c := &calls[spec.Index()]
		sum.calls += c.calls
		sum.nanos += c.nanos
		sum.rejected += c.rejected
		sum.failed += c.failed
	}
	if sum.calls+sum.rejected+sum.failed == 0 {
		return
	}
	r.str("cmdstat_"+spec.FullName(), fmt.Sprintf("calls=%d,usec=%d,usec_per_call=%.2f,rejected_calls=%d,failed_calls=%d",
		sum.calls, sum.nanos/1000, ratio(sum.nanos, sum.calls)/1000, sum.rejected, sum.failed))
}

func (r *infoReport) latencyStats() {
	if !r.v.LatencyTracking {
		return
	}
	for _, c := range sumCalls(r.srv.table, r.calls) {
		var b []byte
		for i, p := range r.v.LatencyPercentiles {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(append(b, 'p'), config.FormatPercentile(p)...)
			b = append(b, '=')
			b = strconv.AppendFloat(b, float64(c.counts.Percentile(p))/1000, 'f', 3, 64)
		}
		r.str("latency_percentiles_usec_"+c.spec.FullName(), string(b))
	}
}

func (r *infoReport) errorStats() {
	e := &r.srv.errorStats
	e.mu.Lock()
	counts := maps.Clone(e.counts)
	e.mu.Unlock()
	for _, code := range slices.Sorted(maps.Keys(counts)) {
		r.str("errorstat_"+code, fmt.Sprintf("count=%d", counts[code]))
	}
}

// sum returns the number of all error replies.
func (e *errorStats) sum() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.total
}

func (r *infoReport) keyspace() {
	for i := range r.census.dbs {
		d := &r.census.dbs[i]
		if d.keys == 0 {
			continue
		}
		ttl := max(int64(ratio(d.ttlSumMS, int64(d.expires))), 0)
		r.str(fmt.Sprintf("db%d", i), fmt.Sprintf("keys=%d,expires=%d,avg_ttl=%d", d.keys, d.expires, ttl))
	}
}
