package tlsconf

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shoaldb/shoal/internal/certs"
)

func newSet(t testing.TB) *certs.Set {
	t.Helper()
	set, err := certs.NewSet(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// options are those that work.
func options(set *certs.Set) Options {
	return Options{
		CertFile: set.Path("server.crt"), KeyFile: set.Path("server.key"), CAFile: set.Path("ca.crt"),
		ClientAuth: tls.RequireAndVerifyClientCert, SessionTimeout: time.Minute,
	}
}

// connect makes a handshake, sends a byte each way, and returns both sides' states.
func connect(t testing.TB, server, client *tls.Config) (s, c tls.ConnectionState, err error) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	there, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer there.Close()
	here, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer here.Close()
	for _, end := range []net.Conn{here, there} {
		_ = end.SetDeadline(time.Now().Add(2 * time.Minute))
	}
	served := make(chan error, 1)
	a, b := tls.Server(here, server), tls.Client(there, client)
	go func() {
		_, err := a.Read(make([]byte, 1))
		if err == nil {
			_, err = a.Write([]byte("x"))
		}
		if err != nil {
			here.Close()
		}
		served <- err
	}()
	_, clientErr := b.Write([]byte("x"))
	if clientErr == nil {
		_, clientErr = b.Read(make([]byte, 1))
	}
	if clientErr != nil {
		there.Close()
	}
	return a.ConnectionState(), b.ConnectionState(), errors.Join(<-served, clientErr)
}

func TestLoadFails(t *testing.T) {
	set := newSet(t)
	empty := set.Path("empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		change func(*Options)
		want   string
	}{
		{func(o *Options) { o.CertFile = "" }, "No tls-cert-file configured!"},
		{func(o *Options) { o.KeyFile = "" }, "No tls-key-file configured!"},
		{func(o *Options) { o.CAFile = "" }, "Either tls-ca-cert-file or tls-ca-cert-dir must be specified"},
		{func(o *Options) { o.CAFile, o.ClientAuth, o.Outgoing = "", tls.NoClientCert, true }, "Either tls-ca-cert-file or"},
		{func(o *Options) { o.CertFile = "/no/such" }, "Failed to load certificate: /no/such: open"},
		{func(o *Options) { o.CertFile = empty }, "Failed to load certificate: " + empty + ": no certificate in PEM"},
		{func(o *Options) { o.KeyFile = "/no/such" }, "Failed to load private key: /no/such: open"},
		{func(o *Options) { o.KeyFile = o.CertFile }, "no private key in PEM"},
		{func(o *Options) { o.KeyFile = set.Path("client.key") }, "private key does not match public key"},
		{func(o *Options) { o.CAFile = "/no/such" }, "Failed to configure CA certificate(s) file/directory: /no/such"},
		{func(o *Options) { o.CAFile = empty }, "no certificate in PEM"},
		{func(o *Options) { o.CAFile, o.CADir = "", "/no/such" }, "Failed to configure CA certificate(s) file/directory: open /no/such"},
		{func(o *Options) { o.ClientCertFile, o.ClientKeyFile = set.Path("client.crt"), set.Path("server.key") }, "Failed to load private key"},
		{func(o *Options) { o.DHParamsFile = "/no/such" }, "Failed to load /no/such"},
		{func(o *Options) { o.DHParamsFile = set.Path("ca.crt") }, "failed to read DH params."},
		{func(o *Options) { o.Protocols = "SSLv3" }, "Invalid tls-protocols specified."},
		{func(o *Options) { o.Protocols = "TLSv1.2  TLSv1.3" }, "Invalid tls-protocols specified."},
		{func(o *Options) { o.Protocols = "TLSv1.1 TLSv1.3" }, "leaves out a version"},
		{func(o *Options) { o.Ciphers = "NOSUCH" }, "Failed to configure ciphers: NOSUCH"},
		{func(o *Options) { o.Ciphers = "ALL:!ALL" }, "Failed to configure ciphers"},
		{func(o *Options) { o.CipherSuites = "NOSUCH" }, "Failed to configure ciphersuites: NOSUCH"},
		{func(o *Options) { o.CipherSuites, o.Protocols = suites13[0], "TLSv1.3" }, "TLS 1.3 cannot be spoken without"},
	} {
		o := options(set)
		test.change(&o)
		if _, _, err := Load(o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v instead of %q", err, test.want)
		}
	}
}

// load is Load for what must work.
func load(t testing.TB, o Options) *tls.Config {
	t.Helper()
	conf, _, err := Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return conf
}

func TestClientAuth(t *testing.T) {
	set := newSet(t)
	for _, test := range []struct {
		auth  tls.ClientAuthType
		shown *certs.Pair
		want  string
	}{
		{tls.RequireAndVerifyClientCert, &set.Client, ""},
		{tls.RequireAndVerifyClientCert, nil, "client didn't provide a certificate"},
		{tls.RequireAndVerifyClientCert, &set.Expired, "certificate has expired"},
		{tls.RequireAndVerifyClientCert, &set.Stranger, "unknown authority"},
		{tls.VerifyClientCertIfGiven, nil, ""},
		{tls.VerifyClientCertIfGiven, &set.Client, ""},
		{tls.VerifyClientCertIfGiven, &set.Stranger, "unknown authority"},
		{tls.NoClientCert, nil, ""},
	} {
		o := options(set)
		o.ClientAuth = test.auth
		client := set.ClientConfig()
		client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			cert := new(tls.Certificate)
			if test.shown != nil {
				*cert = test.shown.TLS()
			}
			return cert, nil
		}
		_, _, err := connect(t, load(t, o), client)
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v: %v instead of %q", test.auth, err, test.want)
		}
	}
}

// TestNoAuthority: without any, nobody is trusted; least of all those that the system trusts.
func TestNoAuthority(t *testing.T) {
	set := newSet(t)
	o := options(set)
	o.CAFile, o.CADir = "", t.TempDir()
	if _, _, err := connect(t, load(t, o), set.ClientConfig(set.Client)); err == nil {
		t.Error("a client was let in")
	}
	if err := os.WriteFile(filepath.Join(o.CADir, "any-name"), set.CA.PEM, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/no/such", filepath.Join(o.CADir, "broken")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := connect(t, load(t, o), set.ClientConfig(set.Client)); err != nil {
		t.Error(err)
	}
}

func TestProtocols(t *testing.T) {
	set := newSet(t)
	for list, want := range map[string][2]uint16{
		"":                              {tls.VersionTLS12, tls.VersionTLS13},
		"TLSv1.2":                       {tls.VersionTLS12, tls.VersionTLS12},
		"tlsv1.3 TLSv1.2":               {tls.VersionTLS12, tls.VersionTLS13},
		"TLSv1 TLSv1.1 TLSv1.2":         {tls.VersionTLS10, tls.VersionTLS12},
		"TLSv1.3":                       {tls.VersionTLS13, tls.VersionTLS13},
		"TLSv1.3 TLSv1.3":               {tls.VersionTLS13, tls.VersionTLS13},
		"TLSv1.1 TLSv1.2 TLSv1.3":       {tls.VersionTLS11, tls.VersionTLS13},
		"TLSv1 TLSv1.1 TLSv1.2 TLSV1.3": {tls.VersionTLS10, tls.VersionTLS13},
	} {
		o := options(set)
		o.Protocols = list
		conf := load(t, o)
		if got := [2]uint16{conf.MinVersion, conf.MaxVersion}; got != want {
			t.Errorf("%q: %x", list, got)
		}
		client := set.ClientConfig(set.Client)
		client.MinVersion = tls.VersionTLS10
		if _, c, err := connect(t, conf, client); err != nil || c.Version != want[1] {
			t.Errorf("%q: version %x, %v", list, c.Version, err)
		}
	}
}

func TestCipherSuites13(t *testing.T) {
	set := newSet(t)
	o := options(set)
	o.CipherSuites = strings.Join(suites13, ":")
	if conf, warnings, err := Load(o); err != nil || len(warnings) > 0 || conf.MaxVersion != tls.VersionTLS13 {
		t.Errorf("all: %v, %q", err, warnings)
	}
	o.CipherSuites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_CCM_SHA256"
	conf, warnings, err := Load(o)
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], "leaves out TLS_AES_128_GCM_SHA256 and TLS_CHACHA20_POLY1305_SHA256") {
		t.Fatalf("one: %v, %q", err, warnings)
	}
	if _, c, err := connect(t, conf, set.ClientConfig(set.Client)); err != nil || c.Version != tls.VersionTLS12 {
		t.Errorf("version %x, %v", c.Version, err)
	}
}

func TestParseCiphers(t *testing.T) {
	for list, want := range map[string]string{
		"AES128-SHA":                        "AES128-SHA",
		"AES128-SHA:AES256-SHA,AES128-SHA":  "AES128-SHA AES256-SHA",
		"AES128-SHA AES256-SHA:+AES128-SHA": "AES256-SHA AES128-SHA",
		"kRSA+AESGCM":                       "AES256-GCM-SHA384 AES128-GCM-SHA256",
		"kRSA:-kRSA:AES128-SHA":             "AES128-SHA",
		"kRSA:!CBC:AES128-SHA":              "AES256-GCM-SHA384 AES128-GCM-SHA256",
		"CHACHA20+aECDSA:NOSUCH:@STRENGTH":  "ECDHE-ECDSA-CHACHA20-POLY1305",
		"DEFAULT:!ECDHE:!CBC:@SECLEVEL=2":   "AES256-GCM-SHA384 AES128-GCM-SHA256",
		"-ALL:AES128-SHA256":                "AES128-SHA256",
		"RC4-SHA:DES-CBC3-SHA:eNULL:EXPORT": "",
		"COMPLEMENTOFALL":                   "",
		"HIGH+SHA384+aRSA+ECDHE":            "ECDHE-RSA-AES256-GCM-SHA384",
	} {
		var got []string
		for _, s := range parseCiphers(list) {
			got = append(got, s.name)
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%q: %q", list, text)
		}
	}
	if n := len(parseCiphers("ALL")); n != len(suites) {
		t.Errorf("ALL are %d", n)
	}
}

// TestNames compares the suites' names with Go's, which are made of the same words.
func TestNames(t *testing.T) {
	for _, s := range suites {
		name := tls.CipherSuiteName(s.id)
		for _, word := range strings.FieldsFunc(s.name, func(r rune) bool { return r == '-' }) {
			word = strings.ReplaceAll(strings.ReplaceAll(word, "AES128", "AES_128"), "AES256", "AES_256")
			if !strings.Contains(name, word) {
				t.Errorf("%s is %s", s.name, name)
			}
		}
	}
}

func TestCipherOrder(t *testing.T) {
	set := newSet(t)
	const first, second = tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
	for _, test := range []struct {
		list         string
		preferServer bool
		clients      []uint16
		want         uint16 // 0: none
	}{
		{"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-GCM-SHA384", true, []uint16{first, second}, first},
		{"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA", true, []uint16{first, second}, second},
		{"kRSA:ECDHE-ECDSA-AES128-SHA", true, []uint16{first, second}, first},
		{"ECDHE-ECDSA-AES128-SHA", false, []uint16{first, second}, first},
		{"ECDHE-ECDSA-AES128-SHA", false, []uint16{second}, 0},
		{"DEFAULT", false, []uint16{first}, first},
	} {
		o := options(set)
		o.Ciphers, o.PreferServerCiphers = test.list, test.preferServer
		client := set.ClientConfig(set.Client)
		client.MaxVersion, client.CipherSuites = tls.VersionTLS12, test.clients
		_, c, err := connect(t, load(t, o), client)
		if (err == nil) != (test.want != 0) || err == nil && c.CipherSuite != test.want {
			t.Errorf("%q: %s, %v", test.list, tls.CipherSuiteName(c.CipherSuite), err)
		}
	}
	// Without TLS 1.3's the list says nothing about it.
	o := options(set)
	o.Ciphers = "ECDHE-ECDSA-AES128-SHA"
	if _, c, err := connect(t, load(t, o), set.ClientConfig(set.Client)); err != nil || c.Version != tls.VersionTLS13 {
		t.Errorf("version %x, %v", c.Version, err)
	}
}

// TestOrderOfClient uses openssl, as crypto/tls' client has its own order.
func TestOrderOfClient(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("there is no openssl here: nothing was tested")
		return
	}
	set := newSet(t)
	o := options(set)
	o.Ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"
	ln, err := tls.Listen("tcp", "127.0.0.1:0", load(t, o))
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	got := make(chan uint16, 1)
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.(*tls.Conn).Handshake()
		got <- c.(*tls.Conn).ConnectionState().CipherSuite
	}()
	cmd := exec.Command(openssl, "s_client", "-connect", ln.Addr().String(), "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384",
		"-cert", set.Path("client.crt"), "-key", set.Path("client.key"))
	out, _ := cmd.CombinedOutput()
	select {
	case id := <-got:
		if id != tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 {
			t.Errorf("%s was chosen", tls.CipherSuiteName(id))
		}
	case <-time.After(2 * time.Minute):
		t.Errorf("no handshake: %s", out)
	}
}

func TestSessions(t *testing.T) {
	set := newSet(t)
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for _, list := range []string{"", "DEFAULT"} {
			resumes := func(conf *tls.Config, client *tls.Config) bool {
				t.Helper()
				s, _, err := connect(t, conf, client)
				if err != nil {
					t.Fatal(err)
				}
				return s.DidResume
			}
			client := func() *tls.Config {
				c := set.ClientConfig(set.Client)
				c.MinVersion, c.MaxVersion, c.ClientSessionCache = version, version, tls.NewLRUClientSessionCache(1)
				return c
			}
			o := options(set)
			o.Ciphers = list
			conf, c := load(t, o), client()
			if resumes(conf, c) || !resumes(conf, c) || !resumes(conf, c) {
				t.Errorf("version %x, ciphers %q: sessions are not resumed", version, list)
			}
			if resumes(load(t, o), c) {
				t.Error("a session has survived a change of the settings")
			}
			o.SessionTimeout = 0
			conf, c = load(t, o), client()
			if first, second := resumes(conf, c), resumes(conf, c); first || second {
				t.Error("without caching sessions are resumed")
			}
		}
	}
}

func TestSessionExpires(t *testing.T) {
	ss := &tls.SessionState{}
	if !expired(ss, time.Hour) {
		t.Error("no time is not too late")
	}
	conf := &tls.Config{}
	keepSessions(conf, time.Hour)
	if _, err := conf.WrapSession(tls.ConnectionState{}, ss); err != nil {
		t.Fatal(err)
	}
	if expired(ss, time.Hour) || !expired(ss, -time.Hour) {
		t.Error("the time is not kept")
	}
}

// TestEncryptedKeys opens what openssl writes, in both formats.
func TestEncryptedKeys(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Log("there is no openssl here: nothing was tested")
		return
	}
	set := newSet(t)
	rsaKey := set.Path("rsa.key")
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(openssl, args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %q: %v\n%s", args, err, out)
		}
	}
	run("genrsa", "-out", rsaKey, "2048")
	out := set.Path("encrypted")
	for _, args := range [][]string{
		{"pkey", "-in", set.Path("server.key"), "-aes256"},
		{"pkey", "-in", set.Path("server.key"), "-aes128"},
		{"rsa", "-in", rsaKey, "-aes256"},
		{"rsa", "-in", rsaKey, "-aes256", "-traditional"},
		{"rsa", "-in", rsaKey, "-des3", "-traditional"},
		{"pkcs8", "-in", rsaKey, "-topk8", "-v2", "aes-192-cbc"},
		{"pkcs8", "-in", rsaKey, "-topk8", "-v2", "des3", "-v2prf", "hmacWithSHA1"},
		{"pkcs8", "-in", rsaKey, "-topk8", "-v2", "aes256", "-v2prf", "hmacWithSHA512", "-iter", "1000"},
	} {
		run(append(args, "-passout", "pass:1234", "-out", out)...)
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "ENCRYPTED") {
			t.Fatalf("%q encrypts nothing", args)
		}
		key, err := openKey(text, "1234")
		if err != nil {
			t.Errorf("%q: %v", args, err)
			continue
		}
		block, _ := pem.Decode(key)
		_, err1 := x509.ParsePKCS8PrivateKey(block.Bytes)
		_, err2 := x509.ParsePKCS1PrivateKey(block.Bytes)
		if err1 != nil && err2 != nil {
			t.Errorf("%q: %v, %v", args, err1, err2)
		}
		for _, wrong := range wrongPasswords(text) {
			if _, err := openKey(text, wrong); err == nil {
				t.Errorf("%q: password %q opens it", args, wrong)
			}
		}
	}
	run("pkcs8", "-in", rsaKey, "-topk8", "-scrypt", "-passout", "pass:1234", "-out", out)
	text, _ := os.ReadFile(out)
	if _, err := openKey(text, "1234"); err != errAlgorithm {
		t.Errorf("scrypt: %v", err)
	}
}

// wrongPasswords returns few for a format whose keys are costly to derive; else so many that some decrypt to something
// with the padding of a key, as one in 256 does.
func wrongPasswords(text []byte) []string {
	list := []string{"", "1235"}
	if bytes.Contains(text, []byte("BEGIN ENCRYPTED")) {
		return list
	}
	for i := range 1000 {
		list = append(list, fmt.Sprint("wrong", i))
	}
	return list
}

func FuzzDecryptKey(f *testing.F) {
	f.Add([]byte("0"), "x")
	f.Add([]byte{0x30, 0x5e, 0x30, 0x57, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x05, 0x0d, 0x30, 0x4a, 0x30, 0x29, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86,
		0xf7, 0x0d, 0x01, 0x05, 0x0c, 0x30, 0x1c, 0x04, 0x08, 1, 2, 3, 4, 5, 6, 7, 8, 0x02, 0x02, 0x08, 0x00, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48, 0x86,
		0xf7, 0x0d, 0x02, 0x09, 0x05, 0x00, 0x30, 0x1d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2a, 0x04, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
		13, 14, 15, 16, 0x04, 0x03, 1, 2, 3}, "x")
	f.Fuzz(func(t *testing.T, der []byte, password string) {
		_, _ = decryptPKCS8(der, password, 3000)
	})
}

func FuzzParseCiphers(f *testing.F) {
	f.Add("DEFAULT:-AES128-SHA256")
	f.Add("+:!:@:-ALL+:++")
	f.Fuzz(func(t *testing.T, list string) {
		seen := map[*suite]bool{}
		for _, s := range parseCiphers(list) {
			if seen[s] {
				t.Errorf("%s twice", s.name)
			}
			seen[s] = true
		}
	})
}
