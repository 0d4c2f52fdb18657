package config

import (
	"math"
	"strconv"
	"strings"
)

var memoryUnits = map[string]uint64{
	"": 1, "b": 1,
	"k": 1000, "kb": 1 << 10,
	"m": 1000 * 1000, "mb": 1 << 20,
	"g": 1000 * 1000 * 1000, "gb": 1 << 30,
}

// ParseMemory reads a number of bytes such as 1048576, 1mb, 1M (a million) or 2gb; as in Redis,
// no digits at all are zero. It reports false for anything else, for negative numbers, and beyond 2^63-1 bytes.
func ParseMemory(s string) (bytes int64, ok bool) {
	digits := 0
	for digits < len(s) && '0' <= s[digits] && s[digits] <= '9' {
		digits++
	}
	unit, ok := memoryUnits[strings.ToLower(s[digits:])]
	if !ok {
		return 0, false
	}
	if digits == 0 {
		return 0, true
	}
	n, err := strconv.ParseUint(s[:digits], 10, 64)
	if err != nil || n > math.MaxInt64/unit {
		return 0, false
	}
	return int64(n * unit), true
}

// FormatMemory writes n with the largest unit that divides it, as ParseMemory reads it.
func FormatMemory(n int64) string {
	for _, u := range []struct {
		name  string
		bytes int64
	}{{"gb", 1 << 30}, {"mb", 1 << 20}, {"kb", 1 << 10}} {
		if n != 0 && n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10)
}
