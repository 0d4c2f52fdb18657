//go:build !linux

package server

// residentBytes is not known here.
func residentBytes() int64 { return 0 }

// systemMemory is not known here.
func systemMemory() int64 { return 0 }

// threadTimes are not known here.
func threadTimes() (userUS, systemUS int64) { return 0, 0 }
