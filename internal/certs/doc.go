// Package certs makes certificates for tests and benchmarks of TLS. Nothing that it makes is a secret worth keeping.
package certs
