package server

import (
	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/persist/rdb"
	"github.com/shoaldb/shoal/resp"
	"github.com/shoaldb/shoal/shard"
)

var migrateCommands = []command.Spec{
	{Name: "MIGRATE", Arity: -6, Flags: command.Write | command.Barrier, ACL: command.ACLKeyspace | command.ACLDangerous,
		Tips: []string{"nondeterministic_output"}, Outside: true, GetKeys: migrateKeys,
		Keys: []command.KeySpec{
			{Flags: command.RW | command.Access | command.Delete, Index: 3, Last: 0, Step: 1},
			{Flags: command.RW | command.Access | command.Delete | command.Incomplete, Keyword: "KEYS", StartFrom: -2, Last: -1, Step: 1}},
		Group: command.GroupGeneric, Since: "2.6.0",
		Complexity: "That of DUMP and DEL here and of RESTORE there, and O(N) for the way between them.",
		Summary:    "Moves keys to another server.",
		History: []command.Change{{Since: "3.0.0", What: "Takes `COPY` and `REPLACE`."}, {Since: "3.0.6", What: "Takes `KEYS`."},
			{Since: "4.0.7", What: "Takes `AUTH`."}, {Since: "6.0.0", What: "Takes `AUTH2`."}},
		Args: []command.Arg{{Name: "host"}, {Name: "port", Type: command.ArgInteger},
			{Name: "key_or_empty_string", Type: command.ArgOneOf, Args: []command.Arg{{Name: "key", Type: command.ArgKey},
				{Name: "empty_string", Type: command.ArgPureToken}}},
			{Name: "destination-db", Type: command.ArgInteger}, {Name: "timeout", Type: command.ArgInteger},
			{Name: "copy", Type: command.ArgPureToken, Token: "COPY", Since: "3.0.0", Optional: true},
			{Name: "replace", Type: command.ArgPureToken, Token: "REPLACE", Since: "3.0.0", Optional: true},
			{Name: "authentication", Type: command.ArgOneOf, Optional: true, Args: []command.Arg{
				{Name: "password", Token: "AUTH", Since: "4.0.7", Optional: true},
				{Name: "username_password", Type: command.ArgBlock, Token: "AUTH2", Since: "6.0.0", Optional: true,
					Args: []command.Arg{{Name: "username"}, {Name: "password"}}}}},
			{Name: "key", Type: command.ArgKey, Token: "KEYS", Since: "3.0.6", KeySpecIndex: 1, Optional: true, Multiple: true}},
		Run: migrate, Replaces: true},
}

// migrateKeys finds the key, or what stands after KEYS if that is empty.
func migrateKeys(args [][]byte, dst []int) ([]int, error) {
	if len(args[3]) == 0 {
		for i := 6; i < len(args); i++ {
			switch {
			case command.EqualFold(args[i], "AUTH"):
				i++
			case command.EqualFold(args[i], "AUTH2"):
				i += 2
			case command.EqualFold(args[i], "KEYS"):
				for i++; i < len(args); i++ {
					dst = append(dst, i)
				}
				return dst, nil
			}
		}
	}
	return append(dst, 3), nil
}

const (
	errMigrateKeys command.Error = "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string"
	errMigrateOpen command.Error = "IOERR error or timeout connecting to the client"
	errMigrateRead command.Error = "IOERR error or timeout reading to target instance"
	errMigrateSend command.Error = "IOERR error or timeout writing to target instance"
)

// migration is what a MIGRATE is to do.
type migration struct {
	host, port    string
	db, timeoutMS int64
	keep, replace bool     // COPY, REPLACE
	auth          [][]byte // AUTH and its arguments

	keys    []*shard.Key // those that are sent
	sent    []byte       // the commands that create them there
	done    []bool       // of keys: it has been created
	failure command.Error
}

// migrate holds its keys, by leases, until the other server has replied, but neither its reactor nor any lock.
func migrate(c *command.Ctx) {
	m, ok := parseMigrate(c)
	if !ok {
		return
	}
	if m.lookUp(c); len(m.keys) == 0 {
		c.Reply.Simple("NOKEY")
		return
	}
	if c.Outside == nil && c.Lengthen != nil && !c.LockedAll && c.Lengthen(c) {
		return
	}
	m.dump(c)
	transfer := func() { m.transfer(&client(c).reactor.srv.migrations) }
	if c.Outside != nil {
		c.Outside(transfer)
	} else {
		transfer()
	}
	m.finish(c)
}

func parseMigrate(c *command.Ctx) (m *migration, ok bool) {
	m = &migration{host: string(c.Args[1]), port: string(c.Args[2])}
	for i := 6; i < len(c.Args); i++ {
		more := len(c.Args) - 1 - i
		switch {
		case command.EqualFold(c.Args[i], "COPY"):
			m.keep = true
		case command.EqualFold(c.Args[i], "REPLACE"):
			m.replace = true
		case command.EqualFold(c.Args[i], "AUTH") && more >= 1:
			m.auth = [][]byte{[]byte("AUTH"), c.Args[i+1]}
			i++
		case command.EqualFold(c.Args[i], "AUTH2") && more >= 2:
			m.auth = [][]byte{[]byte("AUTH"), c.Args[i+1], c.Args[i+2]}
			i += 2
		case command.EqualFold(c.Args[i], "KEYS"):
			if len(c.Args[3]) != 0 {
				c.Error(errMigrateKeys)
				return nil, false
			}
			i = len(c.Args)
		default:
			c.Error(command.ErrSyntax)
			return nil, false
		}
	}
	if m.timeoutMS, ok = shard.ParseInt(c.Args[5]); ok {
		m.db, ok = shard.ParseInt(c.Args[4])
	}
	if !ok {
		c.Error(command.ErrNotInteger)
		return nil, false
	}
	if m.timeoutMS <= 0 {
		m.timeoutMS = 1000
	}
	return m, true
}

// lookUp finds the keys that exist.
func (m *migration) lookUp(c *command.Ctx) {
	for i := range c.Keys {
		k := &c.Keys[i]
		e := k.DB.Find(k)
		if c.Outside == nil { // else it has been counted before
			e = k.DB.Lookup(k)
		}
		if e.Exists() && !(k.DB.ExpireMS(e) != 0 && k.DB.ExpireMS(e) < c.NowMS) {
			m.keys = append(m.keys, k)
		}
	}
}

// dump makes the commands that create the keys there.
func (m *migration) dump(c *command.Ctx) {
	enc := rdb.Encoder{Compress: c.Env.Compress}
	n := 4
	if m.replace {
		n = 5
	}
	var payload []byte
	for _, k := range m.keys {
		e := k.DB.Find(k)
		ttlMS := int64(0)
		if at := k.DB.ExpireMS(e); at != 0 {
			ttlMS = max(at-c.NowMS, 1)
		}
		payload = command.AppendDump(c, payload[:0], &enc, k.DB, e)
		m.sent = resp.AppendArray(m.sent, n)
		m.sent = resp.AppendBulkString(m.sent, "RESTORE")
		m.sent = resp.AppendBulk(m.sent, k.Name)
		m.sent = resp.AppendBulkInt(m.sent, ttlMS)
		m.sent = resp.AppendBulk(m.sent, payload)
		if m.replace {
			m.sent = resp.AppendBulkString(m.sent, "REPLACE")
		}
	}
}

var wordDel = []byte("DEL")

// finish deletes the keys that have been created there, and replies.
func (m *migration) finish(c *command.Ctx) {
	if !m.keep {
		gone := [][]byte{wordDel}
		for i, k := range m.keys {
			if m.done[i] && k.DB.Delete(k) {
				c.Notify(command.NotifyGeneric, "del", k.Name)
				c.Changed(1)
				gone = append(gone, k.Name)
			}
		}
		if len(gone) > 1 && c.Journaling() {
			c.Propagate(c.DB, gone...)
		}
	}
	if m.failure != "" {
		c.Error(m.failure)
		return
	}
	c.Reply.OK()
}
