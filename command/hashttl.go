package command

import (
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types/hash"
)

var (
	argFieldCount = []Arg{{Name: "numfields", Type: ArgInteger}, argFields}
	fieldsBlock   = Arg{Name: "fields", Type: ArgBlock, Token: "FIELDS", Args: argFieldCount}
	fieldListArgs = []Arg{argKey, fieldsBlock}

	fieldCondition = Arg{Name: "condition", Type: ArgOneOf, Optional: true, Args: []Arg{
		{Name: "nx", Type: ArgPureToken, Token: "NX"}, {Name: "xx", Type: ArgPureToken, Token: "XX"},
		{Name: "gt", Type: ArgPureToken, Token: "GT"}, {Name: "lt", Type: ArgPureToken, Token: "LT"}}}
)

// fieldExpiryArgs are the arguments of HEXPIRE and its variants.
func fieldExpiryArgs(time string, t ArgType) []Arg {
	return []Arg{argKey, {Name: time, Type: t}, fieldCondition, fieldsBlock}
}

const perField = "O(N) where N is the number of fields given."

// HashTTLCommands are the commands on the time to live of the fields of hashes.
var HashTTLCommands = []Spec{
	{Name: "HEXPIRE", Arity: -6, Flags: Write | DenyOOM | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Update), Group: GroupHash, Since: "7.4.0", Complexity: perField,
		Summary: "Sets the time to live of fields in seconds.",
		Args:    fieldExpiryArgs("seconds", ArgInteger), Run: func(c *Ctx) { c.expireFields(expireEX) }},
	{Name: "HEXPIREAT", Arity: -6, Flags: Write | DenyOOM | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Update), Group: GroupHash, Since: "7.4.0", Complexity: perField,
		Summary: "Sets the time at which fields expire in unix seconds.",
		Args:    fieldExpiryArgs("unix-time-seconds", ArgUnixTime), Run: func(c *Ctx) { c.expireFields(expireEXAT) }},
	{Name: "HEXPIRETIME", Arity: -5, Flags: ReadOnly | Fast, ACL: ACLHash,
		Keys: OneKey(1, RO|Access), Group: GroupHash, Since: "7.4.0", Complexity: perField,
		Summary: "Replies when fields expire in unix seconds.",
		Args:    fieldListArgs, Run: func(c *Ctx) { c.fieldTTLs(0, true) }},
	{Name: "HGETDEL", Arity: -5, Flags: Write | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Access|Delete), Group: GroupHash, Since: "8.0.0", Complexity: perField,
		Summary: "Reads the values of fields and removes them.",
		Args:    fieldListArgs, Run: hgetdel},
	{Name: "HGETEX", Arity: -5, Flags: Write | Fast, ACL: ACLHash,
		Keys: []KeySpec{{Flags: RW | Access | Update, Index: 1, Step: 1,
			Notes: "RW and UPDATE because it changes the TTL"}},
		Group: GroupHash, Since: "8.0.0", Complexity: perField,
		Summary: "Reads the values of fields and changes or removes their time to live.",
		Args:    []Arg{argKey, argExpiration(Arg{Name: "persist", Type: ArgPureToken, Token: "PERSIST"}), fieldsBlock},
		Run:     hgetex},
	{Name: "HPERSIST", Arity: -5, Flags: Write | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Update), Group: GroupHash, Since: "7.4.0", Complexity: perField,
		Summary: "Removes the time to live of fields.",
		Args:    fieldListArgs, Run: hpersist},
	{Name: "HPEXPIRE", Arity: -6, Flags: Write | DenyOOM | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Update), Group: GroupHash, Since: "7.4.0", Complexity: perField,
		Summary: "Sets the time to live of fields in milliseconds.",
		Args:    fieldExpiryArgs("milliseconds", ArgInteger), Run: func(c *Ctx) { c.expireFields(expirePX) }},
	{Name: "HPEXPIREAT", Arity: -6, Flags: Write | DenyOOM | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Update), Group: GroupHash, Since: "7.4.0", Complexity: perField,
		Summary: "Sets the time at which fields expire in unix milliseconds.",
		Args:    fieldExpiryArgs("unix-time-milliseconds", ArgUnixTime), Run: func(c *Ctx) { c.expireFields(expirePXAT) }},
	{Name: "HPEXPIRETIME", Arity: -5, Flags: ReadOnly | Fast, ACL: ACLHash,
		Keys: OneKey(1, RO|Access), Group: GroupHash, Since: "7.4.0", Complexity: perField,
		Summary: "Replies when fields expire in unix milliseconds.",
		Args:    fieldListArgs, Run: func(c *Ctx) { c.fieldTTLs(0, false) }},
	{Name: "HPTTL", Arity: -5, Flags: ReadOnly | Fast, ACL: ACLHash,
		Keys: OneKey(1, RO|Access), Group: GroupHash, Since: "7.4.0", Complexity: perField, Tips: tipsArbitrary,
		Summary: "Replies the time to live of fields in milliseconds.",
		Args:    fieldListArgs, Run: func(c *Ctx) { c.fieldTTLs(c.NowMS, false) }},
	{Name: "HSETEX", Arity: -6, Flags: Write | DenyOOM | Fast, ACL: ACLHash,
		Keys: OneKey(1, RW|Update), Group: GroupHash, Since: "8.0.0", Complexity: perField,
		Summary: "Sets fields with a time to live, if none or all of them exist where that is asked for.",
		Args: []Arg{argKey,
			{Name: "condition", Type: ArgOneOf, Optional: true, Args: []Arg{
				{Name: "fnx", Type: ArgPureToken, Token: "FNX"}, {Name: "fxx", Type: ArgPureToken, Token: "FXX"}}},
			argExpiration(Arg{Name: "keepttl", Type: ArgPureToken, Token: "KEEPTTL"}),
			{Name: "fields", Type: ArgBlock, Token: "FIELDS", Args: []Arg{{Name: "numfields", Type: ArgInteger},
				{Name: "data", Type: ArgBlock, Multiple: true, Args: []Arg{argField, argValue}}}}},
		Run: hsetex},
	{Name: "HTTL", Arity: -5, Flags: ReadOnly | Fast, ACL: ACLHash,
		Keys: OneKey(1, RO|Access), Group: GroupHash, Since: "7.4.0", Complexity: perField, Tips: tipsArbitrary,
		Summary: "Replies the time to live of fields in seconds.",
		Args:    fieldListArgs, Run: func(c *Ctx) { c.fieldTTLs(c.NowMS, true) }},
}

// Words of commands as they are propagated.
var (
	wordHPExpireAt = []byte("HPEXPIREAT")
	wordHPersist   = []byte("HPERSIST")
	wordHSetEx     = []byte("HSETEX")
)

const (
	errFieldsMissing  Error = "ERR Mandatory argument FIELDS is missing or not at the right position"
	errFieldCount     Error = "ERR Parameter `numFields` should be greater than 0"
	errFieldMismatch  Error = "ERR The `numfields` parameter must match the number of arguments"
	errNegativeExpiry Error = "ERR invalid expire time, must be >= 0"
)

// What the commands on times to live reply for a field.
const (
	fieldMissing    = -2
	fieldNoTTL      = -1
	fieldUnchanged  = 0
	fieldChanged    = 1
	fieldDeletedNow = 2
)

// fieldList returns the arguments after FIELDS, which is argument i, and the number that follows it: of fields that take
// per arguments each.
func (c *Ctx) fieldList(i, per int) (list [][]byte, ok bool) {
	if i+1 >= len(c.Args) || !c.isOption(i, "FIELDS") {
		c.Error(errFieldsMissing)
		return nil, false
	}
	n, ok := shard.ParseInt(c.Args[i+1])
	switch list = c.Args[i+2:]; {
	case !ok || n < 1:
		c.Error(errFieldCount)
	case n > int64(len(list)) || int(n)*per != len(list):
		c.Error(errFieldMismatch)
	default:
		return list, true
	}
	return nil, false
}

// effect is the fields that a command changes in a way that has to be told to replicas.
type effect struct {
	fields [][]byte
}

func (e *effect) add(field []byte) { e.fields = append(e.fields, field) }

// propagate tells replicas: words, FIELDS, the number of fields, and these.
func (e *effect) propagate(c *Ctx, words ...[]byte) {
	if !c.Journaling() || len(e.fields) == 0 {
		return
	}
	words = append(words, wordFields, shard.AppendInt(nil, int64(len(e.fields))))
	c.Propagate(c.DB, append(words, e.fields...)...)
}

// fieldChanges collects what a command does to the times to live of fields.
type fieldChanges struct {
	timed, persisted, deleted effect
}

// finish stores the hash, notifies and propagates. ms is the expiry of the fields timed. It replies with an error if there is no
// memory.
func (f *fieldChanges) finish(c *Ctx, w *writtenHash, ms int64, err error) {
	n := len(f.timed.fields) + len(f.persisted.fields) + len(f.deleted.fields)
	if n == 0 && err == nil {
		return
	}
	gone := w.Size() == 0
	w.keep(c, err)
	c.Changed(n)
	var buf [20]byte
	f.timed.propagate(c, wordHPExpireAt, w.k.Name, shard.AppendInt(buf[:0], ms))
	f.persisted.propagate(c, wordHPersist, w.k.Name)
	if c.Journaling() && len(f.deleted.fields) > 0 {
		c.Propagate(c.DB, append([][]byte{wordHDel, w.k.Name}, f.deleted.fields...)...)
	}
	if len(f.deleted.fields) > 0 {
		c.Notify(NotifyHash, "hdel", w.k.Name)
	}
	if len(f.timed.fields) > 0 {
		c.Notify(NotifyHash, "hexpire", w.k.Name)
	}
	if len(f.persisted.fields) > 0 {
		c.Notify(NotifyHash, "hpersist", w.k.Name)
	}
	if gone {
		c.Notify(NotifyGeneric, "del", w.k.Name)
	}
}

// fieldTime returns argument i, a time in the given form, as unix ms.
func (c *Ctx) fieldTime(i int, form expireForm) (ms int64, ok bool) {
	n, ok := c.intArg(i)
	if !ok {
		return 0, false
	}
	if n < 0 {
		c.Error(errNegativeExpiry)
		return 0, false
	}
	if form == expireEX || form == expireEXAT {
		if n > hash.MaxExpireMS/1000 {
			c.Error(c.errExpireTime())
			return 0, false
		}
		n *= 1000
	}
	fromMS := int64(0)
	if form == expireEX || form == expirePX {
		fromMS = c.NowMS
	}
	if n > hash.MaxExpireMS-fromMS {
		c.Error(c.errExpireTime())
		return 0, false
	}
	return n + fromMS, true
}

// expireFields is HEXPIRE and its variants.
func (c *Ctx) expireFields(form expireForm) {
	ms, ok := c.fieldTime(2, form)
	if !ok {
		return
	}
	var cond conditions
	at := 4
	switch {
	case c.isOption(3, "NX"):
		cond.nx = true
	case c.isOption(3, "XX"):
		cond.xx = true
	case c.isOption(3, "GT"):
		cond.gt = true
	case c.isOption(3, "LT"):
		cond.lt = true
	default:
		at = 3
	}
	list, ok := c.fieldList(at, 1)
	if !ok {
		return
	}
	c.eachField(list, ms, func(f *fieldChanges, w *writtenHash, field []byte, wasMS int64) (int64, error) {
		if !cond.allows(wasMS, ms) {
			return fieldUnchanged, nil
		}
		return f.retime(c, w, field, ms)
	})
}

// eachField calls change for each of the fields that exists, with its expiry, replies with the results and keeps what has
// become of the hash. ms is the expiry that fields are given.
func (c *Ctx) eachField(list [][]byte, ms int64, change func(f *fieldChanges, w *writtenHash, field []byte, wasMS int64) (int64, error)) {
	var w writtenHash
	if !c.writeHash(&w) {
		return
	}
	var changes fieldChanges
	var err error
	start := len(c.Reply.Buf)
	c.Reply.Array(len(list))
	for _, field := range list {
		result := int64(fieldMissing)
		if wasMS, exists := w.ExpireMS(field); exists {
			if result, err = change(&changes, &w, field, wasMS); err != nil {
				c.Reply.Buf = c.Reply.Buf[:start]
				break
			}
		}
		c.Reply.Int(result)
	}
	changes.finish(c, &w, ms, err)
}

// retime gives a field that exists the expiry ms, or removes it if that has come.
func (f *fieldChanges) retime(c *Ctx, w *writtenHash, field []byte, ms int64) (result int64, err error) {
	if c.past(ms) {
		if _, err = w.Delete(field); err == nil {
			f.deleted.add(field)
		}
		return fieldDeletedNow, err
	}
	if err = w.SetExpire(field, ms); err == nil {
		f.timed.add(field)
	}
	return fieldChanged, err
}

// fieldTTLs replies when fields expire, less fromMS, in ms or rounded to seconds.
func (c *Ctx) fieldTTLs(fromMS int64, seconds bool) {
	list, ok := c.fieldList(2, 1)
	if !ok {
		return
	}
	v, ok := c.readHash()
	if !ok {
		return
	}
	c.Reply.Array(len(list))
	for _, field := range list {
		switch ms, exists := v.ExpireMS(field); {
		case !exists:
			c.Reply.Int(fieldMissing)
		case ms == 0:
			c.Reply.Int(fieldNoTTL)
		case seconds:
			c.Reply.Int((ms - fromMS + 999) / 1000)
		default:
			c.Reply.Int(ms - fromMS)
		}
	}
}

func hpersist(c *Ctx) {
	list, ok := c.fieldList(2, 1)
	if !ok {
		return
	}
	c.eachField(list, 0, func(f *fieldChanges, w *writtenHash, field []byte, wasMS int64) (int64, error) {
		if wasMS == 0 {
			return fieldNoTTL, nil
		}
		return fieldChanged, f.persist(w, field)
	})
}

func (f *fieldChanges) persist(w *writtenHash, field []byte) error {
	err := w.SetExpire(field, 0)
	if err == nil {
		f.persisted.add(field)
	}
	return err
}

func hgetdel(c *Ctx) {
	list, ok := c.fieldList(2, 1)
	if !ok {
		return
	}
	var w writtenHash
	if !c.writeHash(&w) {
		return
	}
	var changes fieldChanges
	var err error
	start := len(c.Reply.Buf)
	c.Reply.Array(len(list))
	for _, field := range list {
		value, exists := w.Get(field)
		if !exists {
			c.Reply.Null()
			continue
		}
		c.bulkElement(value)
		if _, err = w.Delete(field); err != nil {
			c.Reply.Buf = c.Reply.Buf[:start]
			break
		}
		changes.deleted.add(field)
	}
	changes.finish(c, &w, 0, err)
}

// fieldOptions are the options of HGETEX and HSETEX.
type fieldOptions struct {
	form     expireForm
	ms       int64 // where form takes a time
	fnx, fxx bool
	list     [][]byte
}

// fieldOptions reads them; other is the form that stands beside the times, onlyOne the reply to more than one of these.
func (c *Ctx) fieldOptions(other expireForm, onlyOne Error, per int) (o fieldOptions, ok bool) {
	i := 2
	for ; i < len(c.Args) && !c.isOption(i, "FIELDS"); i++ {
		form := c.expireOption(i)
		switch {
		case form == other || form.takesTime():
			if o.form != expireNone {
				c.Error(onlyOne)
				return o, false
			}
			o.form = form
			if !form.takesTime() {
				continue
			}
			if i++; i == len(c.Args) {
				c.Error(ErrSyntax)
				return o, false
			}
			if o.ms, ok = c.fieldTime(i, form); !ok {
				return o, false
			}
		case other == expireKeep && c.isOption(i, "FNX") && !o.fxx:
			o.fnx = true
		case other == expireKeep && c.isOption(i, "FXX") && !o.fnx:
			o.fxx = true
		default:
			c.Error(ErrSyntax)
			return o, false
		}
	}
	o.list, ok = c.fieldList(i, per)
	return o, ok
}

func hgetex(c *Ctx) {
	o, ok := c.fieldOptions(expirePersist, "ERR Only one of EX, PX, EXAT, PXAT or PERSIST arguments can be specified", 1)
	if !ok {
		return
	}
	var w writtenHash
	if !c.writeHash(&w) {
		return
	}
	var changes fieldChanges
	var err error
	start := len(c.Reply.Buf)
	c.Reply.Array(len(o.list))
	for _, field := range o.list {
		value, exists := w.Get(field)
		if !exists {
			c.Reply.Null()
			continue
		}
		c.bulkElement(value)
		if o.form == expirePersist {
			if ms, _ := w.ExpireMS(field); ms != 0 {
				err = changes.persist(&w, field)
			}
		} else if o.form != expireNone {
			_, err = changes.retime(c, &w, field, o.ms)
		}
		if err != nil {
			c.Reply.Buf = c.Reply.Buf[:start]
			break
		}
	}
	changes.finish(c, &w, o.ms, err)
}

func hsetex(c *Ctx) {
	o, ok := c.fieldOptions(expireKeep, "ERR Only one of EX, PX, EXAT, PXAT or KEEPTTL arguments can be specified", 2)
	if !ok {
		return
	}
	var w writtenHash
	if !c.writeHash(&w) {
		return
	}
	if !o.allows(&w) {
		c.Reply.Int(0)
		return
	}
	past := o.form.takesTime() && c.past(o.ms)
	err := c.setFieldsEx(&w, &o, past)
	n := len(o.list) / 2
	gone := w.Size() == 0
	existed := w.e.Exists()
	if !w.keep(c, err) {
		return
	}
	c.Changed(n)
	c.Notify(NotifyHash, "hset", w.k.Name)
	switch {
	case past:
		c.Notify(NotifyHash, "hdel", w.k.Name)
	case o.form.takesTime():
		c.Notify(NotifyHash, "hexpire", w.k.Name)
	}
	if gone && existed {
		c.Notify(NotifyGeneric, "del", w.k.Name)
	}
	c.propagateSetEx(w.k.Name, &o, past)
	c.Reply.Int(1)
}

// allows tells whether the condition of HSETEX holds.
func (o *fieldOptions) allows(w *writtenHash) bool {
	for i := 0; (o.fnx || o.fxx) && i < len(o.list); i += 2 {
		if _, exists := w.Get(o.list[i]); exists != o.fxx {
			return false
		}
	}
	return true
}

// setFieldsEx sets the fields of HSETEX, or removes them if they would have expired at once.
func (c *Ctx) setFieldsEx(w *writtenHash, o *fieldOptions, past bool) (err error) {
	for i := 0; i < len(o.list) && err == nil; i += 2 {
		switch {
		case past:
			_, err = w.Delete(o.list[i])
		case o.form == expireKeep:
			_, err = w.Set(c.Env.Limits, o.list[i], o.list[i+1], hash.KeepTTL)
		default:
			_, err = w.Set(c.Env.Limits, o.list[i], o.list[i+1], o.ms)
		}
	}
	return err
}

func (c *Ctx) propagateSetEx(key []byte, o *fieldOptions, past bool) {
	if !c.Journaling() {
		return
	}
	count := shard.AppendInt(nil, int64(len(o.list)/2))
	switch {
	case past:
		words := [][]byte{wordHDel, key}
		for i := 0; i < len(o.list); i += 2 {
			words = append(words, o.list[i])
		}
		c.Propagate(c.DB, words...)
	case o.form == expireKeep:
		c.Propagate(c.DB, append([][]byte{wordHSetEx, key, wordKeepTTL, wordFields, count}, o.list...)...)
	case o.form == expireNone:
		c.Propagate(c.DB, append([][]byte{wordHSet, key}, o.list...)...)
	default:
		ms := shard.AppendInt(nil, o.ms)
		c.Propagate(c.DB, append([][]byte{wordHSetEx, key, wordPXAT, ms, wordFields, count}, o.list...)...)
	}
}
