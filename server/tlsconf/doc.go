// Package tlsconf makes a configuration of crypto/tls from settings in OpenSSL's terms: files in PEM, some of them
// encrypted, lists of ciphers, and names of versions. Whatever a setting asks for and crypto/tls cannot do is refused
// or answered with what is stricter, never with what is weaker.
package tlsconf
