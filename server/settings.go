package server

import (
	"fmt"
	"log/syslog"
	"math/bits"
	"os"
	"runtime"

	"github.com/shoaldb/shoal/acl"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/server/logging"
	"github.com/shoaldb/shoal/types"
)

// apply derives from v what the hot paths read, and what changes at once with the settings.
func (s *Server) apply(v *config.Values) {
	s.env.Store(&command.Env{
		Databases: v.Databases,
		MaxBulk:   v.ProtoMaxBulkLen,
		Notify:    command.NotifyClass(v.KeyspaceEvents),
		MaxMemory: v.MaxMemory,
		Limits:    s.encodingLimits(v),
		LazyFlush: v.LazyUserFlush,
		LFU:       v.MaxMemoryPolicy.CountsAccesses(v.MaxMemory),
		LRU:       v.MaxMemory > 0 && (v.MaxMemoryPolicy == config.AllKeysLRU || v.MaxMemoryPolicy == config.VolatileLRU),

		Compress:         v.RDBCompression,
		SanitizePayloads: v.SanitizePayload != config.SanitizeNo,
		Sanitizations:    &s.sanitizations,
		TrustPayloads:    s.trustPayloads.Load(),
		Refused:          func(key []byte, why error) { s.log.Verbosef("RESTORE of %.100q refused: %v", key, why) },
	})
	s.duties.set(dutyNotify, v.KeyspaceEvents != 0)
	s.limits.Store(&resp.Limits{MaxBulk: v.ProtoMaxBulkLen})
	s.unauthLimits.Store(&resp.Limits{MaxBulk: v.ProtoMaxBulkLen, Unauthenticated: true})
	s.setMemoryLimit(v)
	s.log.SetLevel(logging.Level(v.LogLevel))
	s.setLimit(v.TrackingTableMaxLen)
	s.setThresholds(v)
}

func (s *Server) encodingLimits(v *config.Values) *types.Limits {
	return &types.Limits{
		HashListpackEntries: v.HashMaxListpackEntries,
		HashListpackValue:   int(v.HashMaxListpackValue),
		SetIntsetEntries:    v.SetMaxIntsetEntries,
		ZSetListpackEntries: v.ZsetMaxListpackEntries,
		ZSetListpackValue:   int(v.ZsetMaxListpackValue),
		ListListpackSize:    v.ListMaxListpackSize,
		ListCompressDepth:   v.ListCompressDepth,
		ListAloneBytes:      int(s.observed.listAlone.Load()),
		StreamNodeBytes:     int(v.StreamNodeMaxBytes),
		StreamNodeEntries:   int(v.StreamNodeMaxEntries),
		HLLSparseBytes:      int(v.HLLSparseMaxBytes),
	}
}

// watchSettings makes changes by CONFIG SET take effect.
func (s *Server) watchSettings() {
	applied := []string{
		"proto-max-bulk-len", "notify-keyspace-events", "maxmemory", "maxmemory-policy", "maxmemory-samples", "maxmemory-eviction-tenacity", "lfu-log-factor",
		"lfu-decay-time", "loglevel", "lazyfree-lazy-user-flush", "hash-max-listpack-entries", "hash-max-listpack-value",
		"set-max-intset-entries", "zset-max-listpack-entries", "zset-max-listpack-value", "list-max-listpack-size",
		"tracking-table-max-keys", "list-compress-depth", "stream-node-max-bytes", "stream-node-max-entries", "hll-sparse-max-bytes",
		"rdbcompression", "sanitize-dump-payload",
		"slowlog-log-slower-than", "slowlog-max-len", "latency-monitor-threshold", "latency-tracking",
	}
	s.cfg.OnChange(func(_, v *config.Values) error { s.apply(v); return nil }, applied...)
	s.cfg.OnChange(s.warnOfLimit, "maxmemory")
	s.cfg.OnChange(func(_, v *config.Values) error { return s.log.SetFile(v.LogFile) }, "logfile")
	s.cfg.OnChange(func(_, v *config.Values) error { return os.Chdir(v.Dir) }, "dir")
	s.cfg.OnChange(func(_, v *config.Values) error { s.refuseWrites(v, s.saving.failed.Load()); return nil }, "save", "stop-writes-on-bgsave-error")
	s.cfg.OnChange(s.changeAppendOnly, "appendonly")
	s.cfg.OnChange(s.changeFsync, "appendfsync", "aof-timestamp-enabled")
	s.cfg.OnChange(func(_, v *config.Values) error { s.removeHistory(v); return nil }, "aof-disable-auto-gc")
	s.cfg.OnChange(s.changePassword, "requirepass")
	s.cfg.OnChange(func(_, v *config.Values) error {
		s.users.SetOpenChannels(v.ACLPubSubDefault == config.AllChannels)
		return nil
	}, "acl-pubsub-default")
	s.cfg.OnChange(s.changeTLS, tlsDirectives...) // before a port is opened
	s.cfg.OnChange(s.changeListeners, "port", "bind", "tls-port")
	s.cfg.OnChange(func(_, v *config.Values) error { s.setTitle(v); return nil }, "proc-title-template", "port", "bind", "tls-port")
	s.cfg.OnChange(func(_, v *config.Values) error { return s.oomScore.apply(v) }, "oom-score-adj", "oom-score-adj-values")
	s.cfg.OnChange(s.changeMaxClients, "maxclients")
	s.cfg.OnChange(func(_, v *config.Values) error {
		s.limitClients(v.ClientMemoryLimit())
		return nil
	}, "maxmemory-clients", "maxmemory")
	s.cfg.OnChange(func(_, v *config.Values) error { s.engine.SetKeepAlive(v.TCPKeepAliveSec); return nil }, "tcp-keepalive")
}

func (s *Server) changePassword(_, v *config.Values) error {
	_, _, err := s.users.Set(acl.DefaultName, passwordRules(v.RequirePass))
	return err
}

// changeMaxClients refuses a number for which the process may not open enough files.
func (s *Server) changeMaxClients(old, v *config.Values) error {
	if v.MaxClients <= old.MaxClients {
		return nil
	}
	if got := raiseOpenFiles(v.MaxClients); got < v.MaxClients {
		return fmt.Errorf("The operating system is not able to handle the specified number of clients, try with %d", got)
	}
	return nil
}

// reactorCount returns the number of reactors that v asks for: by default one per core.
func reactorCount(v *config.Values) int {
	if v.Reactors > 0 {
		return v.Reactors
	}
	return runtime.NumCPU()
}

// shardCount returns the number of shards that v asks for: by default 16 per reactor, at least 64.
func shardCount(v *config.Values) int {
	n := v.Shards
	if n == 0 {
		n = max(64, 16*reactorCount(v))
	}
	return min(1<<bits.Len(uint(n-1)), maxShards)
}

// setupLog points the log where v says.
func (s *Server) setupLog(v *config.Values) error {
	s.log.SetLevel(logging.Level(v.LogLevel))
	if err := s.log.SetFile(v.LogFile); err != nil {
		return fmt.Errorf("Can't open the log file: %w", err)
	}
	if v.SyslogEnabled {
		if err := s.log.SetSyslog(syslog.Priority(v.SyslogFacility)<<3, v.SyslogIdent); err != nil {
			s.log.Warningf("The log goes on without syslog: %v", err)
		}
	}
	return nil
}
