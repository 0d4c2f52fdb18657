//go:build !linux

package oracle

import "syscall"

// dieWithParent has no equivalent outside Linux: a server may outlive a test that is killed.
func dieWithParent() *syscall.SysProcAttr { return nil }
