//go:build !linux

package bench

import "os/exec"

// startOn starts a program; CPUs can be chosen on Linux only.
func startOn(cmd *exec.Cmd, cpus []int) error { return cmd.Start() }
