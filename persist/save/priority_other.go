//go:build !linux

package save

func lowPriority() {}
