package shard

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/alloc"
	"github.com/shoaldb/shoal/types"
)

// model checks a Keyspace against Go maps.
type model struct {
	t     testing.TB
	ks    *Keyspace
	rng   *rand.Rand
	nowMS int64
	want  []map[string]value // by database
	names []string
	pins  []pin
}

type value struct {
	bytes    string
	enc      types.Encoding
	expireMS int64
}

// pin is a large value that must not change until it is released.
type pin struct {
	p    Pinned
	want string
}

const (
	testDBs    = 3
	testShards = 4
)

func newModel(t testing.TB, seed uint64) *model {
	m := &model{t: t, rng: rand.New(rand.NewPCG(seed, 11)), nowMS: 1_700_000_000_000}
	m.ks = New(Options{Shards: testShards, Databases: testDBs, Seed: seed, NowMS: m.nowMS}, alloc.NewHeap())
	m.ks.Listen(m)
	for range testDBs {
		m.want = append(m.want, map[string]value{})
	}
	m.names = []string{"", "a", "{tag}1", "{tag}2", "{}x", strings.Repeat("k", 254), strings.Repeat("k", 255),
		strings.Repeat("k", 300), strings.Repeat("long", 1100)}
	for i := range 300 {
		m.names = append(m.names, fmt.Sprint("key:", i))
	}
	return m
}

// Expired makes *model an Events.
func (m *model) FieldExpired(int, []byte, []byte) {}

func (m *model) FieldsExpired(int, []byte, bool) {}
func (m *model) Evicted(int, []byte)             {}

func (m *model) Expired(db int, key []byte) {
	v, ok := m.want[db][string(key)]
	if !ok || v.expireMS == 0 || v.expireMS > m.nowMS {
		m.t.Fatalf("now %d: key %.40q of database %d expired, which should at %d (exists: %v)", m.nowMS, key, db, v.expireMS, ok)
	}
	delete(m.want[db], string(key))
}

// key binds a name; the caller holds all locks.
func (m *model) key(db int, name string) *Key {
	k := m.ks.Key(db, []byte(name))
	return &k
}

func (m *model) pick() string { return m.names[m.rng.IntN(len(m.names))] }

// find returns the entry of a key, which must be as the model says.
func (m *model) find(db int, name string) (*Key, Entry) {
	k := m.key(db, name)
	e := k.DB.Find(k)
	v, ok := m.want[db][name]
	if e.Exists() != ok {
		m.t.Fatalf("key %.40q of database %d exists: %v, want %v", name, db, e.Exists(), ok)
	}
	if !ok {
		return k, e
	}
	var scratch [20]byte
	if got := k.DB.Bytes(e, scratch[:]); string(got) != v.bytes {
		m.t.Fatalf("key %.40q holds %d bytes %.40q, want %d bytes %.40q", name, len(got), got, len(v.bytes), v.bytes)
	}
	if e.Encoding() != v.enc || k.DB.ExpireMS(e) != v.expireMS || k.DB.StrLen(e) != len(v.bytes) || string(k.DB.Key(e)) != name {
		m.t.Fatalf("key %.40q: %v, expires at %d, want %+v", name, e.Encoding(), k.DB.ExpireMS(e), v.expireMS)
	}
	return k, e
}

func (m *model) randomValue() string {
	sizes := []int{0, 1, 8, 20, 44, 45, 100, 1000, 3900, 4000, 4100, 20_000}
	switch m.rng.IntN(60) {
	case 0:
		return m.text(largeValue + m.rng.IntN(5000))
	case 1:
		return m.text(largeValue - 1 - m.rng.IntN(3))
	}
	if m.rng.IntN(4) == 0 {
		return strconv.FormatInt(m.rng.Int64()>>m.rng.IntN(64)*(1-2*m.rng.Int64N(2)), 10)
	}
	return m.text(max(sizes[m.rng.IntN(len(sizes))]-m.rng.IntN(3), 0))
}

func (m *model) text(n int) string {
	unit := strconv.FormatUint(m.rng.Uint64(), 36) + "-"
	return strings.Repeat(unit, n/len(unit)+1)[:n]
}

func (m *model) randomMode() SetMode {
	switch m.rng.IntN(4) {
	case 0:
		return SetMode{Keep: true}
	case 1:
		return SetMode{ExpireMS: m.randomTime()}
	}
	return SetMode{}
}

func (m *model) randomTime() int64 { return m.nowMS + 1 + m.rng.Int64N(1<<m.rng.IntN(40)) }

// put is what a Set does to the model.
func (m *model) put(db int, name, bytes string, enc types.Encoding, mode SetMode) {
	ms := mode.ExpireMS
	if mode.Keep {
		ms = m.want[db][name].expireMS
	}
	m.want[db][name] = value{bytes, enc, ms}
}

func encodingOf(v string) types.Encoding {
	if _, ok := ParseInt([]byte(v)); ok {
		return types.Int
	}
	if len(v) <= MaxEmbStr {
		return types.EmbStr
	}
	return types.Raw
}

func (m *model) must(ok bool) {
	m.t.Helper()
	if !ok {
		m.t.Fatal("no memory")
	}
}

// step does one random operation under all locks.
func (m *model) step() {
	db, name := m.rng.IntN(testDBs), m.pick()
	k, e := m.find(db, name)
	switch op := m.rng.IntN(100); {
	case op < 35:
		m.set(k, db, name)
	case op < 50:
		if k.DB.Delete(k) != e.Exists() {
			m.t.Fatal("Delete")
		}
		delete(m.want[db], name)
	case op < 62:
		m.expire(k, e, db, name)
	case op < 72:
		m.grow(k, e, db, name)
	case op < 84:
		m.transfer(k, e, db, name, op < 78)
	case op < 86 && e.Exists():
		if p, ok := k.DB.Pin(e); ok {
			m.pins = append(m.pins, pin{p, m.want[db][name].bytes})
		}
	case op < 88 && len(m.pins) > 0:
		m.unpin()
	case op < 97:
		m.pass(m.rng.Int64N(1 << m.rng.IntN(25)))
	case op == 97 && m.rng.IntN(5) == 0:
		m.flush(db)
	case op == 98 && m.rng.IntN(10) == 0:
		for i := range testShards {
			m.ks.Shard(i).FlushAll()
		}
		for i := range m.want {
			clear(m.want[i])
		}
	case op == 99:
		other := m.rng.IntN(testDBs)
		m.ks.SwapDB(db, other)
		m.want[db], m.want[other] = m.want[other], m.want[db]
	}
}

func (m *model) set(k *Key, db int, name string) {
	v, mode := m.randomValue(), m.randomMode()
	switch n := m.rng.Int64() >> m.rng.IntN(64); m.rng.IntN(6) {
	case 0:
		m.must(k.DB.SetInteger(k, n, mode))
		m.put(db, name, strconv.FormatInt(n, 10), types.Int, mode)
	case 1:
		m.must(k.DB.SetRaw(k, []byte(v), mode))
		m.put(db, name, v, types.Raw, mode)
	case 2:
		m.must(k.DB.SetText(k, []byte(v), mode))
		enc := encodingOf(v)
		if enc == types.Int {
			enc = types.EmbStr
		}
		m.put(db, name, v, enc, mode)
	default:
		if len(v) >= LargeMin && m.rng.IntN(2) == 0 {
			l := m.ks.NewLarge(len(v))
			copy(l.Bytes(), v)
			m.must(k.DB.SetLarge(k, l, mode))
		} else {
			m.must(k.DB.SetString(k, []byte(v), mode))
		}
		m.put(db, name, v, encodingOf(v), mode)
	}
}

func (m *model) expire(k *Key, e Entry, db int, name string) {
	if !e.Exists() {
		return
	}
	ms := int64(0)
	if m.rng.IntN(3) > 0 {
		ms = m.randomTime()
	}
	_, ok := k.DB.SetExpire(k, e, ms)
	m.must(ok)
	v := m.want[db][name]
	v.expireMS = ms
	m.want[db][name] = v
}

func (m *model) grow(k *Key, e Entry, db int, name string) {
	v := m.want[db][name]
	if e.Exists() && v.enc == types.Int && m.rng.IntN(2) == 0 {
		was, ok := k.DB.Integer(e)
		if !ok || strconv.FormatInt(was, 10) != v.bytes {
			m.t.Fatalf("Integer() = %d, %v", was, ok)
		}
		k.DB.UpdateInteger(e, was/2)
		v.bytes = strconv.FormatInt(was/2, 10)
		m.want[db][name] = v
		return
	}
	n := len(v.bytes) + m.rng.IntN(1<<m.rng.IntN(21))
	b := k.DB.Grow(k, e, n)
	if b == nil && n > 0 {
		m.t.Fatal("no memory")
	}
	if want := v.bytes + string(make([]byte, n-len(v.bytes))); string(b) != want {
		m.t.Fatalf("Grow of %d bytes to %d returned %d bytes, or wrong ones", len(v.bytes), n, len(b))
	}
	if n > 0 {
		b[m.rng.IntN(n)] = 'x'
	}
	m.want[db][name] = value{string(b), types.Raw, v.expireMS}
}

func (m *model) transfer(k *Key, e Entry, db int, name string, move bool) {
	toDB, toName := m.rng.IntN(testDBs), m.pick()
	if !e.Exists() || toDB == db && toName == name {
		return
	}
	to := m.key(toDB, toName)
	v := m.want[db][name]
	if !move {
		m.must(m.ks.Copy(k, to))
	} else {
		m.must(m.ks.Move(k, to))
		delete(m.want[db], name)
	}
	m.want[toDB][toName] = v
}

func (m *model) unpin() {
	i := m.rng.IntN(len(m.pins))
	if p := m.pins[i]; string(p.p.Bytes()) != p.want {
		m.t.Fatal("a pinned value has changed")
	}
	m.pins[i].p.Release()
	m.pins[i] = m.pins[len(m.pins)-1]
	m.pins = m.pins[:len(m.pins)-1]
}

func (m *model) flush(db int) {
	for i := range testShards {
		m.ks.Shard(i).DB(db).Flush()
	}
	clear(m.want[db])
}

// pass lets ms go by. Housekeeping runs for a part of the shards.
func (m *model) pass(ms int64) {
	m.nowMS += ms
	m.ks.UnlockAll()
	m.ks.LockAll(m.nowMS)
	for i := range testShards {
		s := m.ks.Shard(i)
		switch m.rng.IntN(4) {
		case 0:
			s.Tick(m.rng.IntN(50))
		case 1:
			s.Expire(m.rng.IntN(50))
		case 2:
			for s.Expire(100) {
			}
			if s.Due(m.nowMS) {
				m.t.Fatalf("still due at %d of %d", s.NextDue(), m.nowMS)
			}
		}
		m.ks.ReleaseStep(1 << m.rng.IntN(24))
	}
}

// check compares everything.
func (m *model) check() {
	m.t.Helper()
	for i := range testShards {
		if err := m.ks.Shard(i).Check(); err != nil {
			m.t.Fatal(err)
		}
	}
	for db := range testDBs {
		for _, name := range m.names {
			m.find(db, name)
		}
		keys, expires := 0, 0
		for i := range testShards {
			d := m.ks.Shard(i).DB(db)
			n, _ := d.Expires()
			keys, expires = keys+d.Len(), expires+n
		}
		wantExpires := 0
		for _, v := range m.want[db] {
			if v.expireMS != 0 {
				wantExpires++
			}
		}
		if keys != len(m.want[db]) || expires != wantExpires {
			m.t.Fatalf("database %d: %d keys and %d expiring, want %d and %d", db, keys, expires, len(m.want[db]), wantExpires)
		}
	}
}

// drain does all housekeeping that is left.
func (m *model) drain() {
	for i := range testShards {
		for s := m.ks.Shard(i); s.Expire(1000) || s.Tick(1000); {
		}
		if !m.ks.Shard(i).Idle() {
			m.t.Fatal("not idle after Tick said so")
		}
	}
	for m.ks.ReleaseStep(1 << 20) {
	}
}

// checkEmpty fails if an empty keyspace holds memory.
func (m *model) checkEmpty() {
	m.t.Helper()
	for len(m.pins) > 0 {
		m.unpin()
	}
	m.drain()
	for i := range testShards {
		if st := m.ks.Shard(i).Arena().Stats(); st.Allocated != 0 {
			m.t.Errorf("shard %d: %+v of an empty keyspace", i, st)
		}
	}
	if n := m.ks.RetiredBytes(); n != 0 {
		m.t.Errorf("%d retired bytes", n)
	}
	if st := m.ks.Heap().Stats(); st.Large != 0 {
		m.t.Errorf("%d bytes of large values", st.Large)
	}
}

func TestRandomOperationsAgreeWithModel(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			m := newModel(t, seed)
			m.ks.LockAll(m.nowMS)
			for i := range 8000 {
				m.step()
				if i%200 == 0 {
					m.check()
				}
			}
			m.check()
			for db := range testDBs {
				for name := range m.want[db] {
					m.must(m.key(db, name).DB.Delete(m.key(db, name)))
					delete(m.want[db], name)
				}
			}
			m.check()
			m.nowMS += 1 << 44 // stale records of the expiry index come back too
			m.ks.UnlockAll()
			m.ks.LockAll(m.nowMS)
			m.flush(0)
			m.flush(1)
			m.flush(2)
			m.checkEmpty()
		})
	}
}

func FuzzKeyspace(f *testing.F) {
	f.Add(uint64(1), uint16(100))
	f.Fuzz(func(t *testing.T, seed uint64, steps uint16) {
		m := newModel(t, seed)
		m.ks.LockAll(m.nowMS)
		for range steps % 2000 {
			m.step()
		}
		m.check()
	})
}
