package aof

import (
	"os"

	"golang.org/x/sys/unix"
)

// Open files sync their bytes and their size, but no times: fdatasync(2) needs half of what fsync(2) does.
type dataFile struct{ *os.File }

func (f dataFile) Sync() error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if err != unix.EINTR {
			return err
		}
	}
}

// OSFile makes an open file fit for a Writer.
func OSFile(f *os.File) Output { return dataFile{f} }
