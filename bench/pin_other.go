//go:build !linux

package bench

import "os/exec"

// startOn starts a program and closes exited when it has ended. CPUs can be chosen on Linux only.
func startOn(cmd *exec.Cmd, cpus []int, exited chan<- struct{}) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		cmd.Wait()
		close(exited)
	}()
	return nil
}

// pinAll does nothing here.
func pinAll([]int) (undo func()) { return func() {} }

// pin cannot pin the calling thread here.
func pin([]int) error { return nil }
