package config

// LogLevel is the least important level that is logged.
type LogLevel int

const (
	LogDebug LogLevel = iota
	LogVerbose
	LogNotice
	LogWarning
	LogNothing
)

var logLevels = names[LogLevel]{
	{"debug", LogDebug}, {"verbose", LogVerbose}, {"notice", LogNotice}, {"warning", LogWarning},
	{"-nothing", LogNothing},
}

// EvictionPolicy says which keys go when maxmemory is reached.
type EvictionPolicy int

const (
	NoEviction EvictionPolicy = iota
	VolatileLRU
	VolatileLFU
	VolatileRandom
	VolatileTTL
	AllKeysLRU
	AllKeysLFU
	AllKeysRandom
	AllKeysS3FIFO
	AllKeysSieve
	AllKeysWTinyLFU
)

var evictionPolicies = names[EvictionPolicy]{
	{"volatile-lru", VolatileLRU}, {"volatile-lfu", VolatileLFU}, {"volatile-random", VolatileRandom},
	{"volatile-ttl", VolatileTTL}, {"allkeys-lru", AllKeysLRU}, {"allkeys-lfu", AllKeysLFU},
	{"allkeys-random", AllKeysRandom}, {"noeviction", NoEviction}, {"allkeys-s3fifo", AllKeysS3FIFO},
	{"allkeys-sieve", AllKeysSieve}, {"allkeys-wtinylfu", AllKeysWTinyLFU},
}

// CountsAccesses tells whether keys have counters of accesses and no times, maxmemory being what is given.
func (p EvictionPolicy) CountsAccesses(maxMemory int64) bool {
	return p == AllKeysLFU || p == VolatileLFU || p == AllKeysWTinyLFU && maxMemory > 0
}

func (p EvictionPolicy) String() string { return evictionPolicies.text(p) }

// Supervision is the process manager the server reports to.
type Supervision int

const (
	SupervisedNo Supervision = iota
	SupervisedAuto
	SupervisedSystemd
	SupervisedUpstart
)

var supervisions = names[Supervision]{
	{"upstart", SupervisedUpstart}, {"systemd", SupervisedSystemd}, {"auto", SupervisedAuto}, {"no", SupervisedNo},
}

// SyslogFacility is the facility's number in syslog(3), not yet shifted.
type SyslogFacility int

const SyslogLocal0 SyslogFacility = 16

var syslogFacilities = names[SyslogFacility]{
	{"user", 1}, {"local0", SyslogLocal0}, {"local1", 17}, {"local2", 18}, {"local3", 19},
	{"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23},
}

// Protection says who may use commands and directives that reach beyond the data.
type Protection int

const (
	ProtectedNo    Protection = iota // nobody
	ProtectedYes                     // everybody
	ProtectedLocal                   // connections from this machine
)

var protections = names[Protection]{{"no", ProtectedNo}, {"yes", ProtectedYes}, {"local", ProtectedLocal}}

// Allows reports whether a client may act; local says whether it is connected from this machine.
func (p Protection) Allows(local bool) bool {
	return p == ProtectedYes || p == ProtectedLocal && local
}

// ShutdownFlags are the options of SHUTDOWN that a signal implies; zero is the default
// behaviour.
type ShutdownFlags int

const (
	ShutdownSave ShutdownFlags = 1 << iota
	ShutdownNoSave
	ShutdownNow
	ShutdownForce
)

var shutdownFlags = names[ShutdownFlags]{
	{"default", 0}, {"save", ShutdownSave}, {"nosave", ShutdownNoSave}, {"now", ShutdownNow}, {"force", ShutdownForce},
}

// OOMScoreAdj says how oom-score-adj-values are applied.
type OOMScoreAdj int

const (
	OOMScoreAdjNo       OOMScoreAdj = iota
	OOMScoreAdjRelative             // added to the score at start
	OOMScoreAdjAbsolute
)

var oomScoreAdjs = names[OOMScoreAdj]{
	{"no", OOMScoreAdjNo}, {"yes", OOMScoreAdjRelative}, {"relative", OOMScoreAdjRelative}, {"absolute", OOMScoreAdjAbsolute},
}

// AppendFsync says when the append only file is synced.
type AppendFsync int

const (
	FsyncEverySec AppendFsync = iota
	FsyncAlways
	FsyncNo
)

var appendFsyncs = names[AppendFsync]{{"everysec", FsyncEverySec}, {"always", FsyncAlways}, {"no", FsyncNo}}

// DisklessLoad says whether a replica loads a full synchronisation from the socket.
type DisklessLoad int

const (
	DisklessLoadDisabled DisklessLoad = iota
	DisklessLoadOnEmptyDB
	DisklessLoadSwapDB
)

var disklessLoads = names[DisklessLoad]{
	{"disabled", DisklessLoadDisabled}, {"on-empty-db", DisklessLoadOnEmptyDB}, {"swapdb", DisklessLoadSwapDB},
}

// TLSAuthClients says whether clients must show a certificate.
type TLSAuthClients int

const (
	TLSAuthNo TLSAuthClients = iota
	TLSAuthYes
	TLSAuthOptional
)

var tlsAuthClients = names[TLSAuthClients]{{"no", TLSAuthNo}, {"yes", TLSAuthYes}, {"optional", TLSAuthOptional}}

// PubSubDefault is the channel permission of a new ACL user.
type PubSubDefault int

const (
	ResetChannels PubSubDefault = iota
	AllChannels
)

var pubSubDefaults = names[PubSubDefault]{{"allchannels", AllChannels}, {"resetchannels", ResetChannels}}

// SanitizePayload says whose RESTORE and RDB payloads are checked in depth.
type SanitizePayload int

const (
	SanitizeNo SanitizePayload = iota
	SanitizeYes
	SanitizeClients
)

var sanitizePayloads = names[SanitizePayload]{{"no", SanitizeNo}, {"yes", SanitizeYes}, {"clients", SanitizeClients}}

// EndpointType is what cluster replies name a node by.
type EndpointType int

const (
	EndpointIP EndpointType = iota
	EndpointHostname
	EndpointUnknown
)

var endpointTypes = names[EndpointType]{
	{"ip", EndpointIP}, {"hostname", EndpointHostname}, {"unknown-endpoint", EndpointUnknown},
}

// PropagationError says what a replica does when a propagated command fails.
type PropagationError int

const (
	PropagationIgnore PropagationError = iota
	PropagationPanic
	PropagationPanicOnReplicas
)

var propagationErrors = names[PropagationError]{
	{"ignore", PropagationIgnore}, {"panic", PropagationPanic}, {"panic-on-replicas", PropagationPanicOnReplicas},
}

// NetEngine is the implementation of the reactors.
type NetEngine int

const (
	EngineAuto NetEngine = iota
	EngineIOUring
	EngineGnet
)

var netEngines = names[NetEngine]{{"auto", EngineAuto}, {"io_uring", EngineIOUring}, {"gnet", EngineGnet}}

func (e NetEngine) String() string { return netEngines.text(e) }

// KeyspaceEvents are the classes of notify-keyspace-events.
type KeyspaceEvents int

const (
	EventKeyspace KeyspaceEvents = 1 << iota // K: publish on __keyspace@<db>__
	EventKeyevent                            // E: publish on __keyevent@<db>__
	EventGeneric                             // g
	EventString                              // $
	EventList                                // l
	EventSet                                 // s
	EventHash                                // h
	EventZset                                // z
	EventExpired                             // x
	EventEvicted                             // e
	EventStream                              // t
	EventKeyMiss                             // m
	EventModule                              // d
	EventNew                                 // n

	// EventAll is A: every class but m and n.
	EventAll = EventGeneric | EventString | EventList | EventSet | EventHash | EventZset |
		EventExpired | EventEvicted | EventStream | EventModule
)
