package server

import (
	"slices"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

const (
	// batchCommands is how many pipelined commands are parsed before the first one runs, so that
	// their cache misses overlap.
	batchCommands = 32
	// batchKeys ends a batch early when its commands have many keys.
	batchKeys = 256
)

// batch is a run of one client's commands, parsed together. It is reused for every batch of its reactor.
type batch struct {
	n       int
	cmds    [batchCommands]request
	args    [][]byte
	keys    []shard.Key
	indexes []int
	buckets []uintptr
	entries []uintptr
	ends    []int // of each key's part of entries
	names   [][]byte
	outside bool // some commands work on values that are not in their entries
	members bool // some commands name a member or field

	groups  []group // calls that have not been measured yet
	last    *group  // of groups: that of the last call; nil: none
	before  *group  // of groups: that of the call before which was of another command; nil: none, or not known
	total   int64   // calls that have been measured since account
	at      int     // the present command's index
	settled int     // the first command that may be among those not measured
}

// request is one parsed command.
type request struct {
	spec    *command.Spec // nil: unknown
	unknown *command.Spec // if spec is nil: the container whose subcommand is unknown
	args    [][]byte
	keys    []shard.Key
	plain   bool // the spec is plain, and there are neither too few nor too many arguments: it has one key
}

// group counts neighbouring calls of the same command in a batch, for the statistics.
type group struct {
	spec          *command.Spec
	calls, failed int64
}

// turnBatches is how many batches of one client run in one turn. What has just been received seldom has more; what
// came while the client was suspended may.
const turnBatches = 128

// process runs the commands that the client's parser holds. It returns when the input is used up, the client has
// been suspended or closed, or its share of the turn is over; then it goes on in the next turn.
func (r *reactor) process(cl *Client) {
	r.attach(cl)
	for batches := 0; ; batches++ {
		if batches == turnBatches {
			cl.parser.Detach()
			r.resumeLater(cl)
			break
		}
		st, err := r.fill(cl)
		if r.batch.n > 0 {
			r.prefetch()
			r.runBatch(cl)
		}
		if cl.flags&(clientSuspended|clientClosing) != 0 {
			cl.parser.Detach()
			break
		}
		if st == resp.Command {
			continue
		}
		if st == resp.Error {
			r.protocolError(cl, err)
		} else {
			cl.parser.Release()
		}
		break
	}
	r.detach(cl)
}

// attach points the reply writer at the client's output.
func (r *reactor) attach(cl *Client) {
	r.outBefore = cl.conn.OutPending()
	r.w.Buf = cl.conn.Out()
	r.w.Proto = cl.proto
	r.ctx.Client = cl
	r.effects.author = cl
	r.ctx.NowMS = r.nowMS
	r.ctx.Env = r.srv.env.Load()
}

// detach hands the replies to the connection.
func (r *reactor) detach(cl *Client) {
	cl.conn.SetOut(r.w.Buf)
	r.w.Buf = nil
	r.effects.author = nil
	if cl.wrote > 0 {
		r.holdReplies(cl)
	}
	if n := cl.conn.OutPending() - r.outBefore; n > 0 {
		r.flow.netOut += int64(n)
		r.flow.writes++
	}
	r.checkOutput(cl)
}

// fill parses the next batch. The status is Command if more may follow.
func (r *reactor) fill(cl *Client) (resp.Status, error) {
	b := &r.batch
	b.n, b.args, b.keys, b.outside, b.members = 0, b.args[:0], b.keys[:0], false, false
	limits := r.srv.limits.Load()
	most := batchCommands
	if cl.flags&clientSlow != 0 || r.srv.gate.Load()&^gateMemory != 0 {
		most = 1
		if cl.flags&clientNeedsAuth != 0 {
			limits = r.srv.unauthLimits.Load()
		}
	}
	if cl.multi != nil && cl.multi.db != cl.db {
		most = 1 // what follows EXEC or DISCARD may be meant for another database
	}
	for b.n < most {
		n := len(b.args)
		args, st, err := cl.parser.Next(b.args, limits)
		if st != resp.Command {
			return st, err
		}
		b.args = args
		q := &b.cmds[b.n]
		b.n++
		r.resolve(cl, q, args[n:len(args):len(args)], r.lookup(cl, args[n]))
		if !q.plain && (q.spec == nil || q.spec.Flags&(command.Barrier|command.Blocking) != 0 || len(b.keys) >= batchKeys) {
			break
		}
	}
	return resp.Command, nil
}

// outside are the categories of commands on values that are not in their entries.
const outside = command.ACLList | command.ACLSet | command.ACLSortedSet | command.ACLHash | command.ACLStream

// lookup finds the command called name, which cl's parser has returned last.
func (r *reactor) lookup(cl *Client, name []byte) *command.Spec {
	if !cl.parser.SameHead() {
		cl.headSpec = r.srv.table.Lookup(name)
	}
	return cl.headSpec
}

// resolve binds the keys of args, which begin with the name of spec.
func (r *reactor) resolve(cl *Client, q *request, args [][]byte, spec *command.Spec) {
	q.args = args
	if spec == nil || spec.PlainKey() == 0 || !spec.ArityOK(len(args)) || len(args) > quickArgs {
		r.resolveAny(cl, q, spec)
		return
	}
	q.spec, q.plain = spec, true
	b := &r.batch
	if spec.ACL&outside != 0 {
		b.outside, b.members = true, b.members || spec.Member != 0
	}
	n := len(b.keys)
	r.addKey(cl, args[spec.PlainKey()])
	q.keys = b.keys[n : n+1 : n+1]
}

// resolveAny is resolve for all commands but plain ones. What is a container becomes its subcommand.
func (r *reactor) resolveAny(cl *Client, q *request, spec *command.Spec) {
	q.keys, q.unknown, q.plain = nil, nil, false
	if spec != nil && len(spec.Subcommands) > 0 && len(q.args) > 1 {
		sub := spec.Sub(q.args[1])
		if sub == nil {
			q.unknown = spec
		}
		spec = sub
	}
	q.spec = spec
	if spec == nil || !spec.HasKeys() || !spec.ArityOK(len(q.args)) {
		return
	}
	b := &r.batch
	if spec.ACL&outside != 0 {
		b.outside, b.members = true, b.members || spec.Member != 0
	}
	n := len(b.keys)
	if i := spec.OnlyKey(); i != 0 {
		r.addKey(cl, q.args[i])
	} else {
		r.addKeys(cl, q)
	}
	q.keys = b.keys[n:len(b.keys):len(b.keys)]
}

// addKey binds a key and adds it to the batch.
func (r *reactor) addKey(cl *Client, name []byte) {
	b := &r.batch
	n := len(b.keys)
	if n == cap(b.keys) {
		b.keys = slices.Grow(b.keys, 2*batchKeys)
	}
	b.keys = b.keys[:n+1]
	// A batch is of one database, and often works on one collection.
	if b.outside && n > 0 && string(b.keys[n-1].Name) == string(name) {
		b.keys[n] = b.keys[n-1]
		return
	}
	db := cl.db
	if cl.multi != nil {
		db = cl.multi.db
	}
	r.srv.ks.Bind(&b.keys[n], db, name)
}

func (r *reactor) addKeys(cl *Client, q *request) {
	b := &r.batch
	// Arguments that do not say where the keys are leave none to lock; the handler refuses them.
	indexes, _ := q.spec.KeyIndexes(q.args, b.indexes[:0])
	b.indexes = indexes[:0]
	for _, i := range indexes {
		r.addKey(cl, q.args[i])
	}
}

// prefetch asks for the cache lines of all keys of the batch: first the buckets, then the entries that they point to,
// then the first block of values that have any.
// It holds no lock; what it reads may be out of date, which costs a miss.
func (r *reactor) prefetch() {
	b := &r.batch
	if len(b.keys) > 1 && !(b.outside && b.oneKey()) {
		r.prefetchKeys(b.keys)
	}
}

func (r *reactor) prefetchKeys(keys []shard.Key) {
	b := &r.batch
	if cap(b.buckets) < len(keys) {
		b.buckets = make([]uintptr, len(keys), 2*len(keys))
	}
	buckets := b.buckets[:len(keys)]
	for i := range keys {
		buckets[i] = keys[i].Peek()
	}
	alloc.Prefetch(buckets)
	if b.outside {
		r.prefetchValues(keys, buckets)
		return
	}
	entries := b.entries[:0]
	for i, bucket := range buckets {
		entries = keys[i].PeekEntry(bucket, entries)
	}
	if r.srv.maxMemory.remembers.Load() {
		for i := range keys {
			entries = keys[i].PeekMemory(entries)
		}
	}
	alloc.Prefetch(entries)
	b.entries = entries
}

// prefetchValues asks for the cache lines of the keys' entries, which the buckets point to, and of what these point to.
func (r *reactor) prefetchValues(keys []shard.Key, buckets []uintptr) {
	b := &r.batch
	entries, ends := b.entries[:0], b.ends[:0]
	for i, bucket := range buckets {
		entries = keys[i].PeekEntries(bucket, entries)
		ends = append(ends, len(entries))
	}
	alloc.Prefetch(entries)
	values, from := buckets[:0], 0
	for i, end := range ends {
		values = keys[i].PeekValues(entries[from:end], values)
		from = end
	}
	alloc.Prefetch(values)
	b.buckets, b.entries, b.ends = values[:0], entries, ends
}

// oneKey tells whether all keys of the batch are the same.
func (b *batch) oneKey() bool {
	for i := range b.keys {
		if b.keys[i].Hash != b.keys[0].Hash {
			return false
		}
	}
	return true
}

// prefetchMembers asks for the memory of the members or fields that the commands of the batch from i on work on, as far as
// they have the same key. It locks the key's shard. It returns the index of the first command behind these.
func (r *reactor) prefetchMembers(i int) (next int) {
	b := &r.batch
	first := &b.cmds[i]
	names := b.names[:0]
	next = i
	for ; next < b.n; next++ {
		q := &b.cmds[next]
		if q.spec == nil || q.spec.Member == 0 || q.spec.Member >= len(q.args) || len(q.keys) != 1 ||
			q.keys[0].Hash != first.keys[0].Hash || q.keys[0].DB != first.keys[0].DB {
			break
		}
		names = append(names, q.args[q.spec.Member])
	}
	b.names = names
	if len(names) < 2 {
		return i + 1
	}
	k := &first.keys[0]
	r.holdShard(k.DB.Shard())
	k.DB.PrefetchMembers(k, names)
	return next
}

// runBatch runs the batch's commands in their order.
func (r *reactor) runBatch(cl *Client) {
	b := &r.batch
	r.ctx.DB = cl.db
	r.watching = r.srv.watch.Load()
	limited := r.srv.maxMemory.bytes.Load() != 0
	b.settled = 0
	ahead := 0
	for i := range b.n {
		b.at = i
		if b.members && i == ahead {
			ahead = r.prefetchMembers(i)
		}
		q := &b.cmds[i]
		if limited && r.needsRoom(q) {
			r.makeRoomFor(q)
		}
		if !q.plain || !r.callPlain(cl, q) {
			r.run(cl, q)
			if len(cl.pushes) > 0 {
				r.flushPushes(cl)
			}
			if r.events.jam != nil {
				r.throttle(cl)
			}
		}
		if cl.flags&(clientSuspended|clientClosing) != 0 {
			r.queueRest(cl, b.cmds[i+1:b.n])
			break
		}
	}
	r.release()
	if cl.multi != nil {
		cl.multi.home()
	}
	r.sendInvalidations()
	if r.toldMuch() {
		r.publishTold()
	}
	r.account(cl, b)
	b.n = 0
}

// run runs one command, or refuses it.
func (r *reactor) run(cl *Client, q *request) {
	switch {
	case q.spec == nil || !q.spec.ArityOK(len(q.args)) || cl.flags&clientSlow != 0 || r.srv.gate.Load() != 0:
		r.runSlow(cl, q)
	case cl.flags&clientRestricted != 0 && !r.permits(cl, q):
	case cl.flags&clientMulti != 0:
		r.runQueueing(cl, q)
	default:
		r.call(cl, q)
	}
}

// callPlain runs a plain command if nothing has to be looked at or done besides: nearly always. Otherwise it reports
// false, and call, which knows all there may be, has to run it.
func (r *reactor) callPlain(cl *Client, q *request) bool {
	if cl.flags&clientUnusual != 0 && !cl.permitsPlain(q) {
		return false
	}
	s := q.keys[0].DB.Shard()
	r.holdShard(s)
	c := &r.ctx
	if c.Journaling() || s.HasWaiters() || r.srv.gate.Load()|r.srv.duties.Load()|r.watching != 0 && !r.tellPlain(cl, q) {
		return false
	}
	c.Spec, c.Args, c.Keys = q.spec, q.args, q.keys
	c.Begin()
	begin := len(r.w.Buf)
	q.spec.Run(c)
	if r.long.lengthened {
		r.long.lengthened = false
		cl.lastCommand = q.spec
		return true
	}
	failed := len(r.w.Buf) > begin && r.w.Buf[begin] == '-'
	if g := r.batch.last; g != nil && g.spec == q.spec && !failed { // note, in place
		g.calls++
	} else if r.noteOther(q.spec, failed) {
		cl.lastCommand = q.spec
	}
	if failed {
		r.srv.errorStats.count(r.w.Buf[begin:])
	}
	r.flow.changes += c.Dirty()
	return true
}

// call runs a command that may run.
func (r *reactor) call(cl *Client, q *request) {
	c := &r.ctx
	c.Spec, c.Args, c.Keys = q.spec, q.args, q.keys
	c.Begin()
	many := r.lock(q)
	if sn := r.srv.saving.current.Load(); sn != nil && mayWrite(q.spec) && r.saveFirst(cl, sn, q, many) {
		return
	}
	if r.srv.leases.running.Load() > 0 && r.awaitLease(cl, q, many) {
		return
	}
	if r.srv.propagation.on.Load() || c.Journaling() || c.Env.Notify != 0 {
		r.listen(c)
	}
	begin := len(r.w.Buf)
	cl.lastCommand = q.spec
	watched, since := r.isWatched(q), int64(0)
	if watched {
		since = r.beginWatched(cl, q, false)
	}
	q.spec.Run(c)
	if cl.flags&clientTracking != 0 && readsKeys(q.spec) {
		r.rememberKeys(cl, q.keys)
	}
	failed := len(r.w.Buf) > begin && r.w.Buf[begin] == '-'
	if c.Journaling() {
		r.endEffects(c)
	}
	if r.long.lengthened {
		r.long.lengthened = false
		r.tellLengthened(cl, q)
		r.endGroup(many)
		return
	}
	if watched {
		r.endWatched(cl, q, since, failed, false)
	} else {
		r.note(q.spec, failed)
	}
	r.flow.changes += c.Dirty()
	r.endGroup(many)
	if failed {
		r.countError(r.w.Buf[begin:])
	}
}

// queueRest keeps commands that were parsed but cannot run yet.
func (r *reactor) queueRest(cl *Client, rest []request) {
	if cl.flags&clientClosing != 0 {
		return
	}
	for i := range rest {
		cl.queue(&rest[i])
	}
}
