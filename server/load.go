package server

import (
	"errors"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/persist/load"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/script"
	"github.com/shoaldb/shoal/server/config"
)

// gateLoading is the bit of Server.gate that is set while data are loaded from disk.
const gateLoading = 1 << 11

const errLoading command.Error = "LOADING Redis is loading the dataset in memory"

// loading is the state of a load from disk.
type loading struct {
	active      atomic.Bool
	beganSec    atomic.Int64 // unix time
	total, done atomic.Int64 // bytes of the file
	usedMemory  atomic.Int64 // of the server that wrote the file, bytes

	keysLoaded, keysExpired atomic.Int64 // by the last load
	errors                  atomic.Int64 // replies to commands of append only files
}

// beginLoading makes clients be told to wait.
func (s *Server) beginLoading(size int64) {
	l := &s.loading
	l.beganSec.Store(time.Now().Unix())
	l.total.Store(size)
	l.done.Store(0)
	l.usedMemory.Store(0)
	l.active.Store(true)
	s.gate.Or(gateLoading)
}

func (s *Server) endLoading() {
	s.gate.And(^uint32(gateLoading))
	s.loading.active.Store(false)
}

// loadAtStart loads the file of the last save, if there is one. It reports false if it cannot be loaded; why is in the log.
func (s *Server) loadAtStart(v *config.Values) bool {
	if v.AppendOnly {
		return s.startAOF(v)
	}
	begin := time.Now()
	f, err := os.Open(v.DBFilename)
	if errors.Is(err, os.ErrNotExist) {
		s.endLoading()
		return true
	}
	if err == nil {
		defer f.Close()
		err = s.load(f, false, false)
	}
	if err != nil {
		s.log.Warningf("Fatal error loading the DB, check server logs. Exiting.")
		return false
	}
	s.log.Noticef("DB loaded from disk: %.3f seconds", time.Since(begin).Seconds())
	s.saving.dirtySaved.Store(s.sum(func(c *counters) int64 { return c.dirty.Load() }))
	return true
}

// load loads an RDB file into the keyspace, and its functions in place of those that there are, unless these are to be
// kept. merge lets the file's keys and libraries take the place of others. Clients are told to wait. It logs what is
// wrong with the file.
func (s *Server) load(f *os.File, keep, merge bool) error {
	size := int64(0)
	if st, err := f.Stat(); err == nil {
		size = st.Size()
	}
	s.beginLoading(size)
	defer s.endLoading()
	set := script.NewLibraries()
	if keep {
		set = s.libraries.set.Load()
	}
	o := s.loadOptions(merge, &set)
	o.At, o.Size = f, size
	res, err := load.Load(s.ks, f, o)
	l := &s.loading
	l.keysLoaded.Store(res.Keys)
	l.keysExpired.Store(res.Expired)
	if err != nil {
		s.logLoadError(f.Name(), err)
		return err
	}
	s.libraries.replace(set)
	if res.Empty > 0 {
		s.log.Noticef("Done loading RDB, keys loaded: %d, keys expired: %d, empty keys skipped: %d.", res.Keys, res.Expired, res.Empty)
	} else {
		s.log.Noticef("Done loading RDB, keys loaded: %d, keys expired: %d.", res.Keys, res.Expired)
	}
	return nil
}

func (s *Server) loadOptions(merge bool, set **script.Libraries) load.Options {
	v, env := s.cfg.Load(), s.env.Load()
	l := &s.loading
	slept := int64(0) // keys for which key-load-delay has been kept
	return load.Options{
		Limits: env.Limits, NowMS: time.Now().UnixMilli(), AllowDup: merge, LFU: env.LFU, Deep: v.SanitizePayload == config.SanitizeYes,
		NoChecksum: !v.RDBChecksum || s.trustPayloads.Load(),
		Aux:        s.loadAux,
		Function: func(code []byte) error {
			lib, err := s.reactors[0].newLibrary(string(code))
			if err != nil {
				return err
			}
			joined, err := (*set).With(lib, merge)
			if err == nil {
				*set = joined
			}
			return err
		},
		Empty: func(key []byte) { s.log.Warningf("rdbLoadObject skipping empty key: %s", key) },
		Progress: func(offset, keys int64) {
			l.done.Store(offset)
			time.Sleep(time.Duration(max(v.KeyLoadDelayUS, 0)) * time.Microsecond * time.Duration(keys-slept))
			slept = keys
		},
	}
}

// loadAux tells of what a file's auxiliary fields say.
func (s *Server) loadAux(name, value []byte) {
	n, _ := strconv.ParseInt(string(value), 10, 64)
	switch string(name) {
	case "redis-ver":
		s.log.Noticef("Loading RDB produced by version %s", value)
	case "ctime":
		s.log.Noticef("RDB age %d seconds", max(time.Now().Unix()-n, 0))
	case "used-mem":
		s.log.Noticef("RDB memory usage when created %.2f Mb", float64(n)/(1<<20))
		s.loading.usedMemory.Store(n)
	case "aof-base":
		if n != 0 {
			s.log.Noticef("RDB is base AOF")
		}
	}
}

func (s *Server) logLoadError(name string, err error) {
	var at *rdb.Error
	var sum *rdb.ChecksumError
	switch {
	case errors.As(err, &sum):
		s.log.Warningf("RDB CRC error in %s: %v", name, err)
	case errors.As(err, &at):
		s.log.Warningf("Error loading %s at offset %d: %v", name, at.Offset, at.Err)
	default:
		s.log.Warningf("Error loading %s: %v", name, err)
	}
	s.log.Warningf("Terminating server after rdb file reading failure.")
}

// debugReload saves all data and loads them again.
func debugReload(c *command.Ctx) {
	flush, save, merge := true, true, false
	for _, a := range c.Args[2:] {
		switch {
		case command.EqualFold(a, "MERGE"):
			merge = true
		case command.EqualFold(a, "NOFLUSH"):
			flush = false
		case command.EqualFold(a, "NOSAVE"):
			save = false
		default:
			c.Error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
			return
		}
	}
	cl := client(c)
	s := cl.reactor.srv
	if cl.reactor.alone {
		c.Error("ERR DEBUG RELOAD cannot be used in a transaction")
		return
	}
	cl.backgroundReply(func() func(*resp.Writer) {
		e := s.reload(save, flush, merge)
		return func(w *resp.Writer) {
			if e != "" {
				w.Error(string(e))
				return
			}
			w.OK()
		}
	})
}

const errReloadRDB command.Error = "ERR Error trying to load the RDB dump, check server logs."

func (s *Server) reload(save, flush, merge bool) command.Error {
	f, failure := s.beginReload(save)
	if failure != "" {
		return failure
	}
	defer f.Close()
	s.cancelSnapshots()
	if flush {
		s.ks.LockAll(time.Now().UnixMilli())
		for i := range s.ks.Shards() {
			s.ks.Shard(i).FlushAll()
		}
		s.ks.UnlockAll()
	}
	if err := s.load(f, !flush, merge); err != nil {
		return errReloadRDB
	}
	s.log.Warningf("DB reloaded by DEBUG RELOAD")
	return ""
}

// beginReload saves, if it is told so, and begins to load: it returns the file. Nobody writes in between, as that would be lost, or
// meet the same key in the file.
func (s *Server) beginReload(save bool) (*os.File, command.Error) {
	s.standBy()
	defer s.endPause()
	if save {
		s.cancelSave()
		if err := s.saveAndWait(); err != nil {
			return nil, "ERR"
		}
	}
	f, err := os.Open(s.cfg.Load().DBFilename)
	if err != nil {
		return nil, errReloadRDB
	}
	s.beginLoading(0) // nobody sees it empty
	return f, ""
}

// standBy makes clients that write wait, and returns when all commands that had begun are done, but for those that run in steps.
func (s *Server) standBy() {
	now := time.Now().UnixMilli()
	s.beginPause(now+1<<40, now, false)
	for _, r := range s.reactors {
		passed := make(chan struct{})
		r.net.Post(func() { close(passed) })
		<-passed
	}
}

// loadingInfo writes what INFO tells of a load under way.
func (r *infoReport) loadingInfo() {
	l := &r.srv.loading
	total, done := l.total.Load(), l.done.Load()
	began := l.beganSec.Load()
	r.num("loading_start_time", began)
	r.num("loading_total_bytes", total)
	r.num("loading_rdb_used_mem", l.usedMemory.Load())
	r.num("loading_loaded_bytes", done)
	r.fixed("loading_loaded_perc", ratio(done*100, total))
	eta := int64(1)
	if done > 0 {
		eta = (time.Now().Unix() - began) * (total - done) / done
	}
	r.num("loading_eta_seconds", eta)
}
