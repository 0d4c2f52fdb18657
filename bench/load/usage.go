package load

import "time"

// Usage is what a process has used: CPU time up to a moment, or between two.
type Usage struct {
	CPU      time.Duration // exact, from the process's CPU clock
	User     time.Duration // by the kernel's ticks
	System   time.Duration
	RSSBytes int64 // at the moment, or at the later of the two
	Threads  []ThreadUsage
}

// ThreadUsage is the CPU time of one thread.
type ThreadUsage struct {
	ID   int
	Name string
	CPU  time.Duration
}

// since gives what was used after an earlier reading. Threads that began in between count from 0.
func (u *Usage) since(before *Usage) *Usage {
	earlier := map[int]time.Duration{}
	for _, t := range before.Threads {
		earlier[t.ID] = t.CPU
	}
	d := &Usage{CPU: u.CPU - before.CPU, User: u.User - before.User, System: u.System - before.System, RSSBytes: u.RSSBytes}
	for _, t := range u.Threads {
		if t.CPU -= earlier[t.ID]; t.CPU > 0 {
			d.Threads = append(d.Threads, t)
		}
	}
	return d
}
