//go:build !linux

package load

import "errors"

// ReadUsage needs Linux's /proc.
func ReadUsage(pid int) (*Usage, error) {
	return nil, errors.New("a server's CPU time can be read on Linux only")
}
