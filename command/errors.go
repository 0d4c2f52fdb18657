package command

// Error is the text of an error reply with its prefix, without the leading '-'.
type Error string

func (e Error) Error() string { return string(e) }

// Replies as Redis words them.
const (
	ErrWrongType        Error = "WRONGTYPE Operation against a key holding the wrong kind of value"
	ErrSyntax           Error = "ERR syntax error"
	ErrNoKey            Error = "ERR no such key"
	ErrNotInteger       Error = "ERR value is not an integer or out of range"
	ErrNotFloat         Error = "ERR value is not a valid float"
	ErrNotPositive      Error = "ERR value is out of range, must be positive"
	ErrIntRange         Error = "ERR value is out of range, value must between -2147483648 and 2147483647"
	ErrCountRange       Error = "ERR value is out of range, value must between -9223372036854775807 and 9223372036854775807"
	ErrNumKeys          Error = "ERR numkeys should be greater than 0"
	ErrTooManyKeys      Error = "ERR Number of keys can't be greater than number of args"
	ErrCount            Error = "ERR count should be greater than 0"
	ErrCountOption      Error = "ERR COUNT must be > 0"
	ErrTimeoutInteger   Error = "ERR timeout is not an integer or out of range"
	ErrTimeoutNegative  Error = "ERR timeout is negative"
	ErrPayload          Error = "ERR DUMP payload version or checksum are wrong"
	ErrOutOfRange       Error = "ERR index out of range"
	ErrSameObject       Error = "ERR source and destination objects are the same"
	ErrOverflow         Error = "ERR increment or decrement would overflow"
	ErrBitOffset        Error = "ERR bit offset is not an integer or out of range"
	ErrTooLarge         Error = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
	ErrOutOfMemory      Error = "OOM command not allowed when used memory > 'maxmemory'."
	ErrDBIndex          Error = "ERR DB index is out of range"
	ErrNoMemory         Error = "OOM command not allowed: out of memory"
	ErrDecrement        Error = "ERR decrement would overflow"
	ErrInfinite         Error = "ERR increment would produce NaN or Infinity"
	ErrOffset           Error = "ERR offset is out of range"
	ErrLCSTypes         Error = "ERR The specified keys must contain string values"
	ErrLCSOptions       Error = "ERR If you want both the length and indexes, please just use IDX."
	ErrLCSLength        Error = "ERR String too long for LCS"
	ErrLCSMemory        Error = "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len"
	ErrBit              Error = "ERR bit is not an integer or out of range"
	ErrBitPosBit        Error = "ERR The bit argument must be 1 or 0."
	ErrBitOpNot         Error = "ERR BITOP NOT must be called with a single source key."
	ErrBitfieldType     Error = "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."
	ErrBitfieldOverflow Error = "ERR Invalid OVERFLOW type specified"
	ErrBitfieldReadOnly Error = "ERR BITFIELD_RO only supports the GET subcommand"
)

// shownSubcommand is how many bytes of a subcommand an error shows.
const shownSubcommand = 128

// ErrorSubcommand replies to a subcommand that is not known, or has too few or too many arguments.
func (c *Ctx) ErrorSubcommand() {
	name := cString(c.Args[1])
	c.Error(Error("ERR unknown subcommand or wrong number of arguments for '" + name[:min(len(name), shownSubcommand)] +
		"'. Try " + c.container().Name + " HELP."))
}
