package command

import (
	"strconv"
	"sync"
	"time"

	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

var restoreSpec = Spec{Arity: -4, ACL: ACLKeyspace | ACLDangerous, Keys: OneKey(1, OW|Update),
	Complexity: "O(N) where N is the number of elements, O(N*log(N)) of a sorted set; O(1) for a short string.",
	History: []Change{{"3.0.0", "Takes `REPLACE`."}, {"5.0.0", "Takes `ABSTTL`."},
		{"5.0.0", "Takes `IDLETIME` and `FREQ`."}},
	Args: []Arg{argKey, {Name: "ttl", Type: ArgInteger}, {Name: "serialized-value", Type: ArgString},
		{Name: "replace", Type: ArgPureToken, Token: "REPLACE", Since: "3.0.0", Optional: true},
		{Name: "absttl", Type: ArgPureToken, Token: "ABSTTL", Since: "5.0.0", Optional: true},
		{Name: "seconds", Type: ArgInteger, Token: "IDLETIME", Since: "5.0.0", Optional: true},
		{Name: "frequency", Type: ArgInteger, Token: "FREQ", Since: "5.0.0", Optional: true}},
	Run: restore}

// DumpCommands are the commands that take values out of the keyspace, and bring them in, as bytes.
var DumpCommands = []Spec{
	{Name: "DUMP", Arity: 2, Flags: ReadOnly, ACL: ACLKeyspace, Keys: OneKey(1, RO|Access), Tips: tipsArbitrary,
		Group: GroupGeneric, Since: "2.6.0",
		Complexity: "O(N) where N is the number of elements; O(1) for a short string.",
		Summary:    "Gets a value as bytes that RESTORE understands.", Args: argOnlyKey, Run: dump},
	restoreSpec.named("RESTORE", GroupGeneric, "2.6.0", Write|DenyOOM, "Creates a key of bytes that DUMP has replied."),
	restoreSpec.named("RESTORE-ASKING", GroupServer, "3.0.0", Write|DenyOOM|Asking,
		"Is RESTORE, for a key whose slot is being moved here.", "syscmd"),
}

// named returns s with what tells it from a command that works alike.
func (s Spec) named(name string, group Group, since string, flags Flags, summary string, docFlags ...string) Spec {
	s.Name, s.Group, s.Since, s.Flags, s.Summary, s.DocFlags = name, group, since, flags, summary, docFlags
	return s
}

// dumper is what DUMP works with, kept for the next one.
type dumper struct {
	enc rdb.Encoder
	buf []byte
}

var dumpers = sync.Pool{New: func() any { return new(dumper) }}

const keptDump = 1 << 20 // buffers that have grown beyond are given up, bytes

func (d *dumper) release() {
	if cap(d.buf) <= keptDump {
		dumpers.Put(d)
	}
}

func dump(c *Ctx) {
	k := &c.Keys[0]
	e := c.lookup(k)
	if !e.Exists() {
		c.Reply.Null()
		return
	}
	if c.Long(valueLen(k.DB, e)) {
		return
	}
	d := dumpers.Get().(*dumper)
	d.enc.Compress = c.Env.Compress
	if c.Yield != nil && e.Type() != types.String {
		c.dumpInSteps(&d.enc, k.DB, e)
		d.release()
		return
	}
	d.buf = AppendDump(c, d.buf[:0], &d.enc, k.DB, e)
	c.Reply.Bulk(d.buf)
	d.release()
}

// dumpInSteps replies with the payload of e, a collection, of which no two steps' parts are ever together.
func (c *Ctx) dumpInSteps(enc *rdb.Encoder, db *shard.DB, e shard.Entry) {
	c.beginUncounted()
	kind := enc.Start(db.Space(), db.Root(e))
	w := c.Reply
	w.Buf = append(w.Buf, byte(kind))
	from, n, sum := 0, 0, uint64(0)
	const step = 4096 // bytes, some 10 µs
	for more := true; more; {
		w.Buf, more = enc.Step(w.Buf, step)
		sum = rdb.Checksum(sum, w.Buf[from:])
		n += len(w.Buf) - from
		c.Pause(step / 8)
		from = len(w.Buf)
	}
	w.Buf = rdb.AppendFooterOf(w.Buf, kind, sum)
	n += len(w.Buf) - from
	w.Buf = append(w.Buf, '\r', '\n')
	c.Head = append(strconv.AppendInt(append(c.Head, '$'), int64(n), 10), '\r', '\n')
	c.Uncounted = false
}

// valueLen returns the number of elements of e; of a string, which takes as long to compress, 1/64 of its bytes.
func valueLen(db *shard.DB, e shard.Entry) int {
	if e.Type() == types.String {
		return db.StrLen(e) / 64
	}
	return db.Elements(e)
}

// AppendDump appends the payload of e, as DUMP replies it. It may pause; see Pause.
func AppendDump(c *Ctx, dst []byte, enc *rdb.Encoder, db *shard.DB, e shard.Entry) []byte {
	from := len(dst)
	if e.Type() == types.String {
		var scratch [20]byte
		dst = append(dst, byte(rdb.String))
		if c.Yield == nil {
			dst = rdb.AppendString(dst, db.Bytes(e, scratch[:]), enc.Compress)
		} else {
			dst = rdb.AppendLongString(dst, db.Bytes(e, scratch[:]), enc.Compress, c.Yield)
		}
		return rdb.AppendFooter(dst, from)
	}
	dst = append(dst, byte(enc.Start(db.Space(), db.Root(e))))
	const step = 4096 // bytes, some 10 µs
	for more := true; more; {
		if dst, more = enc.Step(dst, step); more {
			c.Pause(step / 8)
		}
	}
	return rdb.AppendFooter(dst, from)
}

// restorers keeps the memory of decoders for the next RESTORE.
var restorers = sync.Pool{New: func() any { return new(rdb.Decoder) }}

const (
	errBusyKey   Error = "BUSYKEY Target key name already exists."
	errTTL       Error = "ERR Invalid TTL value, must be >= 0"
	errIdleTime  Error = "ERR Invalid IDLETIME value, must be >= 0"
	errFreq      Error = "ERR Invalid FREQ value, must be >= 0 and <= 255"
	errBadFormat Error = "ERR Bad data format"
)

const maxIdleSec = 1 << 23 // half of what the access clock can tell

// restoreOptions are what follows the payload. idleSec and freq are -1 if not given.
type restoreOptions struct {
	replace, absolute bool
	idleSec, freq     int64
}

func restore(c *Ctx) {
	o, ok := c.restoreOptions()
	if !ok {
		return
	}
	k := &c.Keys[0]
	if !o.replace && k.DB.LookupWrite(k).Exists() {
		c.Error(errBusyKey)
		return
	}
	ttl, ok := c.intArg(2)
	if !ok {
		return
	}
	if ttl < 0 {
		c.Error(errTTL)
		return
	}
	const elementBytes = 8 // of a payload, as a guess
	if p := c.Args[3]; len(p) > 0 && p[0] != byte(rdb.String) && c.Long(len(p)/elementBytes) {
		return
	}
	var pause func(bytes int)
	if c.Yield != nil {
		pause = func(bytes int) { c.Pause(bytes / elementBytes) }
	}
	payload, err := rdb.OpenPayload(c.Args[3], c.Env.TrustPayloads, pause)
	if err != nil {
		c.Error(ErrPayload)
		return
	}
	c.restorePayload(k, payload, ttl, &o)
}

func (c *Ctx) restoreOptions() (o restoreOptions, ok bool) {
	o.idleSec, o.freq = -1, -1
	for i := 4; i < len(c.Args); i++ {
		switch more := i+1 < len(c.Args); {
		case c.isOption(i, "REPLACE"):
			o.replace = true
		case c.isOption(i, "ABSTTL"):
			o.absolute = true
		case c.isOption(i, "IDLETIME") && more && o.freq == -1:
			i++
			if o.idleSec, ok = c.intArg(i); !ok {
				return o, false
			}
			if o.idleSec < 0 {
				c.Error(errIdleTime)
				return o, false
			}
		case c.isOption(i, "FREQ") && more && o.idleSec == -1:
			i++
			if o.freq, ok = c.intArg(i); !ok {
				return o, false
			}
			if o.freq < 0 || o.freq > 255 {
				c.Error(errFreq)
				return o, false
			}
		default:
			c.Error(ErrSyntax)
			return o, false
		}
	}
	return o, true
}

// restorePayload gives k the value in payload.
func (c *Ctx) restorePayload(k *shard.Key, payload []byte, ttl int64, o *restoreOptions) {
	d := restorers.Get().(*rdb.Decoder)
	d.ResetBytes(payload)
	d.Deep = c.Env.SanitizePayloads
	if c.Yield != nil {
		d.Pause = c.Pause
	}
	v, err := c.decode(k, d)
	if d.Sanitized > 0 && c.Env.Sanitizations != nil {
		c.Env.Sanitizations.Add(int64(d.Sanitized))
	}
	if err != nil {
		if c.Env.Refused != nil {
			c.Env.Refused(k.Name, err)
		}
		c.Error(errBadFormat)
	} else {
		c.put(k, v, ttl, o)
	}
	d.Forget()
	restorers.Put(d)
}

func (c *Ctx) decode(k *shard.Key, d *rdb.Decoder) (rdb.Value, error) {
	t, err := d.Type()
	if err != nil {
		return rdb.Value{}, err
	}
	return d.Value(k.DB.Space(), c.Env.Limits, t)
}

// put makes v the value of k.
func (c *Ctx) put(k *shard.Key, v rdb.Value, ttl int64, o *restoreOptions) {
	at := ttl
	if ttl != 0 && !o.absolute {
		at += c.NowMS
	}
	if ttl != 0 && c.past(at) {
		c.restoreExpired(k, v, o.replace)
		return
	}
	c.Notify(NotifyNew, "new", k.Name)
	if !setValue(k, v, at) {
		freeValue(k, v)
		c.Error(ErrNoMemory)
		return
	}
	if e := k.DB.Find(k); o.idleSec >= 0 && !c.Env.LFU {
		k.DB.SetIdle(e, time.Duration(min(o.idleSec, maxIdleSec))*time.Second)
	} else if o.freq >= 0 && c.Env.LFU {
		k.DB.SetFreq(e, uint8(o.freq))
	}
	c.Notify(NotifyGeneric, "restore", k.Name)
	c.Changed(1)
	if ttl != 0 && !o.absolute && c.Journaling() {
		c.propagateRestore(at)
	}
	c.Reply.OK()
}

// restoreExpired replies for a value whose time has come: it is not even created.
func (c *Ctx) restoreExpired(k *shard.Key, v rdb.Value, replace bool) {
	freeValue(k, v)
	if replace && k.DB.Delete(k) {
		c.Notify(NotifyGeneric, "del", k.Name)
		c.Changed(1)
		if c.Journaling() {
			c.Propagate(c.DB, append(c.words[:0], wordDel, k.Name)...)
		}
	}
	c.Reply.OK()
}

var wordAbsTTL = []byte("ABSTTL")

// propagateRestore tells replicas the command with the time at which the key expires.
func (c *Ctx) propagateRestore(atMS int64) {
	args := append(make([][]byte, 0, len(c.Args)+1), c.Args...)
	args[2] = shard.AppendInt(nil, atMS)
	c.Propagate(c.DB, append(args, wordAbsTTL)...)
}

// setValue makes v the value of k, which expires at expireMS unless that is 0.
func setValue(k *shard.Key, v rdb.Value, expireMS int64) bool {
	m := shard.SetMode{ExpireMS: expireMS}
	if v.Kind == types.String {
		return k.DB.SetString(k, v.Text, m)
	}
	return k.DB.Add(k, v.Root, m)
}

func freeValue(k *shard.Key, v rdb.Value) {
	if v.Kind != types.String {
		k.DB.FreeRoot(v.Root)
	}
}
