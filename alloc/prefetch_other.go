//go:build !amd64 && !arm64

package alloc

// Prefetch does nothing on this architecture.
func Prefetch(addrs []uintptr) {}

// Prefetch1 does nothing on this architecture.
func Prefetch1(addr uintptr) {}
