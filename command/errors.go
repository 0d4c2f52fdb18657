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
