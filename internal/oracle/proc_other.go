//go:build !linux

package oracle

import "syscall"

// processAttr gives a server a process group of its own. Outside Linux it may outlive a test that is killed.
func processAttr() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
