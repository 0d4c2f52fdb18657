package resp

// ProtocolError is a breach of the protocol by a client. Its text is what redis
// sends after "-ERR ".
type ProtocolError string

func (e ProtocolError) Error() string { return string(e) }

const (
	// ErrTLS is for a client that begins a TLS handshake. An inline command that begins with the same three bytes does not exist.
	ErrTLS ProtocolError = "Protocol error: a TLS handshake where plain text is spoken"

	errInline      ProtocolError = "Protocol error: too big inline request"
	errQuotes      ProtocolError = "Protocol error: unbalanced quotes in request"
	errBigCount    ProtocolError = "Protocol error: too big mbulk count string"
	errCount       ProtocolError = "Protocol error: invalid multibulk length"
	errUnauthCount ProtocolError = "Protocol error: unauthenticated multibulk length"
	errBigSize     ProtocolError = "Protocol error: too big bulk count string"
	errSize        ProtocolError = "Protocol error: invalid bulk length"
	errUnauthSize  ProtocolError = "Protocol error: unauthenticated bulk length"
)

// clientHello is how the first record of a TLS handshake begins: its type, and the version that all clients give there.
var clientHello = []byte{22, 3, 1}

// errExpected is the error for an argument that starts with got, not '$'. Line
// ends turn into spaces, as in every error reply.
func errExpected(got byte) ProtocolError {
	if got == '\r' || got == '\n' {
		got = ' '
	}
	return ProtocolError(append([]byte("Protocol error: expected '$', got '"), got, '\''))
}
