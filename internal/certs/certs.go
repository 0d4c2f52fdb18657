package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority signs certificates.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	PEM  []byte // its own certificate
}

// NewAuthority makes an authority with a key of its own.
func NewAuthority(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &Authority{cert, key, encode("CERTIFICATE", der)}, err
}

// Pool is what trusts this authority alone.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// Pair is a certificate and its key, in PEM.
type Pair struct{ Cert, Key []byte }

// TLS is the pair as crypto/tls wants it.
func (p Pair) TLS() tls.Certificate {
	cert, err := tls.X509KeyPair(p.Cert, p.Key)
	if err != nil {
		panic(err) // we made it
	}
	return cert
}

// Issue makes a certificate for 127.0.0.1, ::1 and localhost, for servers and clients, that is good until then. It
// began a day before, or now.
func (a *Authority) Issue(name string, until time.Time) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: until.Add(-24 * time.Hour), NotAfter: until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return Pair{}, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	return Pair{encode("CERTIFICATE", der), encode("PRIVATE KEY", secret)}, err
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// Set is a directory of certificates.
type Set struct {
	Dir string
	CA  *Authority

	Server, Client Pair
	Expired        Pair // of the same authority
	Stranger       Pair // of another one
}

// NewSet makes all kinds of certificates and writes them as NAME.crt and NAME.key into dir: ca (without its key),
// server, client, expired, stranger, and stranger-ca.
func NewSet(dir string) (*Set, error) {
	ca, err := NewAuthority("Shoal test authority")
	if err != nil {
		return nil, err
	}
	other, err := NewAuthority("Another authority")
	if err != nil {
		return nil, err
	}
	s := &Set{Dir: dir, CA: ca}
	now := time.Now()
	for _, p := range []struct {
		at    *Pair
		by    *Authority
		name  string
		until time.Time
	}{
		{&s.Server, ca, "server", now.Add(23 * time.Hour)},
		{&s.Client, ca, "client", now.Add(23 * time.Hour)},
		{&s.Expired, ca, "expired", now.Add(-time.Hour)},
		{&s.Stranger, other, "stranger", now.Add(23 * time.Hour)},
	} {
		if *p.at, err = p.by.Issue(p.name, p.until); err != nil {
			return nil, err
		}
		if err := s.Write(p.name, *p.at); err != nil {
			return nil, err
		}
	}
	if err := s.write("ca.crt", ca.PEM); err != nil {
		return nil, err
	}
	return s, s.write("stranger-ca.crt", other.PEM)
}

// Write stores a pair as NAME.crt and NAME.key.
func (s *Set) Write(name string, p Pair) error {
	if err := s.write(name+".crt", p.Cert); err != nil {
		return err
	}
	return s.write(name+".key", p.Key)
}

func (s *Set) write(name string, b []byte) error { return os.WriteFile(s.Path(name), b, 0o600) }

// Path is where the file called name lies.
func (s *Set) Path(name string) string { return filepath.Join(s.Dir, name) }

// ServerArgs are a server's settings for TLS with these files; its port is not among them.
func (s *Set) ServerArgs() []string {
	return []string{"--tls-cert-file", s.Path("server.crt"), "--tls-key-file", s.Path("server.key"), "--tls-ca-cert-file", s.Path("ca.crt")}
}

// ToolArgs are the options of redis-cli and redis-benchmark.
func (s *Set) ToolArgs() []string {
	return []string{"--tls", "--cert", s.Path("client.crt"), "--key", s.Path("client.key"), "--cacert", s.Path("ca.crt")}
}

// ClientConfig is for a client that shows the certificates.
func (s *Set) ClientConfig(shown ...Pair) *tls.Config {
	c := &tls.Config{RootCAs: s.CA.Pool(), ServerName: "localhost"}
	for _, p := range shown {
		c.Certificates = append(c.Certificates, p.TLS())
	}
	return c
}

// ServerConfig is for a server that wants clients to show a certificate of CA's.
func (s *Set) ServerConfig() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{s.Server.TLS()}, ClientCAs: s.CA.Pool(), ClientAuth: tls.RequireAndVerifyClientCert}
}
