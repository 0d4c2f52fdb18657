//go:build amd64 || arm64

package alloc

// Prefetch asks for the cache lines at these addresses. It never faults, whatever they are,
// and needs no lock.
//
//go:noescape
func Prefetch(addrs []uintptr)

// Prefetch1 asks for the cache line at one address.
//
//go:noescape
func Prefetch1(addr uintptr)
