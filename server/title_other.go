//go:build !linux

package server

// setProcessTitle does nothing: only Linux lets a process change its arguments without unsafe means.
func setProcessTitle(string) error { return nil }
