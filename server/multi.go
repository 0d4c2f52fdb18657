package server

import (
	"slices"
	"strings"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

// MULTI begins a transaction: what the client sends is queued, parsed and with its keys hashed, until EXEC runs all of
// it under the locks of all its shards. As long as the batch lasts in which a command came it stays where it was
// received; only then is it copied. So a transaction that comes in one piece costs little more than its commands.

const transactionFlags = sessionFlags | command.Fast | command.AllowBusy

var transactionCommands = []command.Spec{
	{Name: "DISCARD", Arity: 1, Flags: transactionFlags, ACL: command.ACLTransaction, Group: command.GroupTransactions, Since: "2.0.0",
		Complexity: "O(N) where N is the number of queued commands.", Summary: "Forgets the commands queued since MULTI.", Run: discard},
	{Name: "EXEC", Arity: 1, Flags: sessionFlags | command.SkipSlowlog, ACL: command.ACLTransaction, Group: command.GroupTransactions,
		Since: "1.2.0", Complexity: "Depends on the queued commands.", Summary: "Runs the commands queued since MULTI.", Run: execCommand},
	{Name: "MULTI", Arity: 1, Flags: transactionFlags, ACL: command.ACLTransaction, Group: command.GroupTransactions, Since: "1.2.0",
		Complexity: "O(1)", Summary: "Begins a transaction: queues commands until EXEC.", Run: multi},
	{Name: "UNWATCH", Arity: 1, Flags: transactionFlags, ACL: command.ACLTransaction, Group: command.GroupTransactions, Since: "2.2.0",
		Complexity: "O(1)", Summary: "Forgets all watched keys.", Run: unwatch},
	{Name: "WATCH", Arity: -2, Flags: transactionFlags, ACL: command.ACLTransaction, Group: command.GroupTransactions, Since: "2.2.0",
		Keys: command.KeyRange(1, -1, 1, command.RO), Complexity: "O(1) for every key.",
		Summary: "Lets the next EXEC run nothing if one of the keys is modified before.",
		Args:    []command.Arg{{Name: "key", Type: command.ArgKey, Multiple: true}}, Run: watch},
}

const (
	errExecAbort command.Error = "EXECABORT Transaction discarded because of previous errors."
	errNoMulti   command.Error = "ERR Command not allowed inside a transaction"
)

// transaction is what a client has queued since MULTI.
type transaction struct {
	cmds    []request
	homed   int           // of cmds: those whose arguments and keys have been copied to the memory below
	db      int           // that will be selected when all have run
	flags   command.Flags // of any of cmds
	aborted bool          // a command was refused: EXEC will be, too
	alone   bool          // a command needs all other reactors to stand still
	scripts bool          // a command runs a script or function
	carried bool          // it runs, or is put aside; see carried.go
	bytes   int           // of all arguments, as Redis counts them

	buf  []byte
	args [][]byte
	keys []shard.Key
}

// runQueueing is run for a client in a transaction; q may run.
func (r *reactor) runQueueing(cl *Client, q *request) {
	if atOnce(q.spec) {
		r.call(cl, q)
		return
	}
	if q.spec.Flags&command.NoMulti != 0 {
		r.reject(q.spec, errNoMulti)
		return
	}
	cl.lastCommand = q.spec
	if t := cl.multi; !t.aborted && !cl.dirty() {
		t.add(q, r.flagsOf(q), r.srv.ks.Databases())
		if int64(t.bytes) > r.srv.cfg.Load().QueryBufferLimit {
			r.closeQueuing(cl)
			return
		}
	}
	r.w.Simple("QUEUED")
}

// closeQueuing closes a client that has queued more than it may send at once.
func (r *reactor) closeQueuing(cl *Client) {
	r.srv.log.Warningf("Closing client that reached max query buffer length: %s (%d commands queued in a transaction)", cl.describe(r.nowMS), len(cl.multi.cmds))
	r.srv.queryBufferDrops.Add(1)
	cl.flags |= clientClosing
	cl.conn.Close(errQueryBuffer)
}

// atOnce tells whether a command is not queued in a transaction.
func atOnce(spec *command.Spec) bool {
	switch spec.Group {
	case command.GroupTransactions:
		return spec.Name != "UNWATCH"
	case command.GroupConnection:
		return spec.Name == "QUIT" || spec.Name == "RESET"
	}
	return false
}

// pointerBytes is what Redis counts for an argument besides its bytes.
const pointerBytes = 8

func (t *transaction) add(q *request, flags command.Flags, databases int) {
	t.cmds = append(t.cmds, *q)
	t.flags |= flags
	t.alone = t.alone || standsAlone(q.spec)
	t.scripts = t.scripts || q.spec.Group == command.GroupScripting && q.spec.HasKeys()
	for _, a := range q.args {
		t.bytes += len(a) + pointerBytes
	}
	if q.spec.Name == "SELECT" {
		if n, ok := shard.ParseInt(q.args[1]); ok && n >= 0 && n < int64(databases) {
			t.db = int(n)
		}
	}
}

const (
	minQueueBytes = 1 << 10
	maxQueueBytes = 64 << 10 // what is kept from one transaction to the next
)

// home copies what is still in the batch's memory. What was copied before stays where it is.
func (t *transaction) home() {
	for i := t.homed; i < len(t.cmds); i++ {
		q := &t.cmds[i]
		args, keys := q.args, q.keys
		n := 0
		for _, a := range args {
			n += len(a)
		}
		t.buf = room(t.buf, n, minQueueBytes)
		t.args = room(t.args, len(args), minQueueBytes/32)
		t.keys = room(t.keys, len(keys), minQueueBytes/64)
		first := len(t.args)
		for _, a := range args {
			at := len(t.buf)
			t.buf = append(t.buf, a...)
			t.args = append(t.args, t.buf[at:len(t.buf):len(t.buf)])
		}
		q.args = t.args[first:len(t.args):len(t.args)]
		first = len(t.keys)
		t.keys = append(t.keys, keys...)
		q.keys = t.keys[first:len(t.keys):len(t.keys)]
		renameKeys(q.keys, q.args)
	}
	t.homed = len(t.cmds)
}

// room returns b if n more elements fit it, and otherwise an empty slice that they fit.
func room[T any](b []T, n, least int) []T {
	if cap(b)-len(b) >= n {
		return b
	}
	return make([]T, 0, max(n, 2*cap(b), least))
}

// renameKeys gives keys, whose names are among the arguments, in their order mostly, these as their names.
func renameKeys(keys []shard.Key, args [][]byte) {
	at := 0
	for i := range keys {
		for range args {
			if at++; at >= len(args) {
				at = 0
			}
			if string(args[at]) == string(keys[i].Name) {
				keys[i].Name = args[at]
				break
			}
		}
	}
}

// memory returns what the transaction costs, in bytes.
func (t *transaction) memory() int {
	return t.bytes + cap(t.cmds)*requestBytes + cap(t.keys)*keyBytes
}

// requestBytes and keyBytes are the sizes of a request and a shard.Key.
const requestBytes, keyBytes = 88, 40

// keptTransactions is how many unused transactions a reactor keeps with their memory.
const keptTransactions = 64

func (r *reactor) newTransaction() *transaction {
	if n := len(r.unused); n > 0 {
		t := r.unused[n-1]
		r.unused = r.unused[:n-1]
		return t
	}
	return &transaction{}
}

// endMulti ends cl's transaction and its watching of keys. held tells that the shards of all these are locked.
func (r *reactor) endMulti(cl *Client, held bool) {
	r.unwatch(cl, held)
	t := cl.multi
	if t == nil {
		return
	}
	cl.multi = nil
	cl.flags &^= clientMulti | clientCaching
	if t.carried || len(r.unused) == keptTransactions {
		return
	}
	clear(t.cmds)
	clear(t.args)
	clear(t.keys)
	kept := transaction{cmds: t.cmds[:0], buf: t.buf[:0], args: t.args[:0], keys: t.keys[:0]}
	if cap(kept.cmds)*requestBytes > maxQueueBytes || cap(kept.buf) > maxQueueBytes || cap(kept.args) > maxQueueBytes/32 || cap(kept.keys) > maxQueueBytes/64 {
		return
	}
	*t = kept
	r.unused = append(r.unused, t)
}

func multi(c *command.Ctx) {
	cl := client(c)
	if cl.multi != nil {
		c.Error("ERR MULTI calls can not be nested")
		return
	}
	cl.multi = cl.reactor.newTransaction()
	cl.multi.db = cl.db
	cl.flags |= clientMulti
	c.Reply.OK()
}

func discard(c *command.Ctx) {
	cl := client(c)
	if cl.multi == nil {
		c.Error("ERR DISCARD without MULTI")
		return
	}
	cl.reactor.endMulti(cl, false)
	c.Reply.OK()
}

func execCommand(c *command.Ctx) {
	cl := client(c)
	r, t := cl.reactor, cl.multi
	switch {
	case t == nil:
		c.Error("ERR EXEC without MULTI")
	case t.aborted:
		r.endMulti(cl, false)
		c.Error(errExecAbort)
	case cl.dirty():
		r.endMulti(cl, false)
		c.Reply.NullArray()
	case t.alone || t.scripts && r.asksInside(t):
		r.execAlone(cl)
	default:
		r.exec(cl, t)
	}
}

// runPart runs a command of a transaction, unless the client's user may not run it any more. The reply goes to w.
func (r *reactor) runPart(cl *Client, q *request, w *resp.Writer) {
	if why := r.deniedInside(cl, q, "multi"); why != "" {
		w.Error("NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: " + why)
		return
	}
	r.runInner(cl, q, w)
}

// exec runs the transaction t, or nothing if a watched key has been modified.
func (r *reactor) exec(cl *Client, t *transaction) {
	many := r.lockGroup(t.cmds, cl.watching)
	if r.groupWaits(cl, t, many) {
		return
	}
	if cl.dirty() || cl.watching != nil && cl.watching.Expired() {
		r.endMulti(cl, true)
		r.endGroup(many)
		r.w.NullArray()
		return
	}
	r.unwatch(cl, true)
	if t.scripts && r.mayLast(t) {
		r.execCarried(cl, t)
		return
	}
	r.beginReplies(cl, t, &r.w)
	r.beginInner(cl)
	for i := range t.cmds {
		if i < t.homed && i%batchCommands == 0 {
			r.prefetchGroup(t.cmds[i:min(i+batchCommands, t.homed)])
		}
		r.runPart(cl, &t.cmds[i], &r.w)
	}
	r.endInner()
	r.endMulti(cl, true)
	r.endGroup(many)
}

// groupWaits puts EXEC off if one of its commands has to wait, for a snapshot or a command that runs in steps. The
// locks of all, many, are held.
func (r *reactor) groupWaits(cl *Client, t *transaction, many *lockSet) bool {
	if sn := r.srv.saving.current.Load(); sn == nil || !r.saveGroup(cl, sn, t.cmds, many) {
		if r.srv.leases.running.Load() == 0 || !r.awaitGroupLease(cl, t.cmds, many) {
			return false
		}
	}
	r.long.lengthened = true
	return true
}

// beginReplies begins the reply to EXEC. CLIENT REPLY in a transaction takes effect at once, as in Redis, so each of
// the replies in it is dropped or not for itself.
func (r *reactor) beginReplies(cl *Client, t *transaction, w *resp.Writer) {
	r.replying = true
	if !cl.muted() {
		w.Array(len(t.cmds))
	}
}

// prefetchGroup asks for the cache lines of the keys of g.
func (r *reactor) prefetchGroup(g []request) {
	keys := r.inner.keys[:0]
	for i := range g {
		if len(keys)+len(g[i].keys) > batchKeys {
			break
		}
		keys = append(keys, g[i].keys...)
	}
	r.inner.keys = keys[:0]
	r.prefetchKeys(keys)
	clear(keys)
}

// awaitGroupLease puts EXEC off if one of its commands has to wait for a command that runs in steps, or refuses it if
// that is a slow script; see awaitLease.
func (r *reactor) awaitGroupLease(cl *Client, g []request, many *lockSet) bool {
	busy := r.srv.gate.Load()&gateBusy != 0 && slices.ContainsFunc(g, func(q request) bool { return busyKey(&q) })
	if busy {
		// nobody waits for a slow script
	} else if many != nil && many.all {
		if !r.awaitExclusive(cl) && !r.awaitAnyLease(cl) {
			return false
		}
	} else if !r.awaitExclusive(cl) {
		i := 0
		var k *shard.Key
		for ; i < len(g) && k == nil; i++ {
			k = leasedKey(&g[i])
		}
		if k == nil {
			return false
		}
		k.Await(r.resumer(cl))
	}
	if many != nil {
		r.unlock(many)
	} else {
		r.release()
	}
	if busy {
		r.reject(r.ctx.Spec, r.srv.running.busy())
	} else {
		r.putOffRunning(cl, r.ctx.Args)
	}
	return true
}

func watch(c *command.Ctx) {
	cl := client(c)
	if cl.multi != nil {
		c.Error("ERR WATCH inside MULTI is not allowed")
		return
	}
	if !cl.dirty() {
		if cl.watching == nil {
			cl.watching = new(shard.Watcher)
		}
		for i := range c.Keys {
			cl.watching.Watch(&c.Keys[i])
		}
	}
	c.Reply.OK()
}

func unwatch(c *command.Ctx) {
	cl := client(c)
	cl.reactor.unwatch(cl, false)
	c.Reply.OK()
}

// dirty tells whether a key that cl watches has been modified.
func (cl *Client) dirty() bool { return cl.watching != nil && cl.watching.Modified() }

// watchesAtOnce is how many keys are left in one step by a client that watches them.
const watchesAtOnce = 256

// unwatch ends cl's watching of keys. held tells that the shards of all are locked; if not, that of the command before,
// if it still is, is given back.
func (r *reactor) unwatch(cl *Client, held bool) {
	w := cl.watching
	if w == nil {
		return
	}
	if !held {
		r.release()
	}
	if w.Leave(watchesAtOnce, held) {
		cl.watching = nil
		r.leaveLater(w)
		return
	}
	w.Reset()
}

// leaveLater takes w, whose client does not need it any more, out of the shards' lists, step by step.
func (r *reactor) leaveLater(w *shard.Watcher) {
	r.net.Post(func() {
		if w.Leave(watchesAtOnce, false) {
			r.leaveLater(w)
		}
	})
}

// queueBytes returns what cl's transaction and watched keys cost, in bytes.
func (cl *Client) queueBytes() int {
	n := 0
	if cl.multi != nil {
		n += cl.multi.memory()
	}
	if cl.watching != nil {
		n += cl.watching.Bytes()
	}
	return n
}

// queuedCommands returns how many commands cl has queued, or -1 if it is in no transaction.
func (cl *Client) queuedCommands() int {
	if cl.multi == nil {
		return -1
	}
	return len(cl.multi.cmds)
}

// refusal words the refusal of a command in a transaction, which it spoils: that of EXEC ends it.
func (cl *Client) refusal(spec *command.Spec, e command.Error) command.Error {
	if cl.multi != nil {
		cl.multi.aborted = true
	}
	if spec != cl.reactor.srv.execSpec {
		return e
	}
	cl.reactor.endMulti(cl, false)
	return command.Error("EXECABORT Transaction discarded because of: " + strings.TrimPrefix(string(e), "ERR "))
}
