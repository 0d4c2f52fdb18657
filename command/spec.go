package command

// Flags are the command flags of COMMAND INFO, in the order in which Redis prints them.
// See https://redis.io/docs/latest/commands/command/.
type Flags uint32

const (
	Write Flags = 1 << iota
	ReadOnly
	DenyOOM
	Module
	Admin
	PubSub
	NoScript
	Blocking
	Loading
	Stale
	SkipMonitor
	SkipSlowlog
	Asking
	Fast
	NoAuth
	NoMandatoryKeys // the key specification may yield no key
	NoAsyncLoading
	NoMulti
	MovableKeys // derived from the key specifications
	AllowBusy
	MayReplicate // not shown
	// Shoal's own; never shown.
	LockAll // dispatch locks every shard before the handler runs
	Barrier // may suspend the client, or changes how its next command is read: ends a batch
	Quick   // takes no longer than a Fast command, though Redis does not call it fast
)

var flagNames = []string{
	"write", "readonly", "denyoom", "module", "admin", "pubsub", "noscript", "blocking",
	"loading", "stale", "skip_monitor", "skip_slowlog", "asking", "fast", "no_auth",
	"no_mandatory_keys", "no_async_loading", "no_multi", "movablekeys", "allow_busy",
}

// Category is a set of ACL categories. Those that follow from Flags (read, write, fast, slow,
// admin, dangerous, pubsub, blocking) are derived; see [Spec.Categories].
type Category uint32

const (
	ACLKeyspace Category = 1 << iota
	ACLRead
	ACLWrite
	ACLSet
	ACLSortedSet
	ACLList
	ACLHash
	ACLString
	ACLBitmap
	ACLHyperLogLog
	ACLGeo
	ACLStream
	ACLPubSub
	ACLAdmin
	ACLFast
	ACLSlow
	ACLBlocking
	ACLDangerous
	ACLConnection
	ACLTransaction
	ACLScripting
)

var categoryNames = []string{
	"keyspace", "read", "write", "set", "sortedset", "list", "hash", "string", "bitmap",
	"hyperloglog", "geo", "stream", "pubsub", "admin", "fast", "slow", "blocking",
	"dangerous", "connection", "transaction", "scripting",
}

// CategoryNames returns the names of all categories, in Redis' order.
func CategoryNames() []string { return categoryNames }

// KeyFlags describe what a command does with the keys of a key specification.
// See https://redis.io/docs/latest/develop/reference/key-specs/.
type KeyFlags uint16

const (
	RO KeyFlags = 1 << iota
	RW
	OW
	RM
	Access
	Update
	Insert
	Delete
	NotKey
	Incomplete
	VariableFlags
)

var keyFlagNames = []string{
	"RO", "RW", "OW", "RM", "access", "update", "insert", "delete", "not_key", "incomplete",
	"variable_flags",
}

// KeySpec tells where a command's keys are: where the search begins and how the keys follow.
type KeySpec struct {
	Flags KeyFlags
	Notes string
	// VaryFlags returns the flags that given arguments mean, where Flags has VariableFlags.
	VaryFlags func(args [][]byte) KeyFlags

	// Begin: at argument Index, or after the argument Keyword searched from StartFrom
	// (negative: from the end, backwards). Index 0 and no Keyword: unknown.
	Index     int
	Keyword   string
	StartFrom int

	// Find, a range: keys from the beginning to Last (relative; negative counts from the
	// last argument), every Step; Limit 2 means the first half of what is left, etc.
	Last, Step, Limit int

	// Find, counted: the count is at KeyNumIdx, the first key at FirstKey (both relative).
	Counted             bool
	KeyNumIdx, FirstKey int

	Unknown bool // cannot be described (find_keys is unknown)
}

// OneKey is the key specification of a single key at argument index.
func OneKey(index int, f KeyFlags) []KeySpec {
	return []KeySpec{{Flags: f, Index: index, Last: 0, Step: 1}}
}

// KeyRange is the key specification of keys from argument index to last, every step.
// last is relative to index; a negative one counts from the end of the arguments.
func KeyRange(index, last, step int, f KeyFlags) []KeySpec {
	return []KeySpec{{Flags: f, Index: index, Last: last, Step: step}}
}

// Channels tells which arguments of a command are channels that it publishes to or subscribes to.
type Channels uint8

const (
	NoChannels   Channels = iota
	OneChannel            // the first argument
	AllChannels           // all arguments
	ChannelGlobs          // all arguments; they are patterns
)

// Range returns the indexes of the arguments, of n, that are channels: from first up to last, without that.
func (c Channels) Range(n int) (first, last int, pattern bool) {
	switch c {
	case NoChannels:
		return 0, 0, false
	case OneChannel:
		return 1, min(2, n), false
	}
	return 1, n, c == ChannelGlobs
}

// ArgType is the type of an argument in COMMAND DOCS.
type ArgType uint8

const (
	ArgString ArgType = iota
	ArgInteger
	ArgDouble
	ArgKey
	ArgPattern
	ArgUnixTime
	ArgPureToken
	ArgOneOf
	ArgBlock
)

var argTypeNames = []string{
	"string", "integer", "double", "key", "pattern", "unix-time", "pure-token", "oneof", "block",
}

// Arg is one argument in COMMAND DOCS.
type Arg struct {
	Name          string
	Type          ArgType
	Token         string
	Summary       string
	Since         string
	DeprecatedIn  string
	KeySpecIndex  int // for ArgKey
	Optional      bool
	Multiple      bool
	MultipleToken bool
	Args          []Arg
}

// Change is one entry of a command's history in COMMAND DOCS.
type Change struct{ Since, What string }

// Group is a command's group in COMMAND DOCS.
type Group string

// The groups.
const (
	GroupString       Group = "string"
	GroupBitmap       Group = "bitmap"
	GroupGeneric      Group = "generic"
	GroupHash         Group = "hash"
	GroupList         Group = "list"
	GroupSet          Group = "set"
	GroupSortedSet    Group = "sorted-set"
	GroupStream       Group = "stream"
	GroupHyperLogLog  Group = "hyperloglog"
	GroupGeo          Group = "geo"
	GroupConnection   Group = "connection"
	GroupServer       Group = "server"
	GroupPubSub       Group = "pubsub"
	GroupTransactions Group = "transactions"
	GroupScripting    Group = "scripting"
	GroupCluster      Group = "cluster"
)

// Spec declares one command or subcommand.
type Spec struct {
	Name  string // upper case
	Arity int    // with the name; negative: at least
	Flags Flags
	ACL   Category
	Keys  []KeySpec
	// GetKeys finds the keys where Keys cannot tell (SORT, MIGRATE ...): it appends the
	// indexes of args that are keys.
	GetKeys func(args [][]byte, dst []int) ([]int, error)
	// NeedsAll tells, for a command with LockAll, whether args demand it; nil: any do.
	NeedsAll func(args [][]byte) bool
	Channels Channels
	// Member is the argument that mostly names the member or field that the command works on, for prefetching; 0: none.
	Member int

	// Outside tells that the command works outside of its reactor (see Ctx.Outside), and changes all of its keys.
	Outside bool
	// Replaces tells that the command may replace or delete a whole value, or most of it, though the flags of its keys,
	// which are Redis', do not say so.
	Replaces bool

	// WakesNobody tells of a command that may write that it makes nothing ready for which clients wait.
	WakesNobody bool

	Group        Group
	Since        string
	Complexity   string
	Summary      string
	Tips         []string
	History      []Change
	DeprecatedIn string
	ReplacedBy   string
	DocFlags     []string // deprecated, syscmd
	Args         []Arg

	Run         func(*Ctx)
	Subcommands []Spec

	// Derived by NewTable.
	parent   *Spec
	simple   keyRange
	onlyKey  int
	plainKey int    // see PlainKey
	index    int    // dense number over commands and subcommands: the index of its statistics
	fullName string // "config|set", lower case
}

// StoresFirst tells whether the command's first key gets what it makes of the others.
func (s *Spec) StoresFirst() bool { return len(s.Keys) > 1 && s.Keys[0].Flags&OW != 0 }

// LocksAll tells whether the command, called with args, runs under the locks of all shards.
func (s *Spec) LocksAll(args [][]byte) bool {
	return s.Flags&LockAll != 0 && (s.NeedsAll == nil || s.NeedsAll(args))
}

// keyRange is the whole key specification when it is one range from a fixed argument.
type keyRange struct{ first, last, step int }
