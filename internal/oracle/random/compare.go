package random

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
)

// How the replies of some commands may differ, by name.
var tolerance = map[string]func(a, b []byte) bool{
	"KEYS":            sameElements,
	"SCAN":            sameElements,
	"RANDOMKEY":       sameKind,
	"TTL":             within(20),
	"EXPIRETIME":      within(20),
	"PTTL":            within(20000),
	"PEXPIRETIME":     within(20000),
	"SMEMBERS":        sameElements,
	"SINTER":          sameElements,
	"SUNION":          sameElements,
	"SDIFF":           sameElements,
	"SPOP":            sameElements,
	"SRANDMEMBER":     sameCount,
	"SSCAN":           sameElements,
	"ZSCAN":           sameElements,
	"ZRANDMEMBER":     sameCount,
	"HGETALL":         sameElements,
	"HKEYS":           sameElements,
	"HVALS":           sameElements,
	"HSCAN":           sameElements,
	"HRANDFIELD":      sameCount,
	"OBJECT IDLETIME": within(60),
	"OBJECT REFCOUNT": sameRefcount,
}

// equal tells whether two replies to a command are as good as equal.
func equal(args []string, a, b reply) bool {
	if a.fail != "" || b.fail != "" {
		return a.fail == b.fail && bytes.Equal(a.raw, b.raw)
	}
	if bytes.Equal(a.raw, b.raw) {
		return true
	}
	name := strings.ToUpper(args[0])
	if name == "OBJECT" && len(args) > 1 {
		name += " " + strings.ToUpper(args[1])
	}
	alike := tolerance[name]
	if alike == nil || a.raw[0] == '-' || b.raw[0] == '-' {
		return false
	}
	return alike(a.raw, b.raw)
}

// sameElements compares replies as bags of lines: arrays of keys in any order. Keys that hold line ends are cut
// alike on both sides.
func sameElements(a, b []byte) bool {
	x, y := bytes.Split(a, []byte("\r\n")), bytes.Split(b, []byte("\r\n"))
	slices.SortFunc(x, bytes.Compare)
	slices.SortFunc(y, bytes.Compare)
	return slices.EqualFunc(x, y, bytes.Equal)
}

// sameKind accepts any two keys, but not a key and none.
func sameKind(a, b []byte) bool { return isNil(a) == isNil(b) }

// sameCount accepts any elements, but not different numbers of them.
func sameCount(a, b []byte) bool {
	if a[0] != '*' {
		return sameKind(a, b)
	}
	x, _, _ := bytes.Cut(a, []byte("\r\n"))
	y, _, _ := bytes.Cut(b, []byte("\r\n"))
	return bytes.Equal(x, y)
}

func isNil(b []byte) bool {
	return bytes.Equal(b, []byte("$-1\r\n")) || bytes.Equal(b, []byte("_\r\n"))
}

// within accepts integers that are not negative and differ by less than d.
func within(d float64) func(a, b []byte) bool {
	return func(a, b []byte) bool {
		x, okX := integer(a)
		y, okY := integer(b)
		return okX && okY && x >= 0 && y >= 0 && math.Abs(float64(x-y)) < d
	}
}

// sharedRefcount is the count of an integer that redis-server shares between keys.
const sharedRefcount = 2147483647

// sameRefcount accepts an integer that one server shares and the other does not: redis-server does so depending on the
// command that stored it.
func sameRefcount(a, b []byte) bool {
	x, okX := integer(a)
	y, okY := integer(b)
	return okX && okY && (x == 1 || x == sharedRefcount) && (y == 1 || y == sharedRefcount)
}

func integer(b []byte) (int64, bool) {
	if len(b) < 3 || b[0] != ':' {
		return 0, false
	}
	n, err := strconv.ParseInt(string(b[1:len(b)-2]), 10, 64)
	return n, err == nil
}
