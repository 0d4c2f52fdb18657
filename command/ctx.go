package command

import (
	"sync/atomic"

	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// Ctx is what a handler sees of one command's execution. There is one per reactor, reused:
// a handler keeps neither it nor anything it points to.
type Ctx struct {
	Spec  *Spec
	Args  [][]byte    // with the command name; alias the receive buffer
	Keys  []shard.Key // the command's keys in argument order, hashed and bound to their DB
	Reply *resp.Writer

	KS    *shard.Keyspace
	DB    int   // index of the selected database
	NowMS int64 // unix time, ms, read once per turn
	Env   *Env

	// Client is the connection on whose behalf the command runs; control commands of
	// server/ assert their own type from it.
	Client any
	// Pin queues a large value for sending without a copy; set by server/. See BulkEntry.
	Pin func(c *Ctx, v shard.Pinned, from, to int)
	// TakeLarge hands over the memory in which a large argument was received, or returns nil; set by server/.
	TakeLarge func(c *Ctx, arg []byte) *shard.Large
	// Later makes the client wait until step, called again and again from its reactor, reports that nothing is left to do,
	// and then lets done reply. Set by server/; nil where a command cannot wait, as in a transaction.
	Later func(c *Ctx, step func(nowMS int64) (more bool), done func(w *resp.Writer))
	// Flushing is told that all databases are about to be emptied; set by server/, may be nil.
	Flushing func(c *Ctx)
	// Block makes the client wait; see Wait. Set by server/; nil where a command cannot wait, as in a transaction.
	Block func(c *Ctx, w Waiting)
	// Lengthen makes the command run in steps, from the beginning, or declines; see Long. Set by server/; nil where the
	// command has to be one step, as in a transaction.
	Lengthen func(c *Ctx) bool
	// Beyond are the names of further keys that a command with LockAll reads, and nothing else beyond its keys: it may
	// run in steps.
	Beyond []shard.Pattern
	// Yield ends a step of a command that runs in steps, if it has taken long enough; nil in any other.
	Yield func()
	// Send ends a step, so that what has been replied is sent; set where Yield is.
	Send func()
	// Outside does work on another goroutine, with the locks free and the command's keys on lease. It is set in the
	// steps of a command whose Spec says Outside; where it is nil, as in a transaction, there is nothing but to do the
	// work in place.
	Outside func(work func())
	// Uncounted tells that the head of the reply of a command that runs in steps is yet to come, in Head.
	Uncounted bool
	Head      []byte
	Dropped   bool // what has been replied so far is not to be sent
	// Woken points to the one of Keys that has become ready when a blocking command runs again; nil when it was just sent.
	Woken *shard.Key
	Table *Table
	// MayReadAll tells whether the client's user may run the command and read every key; nil: it may. Set by server/.
	MayReadAll func(c *Ctx) bool
	// Loading tells that the command is read from the append only file: what has expired since it was written is still there.
	Loading bool
	// LockedAll tells that the locks of all shards are held: by a transaction or a script.
	LockedAll bool
	// Scripted tells that a script has called the command.
	Scripted bool

	dirty     int64
	rewritten bool
	effects   effects
	scratch   [40]byte
	done      int       // elements since Yield was called
	words     [8][]byte // arguments being put together for Propagate
}

// Env holds the settings that handlers depend on. It is replaced as a whole, never changed.
type Env struct {
	Databases int
	MaxBulk   int64 // proto-max-bulk-len, bytes
	Notify    NotifyClass
	MaxMemory int64
	Limits    *types.Limits // of encodings; never nil
	LazyFlush bool          // FLUSHALL and FLUSHDB are ASYNC unless they say SYNC
	LFU       bool          // the eviction policy counts accesses: OBJECT FREQ works, IDLETIME does not
	LRU       bool          // maxmemory is set with an LRU policy: objects are not shared

	Compress         bool          // rdbcompression: DUMP compresses strings
	SanitizePayloads bool          // sanitize-dump-payload: what RESTORE checks in depth is counted ...
	Sanitizations    *atomic.Int64 // ... here, unless it is nil
	TrustPayloads    bool          // RESTORE does not look at the checksum
	// Refused, unless nil, is told of a payload that RESTORE has refused, and why.
	Refused func(key []byte, why error)
}

// effects receives what a command did, while its shard locks are held: the journal (AOF,
// replicas) and keyspace notifications. A nil field costs nothing.
type effects struct {
	journal Journal
	notify  func(c *Ctx, class NotifyClass, event string, key []byte)
}

// Journal takes the deterministic effects of a command in the order in which they happened.
// args alias the caller's memory.
type Journal interface {
	Append(db int, args [][]byte)
}

// NotifyClass is a set of classes of keyspace notifications (notify-keyspace-events).
type NotifyClass uint32

const (
	NotifyKeyspace NotifyClass = 1 << iota // K
	NotifyKeyevent                         // E
	NotifyGeneric                          // g
	NotifyString                           // $
	NotifyList                             // l
	NotifySet                              // s
	NotifyHash                             // h
	NotifyZSet                             // z
	NotifyExpired                          // x
	NotifyEvicted                          // e
	NotifyStream                           // t
	NotifyKeyMiss                          // m
	NotifyModule                           // d
	NotifyNew                              // n
)

// Changed counts n changes to the data set (rdb_changes_since_last_save) and makes dispatch
// propagate the command as it was sent, unless Propagate has said something else.
func (c *Ctx) Changed(n int) { c.dirty += int64(n) }

// Dirty returns the number of changes counted so far.
func (c *Ctx) Dirty() int64 { return c.dirty }

// Propagate says what replicas and the AOF see in place of the command as it was sent. It may be
// called several times: the effects are one atomic group. db is the database it applies to.
func (c *Ctx) Propagate(db int, args ...[]byte) {
	c.rewritten = true
	if c.effects.journal != nil {
		c.effects.journal.Append(db, args)
	}
}

// PropagateNothing says that the command had no effect worth telling, whatever Changed says.
func (c *Ctx) PropagateNothing() { c.rewritten = true }

// PropagateAsSent is called when the handler is done: it propagates the command as it was sent if it changed something
// and has said nothing else.
func (c *Ctx) PropagateAsSent() {
	if c.dirty > 0 && !c.rewritten && c.effects.journal != nil {
		c.effects.journal.Append(c.DB, c.Args)
	}
}

// JournalTo makes j hear of the effects of commands that run with c, or nobody if it is nil.
func (c *Ctx) JournalTo(j Journal) { c.effects.journal = j }

// Journaling tells whether anybody listens to Propagate: guards the building of its arguments.
func (c *Ctx) Journaling() bool { return c.effects.journal != nil }

// Notify emits a keyspace notification for key in database db of the key's DB.
func (c *Ctx) Notify(class NotifyClass, event string, key []byte) {
	if c.Env.Notify&class != 0 && c.effects.notify != nil {
		c.effects.notify(c, class, event, key)
	}
}

// OnNotify makes f hear of the notifications of commands that run with c.
func (c *Ctx) OnNotify(f func(c *Ctx, class NotifyClass, event string, key []byte)) {
	c.effects.notify = f
}

// past tells whether a key or field that is given the time ms goes at once.
func (c *Ctx) past(ms int64) bool { return ms <= c.NowMS && !c.Loading }

// fieldsNow is the time, unix ms, by which it is judged whether a hash's fields have expired.
func (c *Ctx) fieldsNow() int64 {
	if c.Loading {
		return 0
	}
	return c.NowMS
}

// mayReadAll tells whether the client's user may read keys that the command finds only when it runs.
func (c *Ctx) mayReadAll() bool { return c.MayReadAll == nil || c.MayReadAll(c) }

// Error replies with e.
func (c *Ctx) Error(e Error) { c.Reply.Error(string(e)) }

// Begin readies c for the next command; dispatch sets the exported fields besides.
func (c *Ctx) Begin() { c.dirty, c.rewritten = 0, false }

// KeyOf binds a key that is not in Keys: one of another database, or one computed at run time.
// Its shard must be locked already (it shares a shard with one of Keys, or the command is LockAll).
func (c *Ctx) KeyOf(db int, name []byte) shard.Key { return c.KS.Key(db, name) }
