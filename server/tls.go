package server

import (
	"crypto/tls"
	"errors"
	"time"

	"github.com/shoaldb/shoal/netio"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/server/tlsconf"
)

// loadedTLS is what was made of the tls- directives, and what was made before: CONFIG SET may have to go back to it,
// when the files may be others already.
type loadedTLS struct {
	now, before tlsState
}

type tlsState struct {
	v    *config.Values
	conf *tls.Config // nil: TLS was not needed so far
}

// tlsDirectives are those for which TLS is set up again.
var tlsDirectives = []string{
	"tls-port", "tls-cluster", "tls-replication", "tls-auth-clients", "tls-prefer-server-ciphers", "tls-session-caching",
	"tls-session-cache-size", "tls-session-cache-timeout", "tls-cert-file", "tls-key-file", "tls-key-file-pass", "tls-client-cert-file",
	"tls-client-key-file", "tls-client-key-file-pass", "tls-dh-params-file", "tls-ca-cert-file", "tls-ca-cert-dir", "tls-protocols",
	"tls-ciphers", "tls-ciphersuites",
}

// startTLS sets TLS up before the listeners are opened.
func (s *Server) startTLS(v *config.Values) error {
	if s.loadTLS(v) != nil {
		return errors.New("Failed to configure TLS. Check logs for more info.")
	}
	return nil
}

// changeTLS makes new connections use other certificates or rules. Those that exist go on with theirs.
func (s *Server) changeTLS(old, v *config.Values) error {
	if s.tls.before.v == v { // to undo a change that was refused
		s.tls.now, s.tls.before = s.tls.before, tlsState{}
		s.engine.SetTLS(s.tls.now.conf)
		return nil
	}
	s.tls.before = tlsState{old, s.tls.now.conf}
	if s.loadTLS(v) != nil {
		return errors.New("Unable to update TLS configuration. Check server logs.")
	}
	return nil
}

// loadTLS reads the files and sets TLS up, if anything uses it. If that fails nothing has changed and the log says why.
func (s *Server) loadTLS(v *config.Values) error {
	t := &v.TLS
	if t.Port == 0 && !t.Replication && !t.Cluster {
		return nil
	}
	conf, warnings, err := tlsconf.Load(tlsOptions(v))
	if err != nil {
		s.log.Warningf("%v", err)
		return err
	}
	for _, w := range warnings {
		s.log.Warningf("%s", w)
	}
	s.tls.now = tlsState{v, conf}
	s.engine.SetTLS(conf)
	return nil
}

func tlsOptions(v *config.Values) tlsconf.Options {
	t := &v.TLS
	path := func(name string) string {
		if name == "" {
			return ""
		}
		return v.Path(name)
	}
	o := tlsconf.Options{
		CertFile: path(t.CertFile), KeyFile: path(t.KeyFile), KeyPass: t.KeyPass,
		ClientCertFile: path(t.ClientCertFile), ClientKeyFile: path(t.ClientKeyFile), ClientKeyPass: t.ClientKeyPass,
		CAFile: path(t.CACertFile), CADir: path(t.CACertDir), DHParamsFile: path(t.DHParamsFile),
		Outgoing:  t.Replication || t.Cluster,
		Protocols: t.Protocols, Ciphers: t.Ciphers, CipherSuites: t.CipherSuites, PreferServerCiphers: t.PreferServerCiphers,
	}
	switch t.AuthClients {
	case config.TLSAuthYes:
		o.ClientAuth = tls.RequireAndVerifyClientCert
	case config.TLSAuthOptional:
		o.ClientAuth = tls.VerifyClientCertIfGiven
	}
	if t.SessionCaching {
		o.SessionTimeout = time.Duration(t.SessionCacheTimeout) * time.Second
	}
	return o
}

// noteTLSEnd logs why a connection has failed, if that is TLS' doing.
func (s *Server) noteTLSEnd(c *netio.Conn, err error) {
	var shake *netio.HandshakeError
	var record *netio.RecordError
	switch {
	case errors.As(err, &shake):
		s.tlsFailures.Add(1)
		s.log.Warningf("Error accepting a client connection: %v (addr=%s laddr=%s)", err, c.RemoteAddr(), c.LocalAddr())
	case errors.As(err, &record):
		s.log.Verbosef("Reading from client: %v (addr=%s laddr=%s)", err, c.RemoteAddr(), c.LocalAddr())
	}
}
