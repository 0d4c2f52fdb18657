package server

import (
	"bytes"
	"fmt"
	"os"
)

// titleArea is where the kernel finds what /proc/PID/cmdline shows: the memory of the process' arguments, and after it that
// of its environment, which a long title may run into.
type titleArea struct {
	argStart, argEnd, envStart, envEnd int64
}

const (
	maxTitle       = 4095 // the kernel reads a page of a title that is not the arguments
	argStartField  = 48   // of /proc/PID/stat, see proc_pid_stat(5)
	firstStatField = 3    // after the name, which may hold anything
)

func findTitleArea() (titleArea, error) {
	var a titleArea
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return a, err
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	for i, p := range []*int64{&a.argStart, &a.argEnd, &a.envStart, &a.envEnd} {
		n := argStartField - firstStatField + i
		if n >= len(fields) {
			return a, fmt.Errorf("/proc/self/stat has %d fields", len(fields)+firstStatField-1)
		}
		if _, err := fmt.Sscan(string(fields[n]), p); err != nil {
			return a, fmt.Errorf("field %d of /proc/self/stat: %w", n+firstStatField, err)
		}
	}
	if a.argStart == 0 || a.argEnd <= a.argStart {
		return a, fmt.Errorf("/proc/self/stat hides the arguments")
	}
	return a, nil
}

// image gives the bytes to be written from argStart on to show a title, which is cut where there is no room. As long as
// the last byte of the arguments is 0 the kernel shows all of them; otherwise, it shows what is there up to the first 0, be
// that after the arguments.
func (a titleArea) image(title string) []byte {
	args := int(a.argEnd - a.argStart)
	room := args
	if a.envStart == a.argEnd && a.envEnd > a.envStart {
		room = int(a.envEnd - a.argStart)
	}
	title = title[:min(len(title), room-1, maxTitle)]
	b := make([]byte, max(args, len(title)+1))
	n := copy(b, title)
	if n+1 < args {
		b[args-1] = '.'
	}
	return b
}

// setProcessTitle changes how the process list shows the process. It overwrites the memory that the process was given its
// arguments in: os.Args must not lie there any more, nor a string that was cut from it. The Go runtime has a copy of the
// environment.
func setProcessTitle(title string) error {
	a, err := findTitleArea()
	if err != nil {
		return err
	}
	mem, err := os.OpenFile("/proc/self/mem", os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer mem.Close()
	_, err = mem.WriteAt(a.image(title), a.argStart)
	return err
}
