package tlsconf

import (
	"bytes"
	"crypto/tls"
	"encoding/binary"
	"time"
)

// stampMark begins the time that a session's ticket carries: Unix seconds in 8 bytes, big endian.
var stampMark = []byte("shoal-issued")

// keepSessions lets clients resume their sessions for so long. The server remembers nothing: a session is in its
// ticket, sealed with keys that live as long as conf. So a change of the settings ends all sessions.
func keepSessions(conf *tls.Config, timeout time.Duration) {
	if timeout <= 0 {
		conf.SessionTicketsDisabled = true
		return
	}
	keys := conf.Clone()
	keys.GetConfigForClient = nil
	conf.WrapSession = func(cs tls.ConnectionState, ss *tls.SessionState) ([]byte, error) {
		ss.Extra = append(ss.Extra, binary.BigEndian.AppendUint64(bytes.Clone(stampMark), uint64(time.Now().Unix())))
		return keys.EncryptTicket(cs, ss)
	}
	conf.UnwrapSession = func(ticket []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		ss, err := keys.DecryptTicket(ticket, cs)
		if err != nil || ss == nil || expired(ss, timeout) {
			return nil, err
		}
		return ss, nil
	}
}

// expired tells whether a session is older than timeout. A resumed one keeps the time of its first handshake.
func expired(ss *tls.SessionState, timeout time.Duration) bool {
	for _, x := range ss.Extra {
		if at, ok := bytes.CutPrefix(x, stampMark); ok && len(at) == 8 {
			return time.Since(time.Unix(int64(binary.BigEndian.Uint64(at)), 0)) > timeout
		}
	}
	return true
}
