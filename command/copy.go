package command

import "bytes"

// copyKey copies at once: a large string is shared until one of the two changes.
func copyKey(c *Ctx) {
	db, replace, ok := c.copyOptions()
	if !ok {
		return
	}
	from, to := &c.Keys[0], c.KeyOf(db, c.Args[2])
	if db == c.DB && bytes.Equal(from.Name, to.Name) {
		c.Error(ErrSameObject)
		return
	}
	if !c.lookup(from).Exists() || to.DB.LookupWrite(&to).Exists() && !replace {
		c.Reply.Int(0)
		return
	}
	if !c.KS.Copy(from, &to) {
		c.Error(ErrNoMemory)
		return
	}
	c.notifyIn(db, NotifyNew, "new", to.Name)
	c.notifyIn(db, NotifyGeneric, "copy_to", to.Name)
	c.Changed(1)
	c.Reply.Int(1)
}

func (c *Ctx) copyOptions() (db int, replace, ok bool) {
	db = c.DB
	for i := 3; i < len(c.Args); i++ {
		switch {
		case c.isOption(i, "REPLACE"):
			replace = true
		case c.isOption(i, "DB") && i+1 < len(c.Args):
			i++
			if db, ok = c.dbArg(i, errIntRange); !ok {
				return 0, false, false
			}
		default:
			c.Error(ErrSyntax)
			return 0, false, false
		}
	}
	return db, replace, true
}
