package tlsconf

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Options are the settings. Paths are absolute, or relative to the working directory; an empty one is not set.
type Options struct {
	CertFile, KeyFile, KeyPass                   string
	ClientCertFile, ClientKeyFile, ClientKeyPass string
	CAFile, CADir                                string
	DHParamsFile                                 string

	ClientAuth tls.ClientAuthType
	Outgoing   bool // the server makes connections of its own, so it needs to know whom to trust

	Protocols           string // separated by blanks, such as "TLSv1.2 TLSv1.3"
	Ciphers             string // OpenSSL's list, for versions up to 1.2
	CipherSuites        string // the same for 1.3
	PreferServerCiphers bool
	SessionTimeout      time.Duration // for which sessions may be resumed; 0: none are
}

// Load makes the configuration for accepting connections. Warnings are about settings that have another effect than one
// may expect. An error is the line that redis would log, with Go's words for the reason.
func Load(o Options) (conf *tls.Config, warnings []string, err error) {
	switch {
	case o.CertFile == "":
		return nil, nil, errors.New("No tls-cert-file configured!")
	case o.KeyFile == "":
		return nil, nil, errors.New("No tls-key-file configured!")
	case (o.ClientAuth != tls.NoClientCert || o.Outgoing) && o.CAFile == "" && o.CADir == "":
		return nil, nil, errors.New("Either tls-ca-cert-file or tls-ca-cert-dir must be specified when tls-cluster, tls-replication or tls-auth-clients are enabled!")
	}
	conf = &tls.Config{
		ClientAuth: o.ClientAuth,
		// Replies come in batches: as few records as possible.
		DynamicRecordSizingDisabled: true,
	}
	if conf.MinVersion, conf.MaxVersion, err = versions(o.Protocols); err != nil {
		return nil, nil, err
	}
	cert, err := pair(o.CertFile, o.KeyFile, o.KeyPass)
	if err != nil {
		return nil, nil, err
	}
	conf.Certificates = []tls.Certificate{cert}
	if conf.ClientCAs, err = authorities(o.CAFile, o.CADir); err != nil {
		return nil, nil, fmt.Errorf("Failed to configure CA certificate(s) file/directory: %w", err)
	}
	if o.ClientCertFile != "" && o.ClientKeyFile != "" {
		if _, err := pair(o.ClientCertFile, o.ClientKeyFile, o.ClientKeyPass); err != nil {
			return nil, nil, err
		}
	}
	if o.DHParamsFile != "" {
		if err := checkDHParams(o.DHParamsFile); err != nil {
			return nil, nil, err
		}
	}
	if warnings, err = limitSuites(conf, o.CipherSuites); err != nil {
		return nil, nil, err
	}
	if err := chooseCiphers(conf, o.Ciphers, o.PreferServerCiphers); err != nil {
		return nil, nil, err
	}
	keepSessions(conf, o.SessionTimeout)
	return conf, warnings, nil
}

// pair reads a certificate and its key.
func pair(certFile, keyFile, password string) (tls.Certificate, error) {
	fail := func(what, file string, err error) (tls.Certificate, error) {
		return tls.Certificate{}, fmt.Errorf("Failed to load %s: %s: %w", what, file, err)
	}
	chain, err := os.ReadFile(certFile)
	if err == nil {
		err = checkCertificates(chain)
	}
	if err != nil {
		return fail("certificate", certFile, err)
	}
	key, err := os.ReadFile(keyFile)
	if err == nil {
		key, err = openKey(key, password)
	}
	if err != nil {
		return fail("private key", keyFile, err)
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return fail("private key", keyFile, err)
	}
	return cert, nil
}

// checkCertificates looks for one certificate at least, and nothing wrong.
func checkCertificates(text []byte) error {
	certs, err := certificates(text)
	if err == nil && len(certs) == 0 {
		err = errors.New("no certificate in PEM")
	}
	return err
}

func certificates(text []byte) (certs []*x509.Certificate, err error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return certs, nil
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		certs = append(certs, cert)
	}
}

// authorities reads the certificates to be trusted: those of the system are not. In a directory, files that hold none
// are passed over.
func authorities(file, dir string) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	if file != "" {
		text, err := os.ReadFile(file)
		if err == nil {
			err = checkCertificates(text)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		pool.AppendCertsFromPEM(text)
	}
	if dir == "" {
		return pool, nil
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue // a link to nowhere, say
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		pool.AppendCertsFromPEM(text)
	}
	return pool, nil
}

// checkDHParams only looks whether the file is what it should be: crypto/tls has no use for it.
func checkDHParams(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("Failed to load %s: %w", file, err)
	}
	if block, _ := pem.Decode(text); block == nil || !strings.HasSuffix(block.Type, "DH PARAMETERS") {
		return fmt.Errorf("%s: failed to read DH params.", file)
	}
	return nil
}

// versions reads a list of protocols. crypto/tls knows only the first and the last.
func versions(list string) (least, most uint16, err error) {
	if list == "" {
		return tls.VersionTLS12, tls.VersionTLS13, nil
	}
	known := map[string]uint16{"tlsv1": tls.VersionTLS10, "tlsv1.1": tls.VersionTLS11, "tlsv1.2": tls.VersionTLS12, "tlsv1.3": tls.VersionTLS13}
	seen := map[uint16]bool{}
	for word := range strings.SplitSeq(list, " ") {
		v, ok := known[strings.ToLower(word)]
		if !ok {
			return 0, 0, errors.New("Invalid tls-protocols specified. Use a combination of 'TLSv1', 'TLSv1.1', 'TLSv1.2' and 'TLSv1.3'.")
		}
		if seen[v] = true; least == 0 {
			least = v
		}
		least, most = min(least, v), max(most, v)
	}
	for v := least; v <= most; v++ {
		if !seen[v] {
			return 0, 0, fmt.Errorf("Invalid tls-protocols specified. '%s' leaves out a version between two others, which is not possible.", list)
		}
	}
	return least, most, nil
}
