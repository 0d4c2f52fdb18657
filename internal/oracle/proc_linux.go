package oracle

import "syscall"

// processAttr gives a server a process group of its own, and makes the kernel kill a server whose test has died.
func processAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
