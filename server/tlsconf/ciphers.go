package tlsconf

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
)

// A suite is a cipher of crypto/tls' under OpenSSL's name, with the words by which OpenSSL's lists find it
// (ciphers(1)). Those that nobody should use any more, RC4 and 3DES, are not there.
type suite struct {
	id    uint16
	name  string
	words string
}

const (
	rsaKey   = "RSA kRSA aRSA SSLv3"
	ecdheRSA = "ECDHE EECDH kEECDH kECDHE ECDH aRSA"
	ecdheEC  = "ECDHE EECDH kEECDH kECDHE ECDH aECDSA ECDSA"
	gcm128   = "AES AESGCM AES128 SHA256 TLSv1.2 AEAD"
	gcm256   = "AES AESGCM AES256 SHA384 TLSv1.2 AEAD"
	chacha   = "CHACHA20 TLSv1.2 AEAD"
	cbc128   = "AES AES128 SHA SHA1 CBC"
	cbc256   = "AES AES256 SHA SHA1 CBC"
	cbcSHA2  = "AES AES128 SHA256 TLSv1.2 CBC"
)

// suites stand in the order of preference.
var suites = []suite{
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, "ECDHE-ECDSA-AES256-GCM-SHA384", ecdheEC + " " + gcm256},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, "ECDHE-RSA-AES256-GCM-SHA384", ecdheRSA + " " + gcm256},
	{tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-ECDSA-CHACHA20-POLY1305", ecdheEC + " " + chacha},
	{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, "ECDHE-RSA-CHACHA20-POLY1305", ecdheRSA + " " + chacha},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, "ECDHE-ECDSA-AES128-GCM-SHA256", ecdheEC + " " + gcm128},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, "ECDHE-RSA-AES128-GCM-SHA256", ecdheRSA + " " + gcm128},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256, "ECDHE-ECDSA-AES128-SHA256", ecdheEC + " " + cbcSHA2},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256, "ECDHE-RSA-AES128-SHA256", ecdheRSA + " " + cbcSHA2},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA, "ECDHE-ECDSA-AES256-SHA", ecdheEC + " " + cbc256},
	{tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, "ECDHE-RSA-AES256-SHA", ecdheRSA + " " + cbc256},
	{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, "ECDHE-ECDSA-AES128-SHA", ecdheEC + " " + cbc128},
	{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA, "ECDHE-RSA-AES128-SHA", ecdheRSA + " " + cbc128},
	{tls.TLS_RSA_WITH_AES_256_GCM_SHA384, "AES256-GCM-SHA384", rsaKey + " " + gcm256},
	{tls.TLS_RSA_WITH_AES_128_GCM_SHA256, "AES128-GCM-SHA256", rsaKey + " " + gcm128},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA256, "AES128-SHA256", rsaKey + " " + cbcSHA2},
	{tls.TLS_RSA_WITH_AES_256_CBC_SHA, "AES256-SHA", rsaKey + " " + cbc256},
	{tls.TLS_RSA_WITH_AES_128_CBC_SHA, "AES128-SHA", rsaKey + " " + cbc128},
}

// has tells whether a word of a list means the suite.
func (s *suite) has(word string) bool {
	switch word {
	case "ALL", "DEFAULT", "COMPLEMENTOFALL", "HIGH":
		return word != "COMPLEMENTOFALL"
	}
	return word == s.name || slices.Contains(strings.Fields(s.words), word)
}

// isTLS12 tells whether older versions do not have the suite.
func (s *suite) isTLS12() bool { return strings.Contains(s.words, "TLSv1.2") }

// parseCiphers reads a list of OpenSSL's. Words that mean none of our suites are passed over, as OpenSSL does with
// those it does not know.
func parseCiphers(list string) []*suite {
	var chosen []*suite
	var banned []*suite
	for word := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ':' || r == ',' || r == ' ' || r == ';' }) {
		if word[0] == '@' {
			continue // @STRENGTH: they are ordered by it; @SECLEVEL: nothing here is below the level of today
		}
		op := byte(0)
		if strings.IndexByte("!-+", word[0]) >= 0 {
			op, word = word[0], word[1:]
		}
		found := matching(word)
		without := slices.DeleteFunc(slices.Clone(chosen), func(s *suite) bool { return slices.Contains(found, s) })
		switch op {
		case '!':
			banned = append(banned, found...)
			chosen = without
		case '-':
			chosen = without
		case '+': // moves to the end what is there
			moved := slices.DeleteFunc(found, func(s *suite) bool { return !slices.Contains(chosen, s) })
			chosen = append(without, moved...)
		default:
			for _, s := range found {
				if !slices.Contains(chosen, s) && !slices.Contains(banned, s) {
					chosen = append(chosen, s)
				}
			}
		}
	}
	return chosen
}

// matching returns the suites that all parts of a word such as ECDHE+AESGCM mean.
func matching(word string) (found []*suite) {
	parts := strings.Split(word, "+")
	for i := range suites {
		s := &suites[i]
		if !slices.ContainsFunc(parts, func(part string) bool { return !s.has(part) }) {
			found = append(found, s)
		}
	}
	return found
}

// chooseCiphers sets the ciphers for versions up to 1.2. crypto/tls has an order of its own; for that of the list, or
// of the client, each client is offered exactly one.
func chooseCiphers(conf *tls.Config, list string, preferServer bool) error {
	if list == "" {
		return nil
	}
	chosen := parseCiphers(list)
	if len(chosen) == 0 {
		return fmt.Errorf("Failed to configure ciphers: %s", list)
	}
	for _, s := range chosen {
		conf.CipherSuites = append(conf.CipherSuites, s.id)
	}
	conf.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedVersions, tls.VersionTLS13) && conf.MaxVersion == tls.VersionTLS13 {
			return nil, nil
		}
		id := pick(chosen, hello, conf, preferServer)
		if id == 0 {
			return nil, nil // and crypto/tls says what is wrong
		}
		c := conf.Clone()
		c.GetConfigForClient = nil
		c.CipherSuites = []uint16{id}
		return c, nil
	}
	return nil
}

// pick returns the first suite, in the server's order or the client's, that both have and our certificate allows; 0 if
// there is none.
func pick(chosen []*suite, hello *tls.ClientHelloInfo, conf *tls.Config, preferServer bool) uint16 {
	tls12 := slices.Contains(hello.SupportedVersions, tls.VersionTLS12) && conf.MaxVersion >= tls.VersionTLS12
	auth := ""
	switch conf.Certificates[0].PrivateKey.(type) {
	case *rsa.PrivateKey:
		auth = "aRSA"
	case *ecdsa.PrivateKey:
		auth = "aECDSA"
	}
	usable := slices.DeleteFunc(slices.Clone(chosen), func(s *suite) bool {
		return !s.has(auth) || s.isTLS12() && !tls12 || !slices.Contains(hello.CipherSuites, s.id)
	})
	if len(usable) == 0 {
		return 0
	}
	if preferServer {
		return usable[0].id
	}
	for _, id := range hello.CipherSuites {
		if slices.ContainsFunc(usable, func(s *suite) bool { return s.id == id }) {
			return id
		}
	}
	return 0
}

var (
	suites13     = []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
	otherSuite13 = []string{"TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"} // OpenSSL knows them
)

// limitSuites reads the list for TLS 1.3. crypto/tls cannot leave one of its three out, so a list that does turns the
// version off.
func limitSuites(conf *tls.Config, list string) (warnings []string, err error) {
	if list == "" {
		return nil, nil
	}
	words := strings.FieldsFunc(list, func(r rune) bool { return r == ':' })
	for _, w := range words {
		if !slices.Contains(suites13, w) && !slices.Contains(otherSuite13, w) {
			return nil, fmt.Errorf("Failed to configure ciphersuites: %s", list)
		}
	}
	missing := slices.DeleteFunc(slices.Clone(suites13), func(s string) bool { return slices.Contains(words, s) })
	if len(missing) == 0 || conf.MaxVersion < tls.VersionTLS13 {
		return nil, nil
	}
	if conf.MinVersion == tls.VersionTLS13 {
		return nil, fmt.Errorf("Failed to configure ciphersuites: %s: TLS 1.3 cannot be spoken without %s, and tls-protocols allows nothing else", list, strings.Join(missing, " and "))
	}
	conf.MaxVersion = tls.VersionTLS12
	return []string{"tls-ciphersuites leaves out " + strings.Join(missing, " and ") + ", without which TLS 1.3 cannot be spoken here: it is off, connections use TLS 1.2."}, nil
}
