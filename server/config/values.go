package config

import (
	"os"
	"path/filepath"
)

// Values is one state of the configuration. A published Values is never written to; slices are
// shared between states. Names are those of the directives, with the unit at the end where
// it is not bytes; the table says what each means.
type Values struct {
	// network
	Bind             []string // "*" and "::*" are all addresses, a leading "-" makes failure harmless
	BindSourceAddr   string
	Port             int // 0: no TCP
	UnixSocket       string
	UnixSocketPerm   int // mode bits; 0: as the umask leaves them
	ProtectedMode    bool
	TCPBacklog       int
	TimeoutSec       int // 0: none
	TCPKeepAliveSec  int
	SocketMarkID     int
	NetEngine        NetEngine
	Reactors         int // 0: one per core
	ReactorCPUList   string
	ServerCPUList    string
	EnableProtected  Protection
	EnableDebug      Protection
	EnableModule     Protection
	MaxClients       int
	OutputLimits     OutputLimits
	QueryBufferLimit int64
	ProtoMaxBulkLen  int64
	MaxMemoryClients int64 // negative: percent of MaxMemory; see ClientMemoryLimit

	// general
	Daemonize         bool
	Supervised        Supervision
	PIDFile           string
	LogLevel          LogLevel
	LogFile           string // empty: standard output
	SyslogEnabled     bool
	SyslogIdent       string
	SyslogFacility    SyslogFacility
	AlwaysShowLogo    bool
	SetProcTitle      bool
	ProcTitleTemplate string
	Databases         int
	Shards            int // a power of two; 0: by the number of reactors
	Dir               string
	Hz                int
	DynamicHz         bool
	CrashLogEnabled   bool
	ShutdownTimeout   int // seconds
	ShutdownOnSigint  ShutdownFlags
	ShutdownOnSigterm ShutdownFlags
	OOMScoreAdj       OOMScoreAdj
	OOMScoreAdjValues [3]int
	DisableTHP        bool
	IgnoreWarnings    string
	LocaleCollate     string
	WatchdogPeriodMS  int
	UseExitOnPanic    bool

	// security
	RequirePass      string
	ACLFile          string
	ACLLogMaxLen     int
	ACLPubSubDefault PubSubDefault
	SanitizePayload  SanitizePayload

	// memory
	MaxMemory           int64 // 0: none
	MaxMemoryPolicy     EvictionPolicy
	MaxMemorySamples    int
	EvictionTenacity    int
	ActiveExpireEffort  int
	ActiveRehashing     bool
	LFULogFactor        int
	LFUDecayTimeMin     int
	LazyEviction        bool
	LazyExpire          bool
	LazyServerDel       bool
	LazyUserDel         bool
	LazyUserFlush       bool
	TrackingTableMaxLen int

	// encodings
	HashMaxListpackEntries int
	HashMaxListpackValue   int64
	ListMaxListpackSize    int // negative: a class of node sizes in bytes
	ListCompressDepth      int
	SetMaxIntsetEntries    int
	SetMaxListpackEntries  int
	SetMaxListpackValue    int
	ZsetMaxListpackEntries int
	ZsetMaxListpackValue   int64
	HLLSparseMaxBytes      int64
	StreamNodeMaxBytes     int64
	StreamNodeMaxEntries   int

	// observing
	SlowLogSlowerThanUS     int // negative: off
	SlowLogMaxLen           int
	LatencyMonitorThreshold int // milliseconds; 0: off
	LatencyTracking         bool
	LatencyPercentiles      []float64
	KeyspaceEvents          KeyspaceEvents
	BusyReplyThresholdMS    int

	// persistence
	Save                     []SavePoint
	StopWritesOnBgsaveError  bool
	RDBCompression           bool
	RDBChecksum              bool
	RDBDelSyncFiles          bool
	RDBSaveIncrementalFsync  bool
	DBFilename               string
	AppendOnly               bool
	AppendFilename           string
	AppendDirName            string
	AppendFsync              AppendFsync
	NoAppendFsyncOnRewrite   bool
	AutoAOFRewritePercentage int
	AutoAOFRewriteMinSize    int64
	AOFLoadTruncated         bool
	AOFUseRDBPreamble        bool
	AOFTimestampEnabled      bool
	AOFRewriteIncremental    bool
	AOFDisableAutoGC         bool
	KeyLoadDelayUS           int
	RDBKeySaveDelayUS        int
	LoadingEventsInterval    int // bytes

	// replication
	ReplicaOf                 Master
	MasterUser                string
	MasterAuth                string
	ReplicaServeStaleData     bool
	ReplicaReadOnly           bool
	ReplicaPriority           int
	ReplicaAnnounceIP         string
	ReplicaAnnouncePort       int
	ReplicaAnnounced          bool
	ReplicaLazyFlush          bool
	ReplicaIgnoreMaxMemory    bool
	ReplicaIgnoreWriteErrors  bool
	ReplDisklessSync          bool
	ReplDisklessSyncDelaySec  int
	ReplDisklessMaxReplicas   int
	ReplDisklessLoad          DisklessLoad
	ReplDisableTCPNoDelay     bool
	ReplBacklogSize           int64
	ReplBacklogTTLSec         int
	ReplTimeoutSec            int
	ReplPingPeriodSec         int
	MinReplicasToWrite        int
	MinReplicasMaxLagSec      int
	PropagationErrorBehaviour PropagationError

	// cluster
	ClusterEnabled               bool
	ClusterConfigFile            string
	ClusterNodeTimeoutMS         int
	ClusterPort                  int
	ClusterPingIntervalMS        int
	ClusterReplicaValidityFactor int
	ClusterMigrationBarrier      int
	ClusterReplicaMigration      bool
	ClusterFullCoverage          bool
	ClusterReplicaNoFailover     bool
	ClusterReadsWhenDown         bool
	ClusterPubSubWhenDown        bool
	ClusterLinkSendbufLimit      int64
	ClusterAnnounceIP            string
	ClusterAnnounceHostname      string
	ClusterAnnounceNodename      string
	ClusterAnnouncePort          int
	ClusterAnnounceTLSPort       int
	ClusterAnnounceBusPort       int
	ClusterEndpointType          EndpointType

	// What only files and the command line set, in the order given.
	Renames     []Rename
	Users       [][]string // the words after "user"
	LoadModules [][]string // the words after "loadmodule"

	TLS TLSValues

	unused unusedValues
}

// Rename gives command From the name To; an empty To removes it.
type Rename struct{ From, To string }

// TLSValues are the directives that begin with "tls-". Ciphers are OpenSSL's names.
type TLSValues struct {
	Port                                  int // 0: no TLS
	AuthClients                           TLSAuthClients
	CertFile, KeyFile, KeyPass            string
	ClientCertFile, ClientKeyFile         string // of outgoing connections; empty: those above
	ClientKeyPass                         string
	CACertFile, CACertDir, DHParamsFile   string
	Protocols, Ciphers, CipherSuites      string // empty: the default
	PreferServerCiphers                   bool
	SessionCaching                        bool
	SessionCacheSize, SessionCacheTimeout int // sessions, seconds
	Replication, Cluster                  bool
}

// unusedValues belong to directives without effect.
type unusedValues struct {
	ioThreads                                                int
	ioThreadsDoReads, jemallocBgThread, activeDefrag         bool
	crashMemcheck                                            bool
	bioCPUList, aofRewriteCPUList, bgsaveCPUList             string
	defragCycleMin, defragCycleMax, defragLower, defragUpper int
	defragMaxScanFields                                      int
	defragIgnoreBytes                                        int64
}

// Path resolves a path of the configuration against the working directory.
func (v *Values) Path(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(v.Dir, path)
}

// ClientMemoryLimit is the bound on what all clients may use together, in bytes; 0 is none.
func (v *Values) ClientMemoryLimit() int64 {
	if v.MaxMemoryClients >= 0 {
		return v.MaxMemoryClients
	}
	return int64(float64(v.MaxMemory) * float64(-v.MaxMemoryClients) / 100)
}

// workingDir is the process' directory, or empty when that is gone.
func workingDir() string {
	dir, err := os.Getwd()
	if err != nil {
		return ""
	}
	return dir
}
