package config

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// Check is one look at the machine. Problem is empty when all is well, Skipped when it
// cannot be told.
type Check struct {
	Name    string
	Problem string
	Skipped bool
}

// SystemChecks looks at settings of the kernel that cost memory, speed or connections. root is where
// proc and sys are mounted, usually "/". backlog is tcp-backlog.
func SystemChecks(root string, backlog int) []Check {
	k := kernelFiles(root)
	return []Check{k.clocksource(), k.overcommit(), k.hugePages(), k.somaxconn(backlog)}
}

// ReportChecks writes the checks for --check-system and reports whether none has found a problem.
func ReportChecks(w io.Writer, checks []Check) bool {
	ok := true
	for _, c := range checks {
		switch {
		case c.Skipped:
			fmt.Fprintf(w, "[%s]...skipped\n", c.Name)
		case c.Problem == "":
			fmt.Fprintf(w, "[%s]...OK\n", c.Name)
		default:
			fmt.Fprintf(w, "[%s]...WARNING:\n%s\n", c.Name, c.Problem)
			ok = false
		}
	}
	return ok
}

// kernelFiles reads the small files in which the kernel shows its settings.
type kernelFiles string

// read returns a file's text without blanks around it, and whether it exists.
func (k kernelFiles) read(path string) (string, bool) {
	text, err := os.ReadFile(string(k) + "/" + path)
	return strings.TrimSpace(string(text)), err == nil
}

func (k kernelFiles) clocksource() Check {
	source, ok := k.read("sys/devices/system/clocksource/clocksource0/current_clocksource")
	c := Check{Name: "clocksource", Skipped: !ok}
	switch source {
	case "xen", "acpi_pm", "hpet", "jiffies":
		c.Problem = fmt.Sprintf("The clock %q needs a system call, or worse, each time it is read. If the list in "+
			"/sys/devices/system/clocksource/clocksource0/available_clocksource offers tsc, write tsc to current_clocksource "+
			"in the same directory.", source)
	}
	return c
}

// overcommit matters less than to Redis, as nothing forks here; but a kernel that counts reserved
// memory as used refuses the arenas.
func (k kernelFiles) overcommit() Check {
	mode, ok := k.read("proc/sys/vm/overcommit_memory")
	c := Check{Name: "overcommit", Skipped: !ok}
	if mode == "2" {
		c.Problem = "vm.overcommit_memory is 2: the kernel counts memory that is only reserved, and may refuse the " +
			"arenas. Set it to 0 or 1: sysctl vm.overcommit_memory=1"
	}
	return c
}

func (k kernelFiles) hugePages() Check {
	setting, ok := k.read("sys/kernel/mm/transparent_hugepage/enabled")
	c := Check{Name: "THP", Skipped: !ok}
	if strings.Contains(setting, "[never]") {
		c.Problem = "Transparent huge pages are off: lookups in a large keyspace are slower without them. " +
			"Let programs ask for them: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"
	}
	return c
}

func (k kernelFiles) somaxconn(backlog int) Check {
	text, ok := k.read("proc/sys/net/core/somaxconn")
	limit, err := strconv.Atoi(text)
	c := Check{Name: "somaxconn", Skipped: !ok || err != nil}
	if !c.Skipped && limit < backlog {
		c.Problem = fmt.Sprintf("tcp-backlog is %d, but the kernel allows %d: sysctl net.core.somaxconn=%d", backlog, limit, backlog)
	}
	return c
}
