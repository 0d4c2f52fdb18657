package bench

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shoaldb/shoal/bench/load"
)

// quietCores is how much CPU time others may take, in cores, before a run counts as disturbed.
const quietCores = 0.10

// quietest measures until enough runs were left alone by other processes, or there were too many attempts, and returns
// those that were disturbed least. measure is told how many runs came before.
func quietest[R interface{ foreign() float64 }](ctx context.Context, runs, attempts int, measure func(run int) (R, error)) ([]R, error) {
	var all []R
	for quiet := 0; quiet < runs && len(all) < max(attempts, 1)*runs; {
		one, err := measure(len(all))
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return nil, err
		}
		all = append(all, one)
		if one.foreign() < quietCores {
			quiet++
		}
	}
	slices.SortStableFunc(all, func(a, b R) int { return cmp.Compare(a.foreign(), b.foreign()) })
	return all[:runs], nil
}

// machineTime is CPU time used on the whole machine: by everybody, and by the processes of the measurement.
type machineTime struct {
	all, ours time.Duration
	at        time.Time
}

// readMachineTime returns a zero value where it cannot tell.
func readMachineTime(pids ...int) machineTime {
	all, ok := busyTime()
	if !ok {
		return machineTime{}
	}
	t := machineTime{all: all, at: time.Now()}
	for _, pid := range pids {
		if u, err := load.ReadUsage(pid); err == nil {
			t.ours += u.CPU
		}
	}
	return t
}

// foreignSince gives the cores that processes other than ours kept busy since an earlier reading.
func (t machineTime) foreignSince(before machineTime) float64 {
	elapsed := t.at.Sub(before.at)
	if before.at.IsZero() || elapsed <= 0 {
		return 0
	}
	foreign := (t.all - before.all) - (t.ours - before.ours)
	return max(foreign.Seconds()/elapsed.Seconds(), 0)
}

// busyTime adds user, nice and system time of the first line of Linux's /proc/stat, which is in hundredths of
// a second. Interrupts are left out: most are our own network traffic.
func busyTime() (time.Duration, bool) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, false
	}
	line, _, _ := strings.Cut(string(b), "\n")
	fields := strings.Fields(line)
	if len(fields) < 4 || fields[0] != "cpu" {
		return 0, false
	}
	var ticks int64
	for _, field := range fields[1:4] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, false
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100, true
}
