package command

// Error is the text of an error reply with its prefix, without the leading '-'.
type Error string

func (e Error) Error() string { return string(e) }

// Replies as Redis words them.
const (
	ErrWrongType   Error = "WRONGTYPE Operation against a key holding the wrong kind of value"
	ErrSyntax      Error = "ERR syntax error"
	ErrNoKey       Error = "ERR no such key"
	ErrNotInteger  Error = "ERR value is not an integer or out of range"
	ErrNotFloat    Error = "ERR value is not a valid float"
	ErrOutOfRange  Error = "ERR index out of range"
	ErrSameObject  Error = "ERR source and destination objects are the same"
	ErrOverflow    Error = "ERR increment or decrement would overflow"
	ErrBitOffset   Error = "ERR bit offset is not an integer or out of range"
	ErrTooLarge    Error = "ERR string exceeds maximum allowed size (proto-max-bulk-len)"
	ErrOutOfMemory Error = "OOM command not allowed when used memory > 'maxmemory'."
	ErrDBIndex     Error = "ERR DB index is out of range"
)
