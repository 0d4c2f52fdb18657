//go:build !linux

package disk

import "os"

type file struct{ *os.File }
