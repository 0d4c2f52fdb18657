package config

import (
	"strconv"
	"strings"
)

// maxCPUs is how many processors the kernel can number.
const maxCPUs = 8192

// ReactorCPUs returns the cores to pin the reactors to: those of reactor-cpulist, else those of
// server_cpulist as far as it makes sense; empty when reactors are not pinned.
func (v *Values) ReactorCPUs() []int {
	if v.ReactorCPUList != "" {
		cpus, _ := ParseCPUList(v.ReactorCPUList)
		return cpus
	}
	cpus, _ := ParseCPUList(v.ServerCPUList)
	return cpus
}

// ParseCPUList reads a list such as 0,2,8-11 or 0-7:2 (every second), in the notation of
// taskset(1). The order is kept.
func ParseCPUList(s string) ([]int, error) {
	if s == "" {
		return nil, nil
	}
	var cpus []int
	for part := range strings.SplitSeq(s, ",") {
		span, stride, strided := strings.Cut(strings.TrimSpace(part), ":")
		first, last, ranged := strings.Cut(span, "-")
		if !ranged {
			last = first
		}
		if !strided {
			stride = "1"
		}
		from, err1 := strconv.ParseUint(first, 10, 16)
		to, err2 := strconv.ParseUint(last, 10, 16)
		step, err3 := strconv.ParseUint(stride, 10, 16)
		if err1 != nil || err2 != nil || err3 != nil || to < from || to >= maxCPUs || step == 0 {
			return nil, reason("invalid list of cores: use a form such as 0-3 or 0-6:2,8")
		}
		for cpu := from; cpu <= to; cpu += step {
			cpus = append(cpus, int(cpu))
		}
	}
	return cpus, nil
}
