package command

import (
	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types"
)

// intArg returns argument i as an integer. If it is not one, it replies with an error.
func (c *Ctx) intArg(i int) (int64, bool) { return c.intArgOr(i, ErrNotInteger) }

// intArgOr is intArg with another error for what is not an integer.
func (c *Ctx) intArgOr(i int, e Error) (int64, bool) {
	n, ok := shard.ParseInt(c.Args[i])
	if !ok {
		c.Error(e)
	}
	return n, ok
}

// isOption tells whether argument i is the option called upper, in any case.
func (c *Ctx) isOption(i int, upper string) bool { return EqualFold(c.Args[i], upper) }

// errExpireTime is the reply to a time to live that is not positive or overflows.
func (c *Ctx) errExpireTime() Error {
	return Error("ERR invalid expire time in '" + c.Spec.FullName() + "' command")
}

// expireForm says how an option gives a time to live.
type expireForm uint8

const (
	expireNone    expireForm = iota
	expireEX                 // seconds from now
	expirePX                 // ms from now
	expireEXAT               // unix seconds
	expirePXAT               // unix ms
	expireKeep               // KEEPTTL
	expirePersist            // PERSIST
)

// takesTime tells whether a number follows the option.
func (f expireForm) takesTime() bool { return f >= expireEX && f <= expirePXAT }

// expireOption returns the form that argument i names, or expireNone.
func (c *Ctx) expireOption(i int) expireForm {
	switch {
	case c.isOption(i, "EX"):
		return expireEX
	case c.isOption(i, "PX"):
		return expirePX
	case c.isOption(i, "EXAT"):
		return expireEXAT
	case c.isOption(i, "PXAT"):
		return expirePXAT
	case c.isOption(i, "KEEPTTL"):
		return expireKeep
	case c.isOption(i, "PERSIST"):
		return expirePersist
	}
	return expireNone
}

// expireArg returns argument i, a time in the given form, as unix ms. It replies with an error unless the result is positive
// and the time itself is.
func (c *Ctx) expireArg(i int, f expireForm) (ms int64, ok bool) {
	n, ok := c.intArg(i)
	if !ok {
		return 0, false
	}
	const maxSec = (1<<63 - 1) / 1000
	seconds := f == expireEX || f == expireEXAT
	if n <= 0 || seconds && n > maxSec {
		c.Error(c.errExpireTime())
		return 0, false
	}
	if seconds {
		n *= 1000
	}
	if f == expireEX || f == expirePX {
		if n += c.NowMS; n <= 0 {
			c.Error(c.errExpireTime())
			return 0, false
		}
	}
	return n, true
}

// lookup finds k for reading: it counts a hit or a miss, touches the access clock and notifies of a miss.
func (c *Ctx) lookup(k *shard.Key) shard.Entry {
	if c.Yield != nil { // it has been counted before
		return k.DB.Find(k)
	}
	e := k.DB.Lookup(k)
	if !e.Exists() {
		c.Notify(NotifyKeyMiss, "keymiss", k.Name)
	}
	return e
}

// notifyNew notifies that k is about to be created, if it is. A command calls it before it writes.
func (c *Ctx) notifyNew(k *shard.Key) {
	if c.Env.Notify&NotifyNew != 0 && !k.DB.Find(k).Exists() {
		c.Notify(NotifyNew, "new", k.Name)
	}
}

// addValue makes root the value of k, whatever that held. If there is no memory it frees root, replies and reports false.
func (c *Ctx) addValue(k *shard.Key, root types.Root) bool {
	if !k.DB.Add(k, root, shard.SetMode{}) {
		k.DB.FreeRoot(root)
		c.Error(ErrNoMemory)
		return false
	}
	return true
}

// isString tells whether e, which exists, is a string. If not, it replies with ErrWrongType.
func (c *Ctx) isString(e shard.Entry) bool { return e.Type() == types.String || c.refuseType() }

// refuseType is apart, so that isString and its kin are inlined.
//
//go:noinline
func (c *Ctx) refuseType() bool {
	c.Error(ErrWrongType)
	return false
}
