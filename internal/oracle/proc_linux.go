package oracle

import "syscall"

// dieWithParent makes the kernel kill a server whose test has died.
func dieWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
