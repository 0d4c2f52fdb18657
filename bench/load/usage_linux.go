package load

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// clockTick is the unit of the times in /proc/PID/stat: USER_HZ, 100 on every Linux that Go supports.
const clockTick = time.Second / 100

// ReadUsage reads what a process has used so far.
func ReadUsage(pid int) (*Usage, error) {
	u := &Usage{}
	var err error
	if u.CPU, err = processClock(pid); err != nil {
		return nil, fmt.Errorf("cannot read the CPU time of process %d: %w", pid, err)
	}
	if u.User, u.System, err = processTimes(pid); err != nil {
		return nil, err
	}
	if u.RSSBytes, err = residentBytes(pid); err != nil {
		return nil, err
	}
	u.Threads = threadUsage(pid)
	return u, nil
}

// processClock reads the CPU clock of a process, which counts all its threads, ended ones too, in
// nanoseconds. The clock's id is made of the pid as clock_getcpuclockid(3) does it: the complement of the
// pid above three bits that name the clock, 2 being the scheduler's.
func processClock(pid int) (time.Duration, error) {
	var ts unix.Timespec
	if err := unix.ClockGettime(int32(^pid)<<3|2, &ts); err != nil {
		return 0, err
	}
	return time.Duration(ts.Nano()), nil
}

// processTimes reads utime and stime, fields 14 and 15 of /proc/PID/stat (proc(5)).
func processTimes(pid int) (user, system time.Duration, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	// The second field, the name in parentheses, may hold anything; the third follows the last one.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("/proc/%d/stat is cut short", pid)
	}
	utime, err1 := strconv.ParseInt(fields[11], 10, 64)
	stime, err2 := strconv.ParseInt(fields[12], 10, 64)
	if err1 != nil || err2 != nil {
		return 0, 0, fmt.Errorf("/proc/%d/stat has no times", pid)
	}
	return time.Duration(utime) * clockTick, time.Duration(stime) * clockTick, nil
}

// residentBytes reads VmRSS of /proc/PID/status.
func residentBytes(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(text), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no resident memory", pid)
}

// threadUsage reads the CPU time of each thread, busiest first. Threads that end while it reads are left
// out.
func threadUsage(pid int) []ThreadUsage {
	dirs, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	var list []ThreadUsage
	for _, dir := range dirs {
		schedstat, err1 := os.ReadFile(dir + "/schedstat")
		comm, err2 := os.ReadFile(dir + "/comm")
		ran, _, _ := strings.Cut(string(schedstat), " ")
		ns, err3 := strconv.ParseInt(ran, 10, 64)
		id, err4 := strconv.Atoi(filepath.Base(dir))
		if err1 != nil || err2 != nil || err3 != nil || err4 != nil {
			continue
		}
		list = append(list, ThreadUsage{ID: id, Name: strings.TrimSpace(string(comm)), CPU: time.Duration(ns)})
	}
	slices.SortFunc(list, func(a, b ThreadUsage) int { return int(b.CPU - a.CPU) })
	return list
}
