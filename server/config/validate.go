package config

import (
	"math/bits"
	"strings"
)

func baseName(text string) func(string) error {
	return func(s string) error {
		if strings.ContainsAny(s, `/\`) {
			return reason(text)
		}
		return nil
	}
}

func notEmpty(text string, next func(string) error) func(string) error {
	return func(s string) error {
		if s == "" {
			return reason(text)
		}
		return next(s)
	}
}

func validShutdown(f ShutdownFlags) error {
	if f&ShutdownSave != 0 && f&ShutdownNoSave != 0 {
		return reason("shutdown options SAVE and NOSAVE can't be used simultaneously")
	}
	return nil
}

const maxHostname = 256

func validHostname(s string) error {
	if len(s) >= maxHostname {
		return reason("Hostnames must be less than 256 characters")
	}
	for i := 0; i < len(s); i++ {
		if !isAlphanumeric(s[i]) && s[i] != '-' && s[i] != '.' {
			return reason("Hostnames may only contain alphanumeric characters, hyphens or dots")
		}
	}
	return nil
}

// validNodename keeps out what separates fields in the cluster's node file.
func validNodename(s string) error {
	if strings.ContainsAny(s, "!#$%&()*+:;<>?@[]^{|}~") {
		return reason("Announced human node name contained invalid character")
	}
	return nil
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func validShards(n int) error {
	if bits.OnesCount(uint(n)) > 1 {
		return reason("shards must be a power of two, or 0")
	}
	return nil
}

func validCPUList(s string) error {
	_, err := ParseCPUList(s)
	return err
}
