//go:build !linux

package aof

import "os"

// OSFile makes an open file fit for a Writer.
func OSFile(f *os.File) Output { return f }
