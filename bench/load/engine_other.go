//go:build !linux

package load

func newEngine(o *Options) (engine, error) { return newPortable(o) }
