package load

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/shoaldb/shoal/persist/rdb"
	pack "github.com/shoaldb/shoal/types/listpack"
)

// ziplist makes a ziplist. Numbers are stored in the form that is named behind them: "5:imm", "5:8", "5:16", "5:24",
// "5:32", "5:64".
func ziplist(entries ...string) []byte {
	z := make([]byte, 10)
	before, last := 0, 10
	for _, e := range entries {
		last = len(z)
		if before < 254 {
			z = append(z, byte(before))
		} else {
			z = binary.LittleEndian.AppendUint32(append(z, 254), uint32(before))
		}
		z = appendZiplistEntry(z, e)
		before = len(z) - last
	}
	z = append(z, 255)
	binary.LittleEndian.PutUint32(z, uint32(len(z)))
	binary.LittleEndian.PutUint32(z[4:], uint32(last))
	binary.LittleEndian.PutUint16(z[8:], uint16(len(entries)))
	return z
}

func appendZiplistEntry(z []byte, e string) []byte {
	if text, form, ok := strings.Cut(e, ":"); ok {
		n, err := strconv.ParseInt(text, 10, 64)
		if err == nil {
			switch form {
			case "imm":
				return append(z, 0xF1+byte(n))
			case "8":
				return append(z, 0xFE, byte(n))
			case "16":
				return binary.LittleEndian.AppendUint16(append(z, 0xC0), uint16(n))
			case "24":
				return append(z, 0xF0, byte(n), byte(n>>8), byte(n>>16))
			case "32":
				return binary.LittleEndian.AppendUint32(append(z, 0xD0), uint32(n))
			case "64":
				return binary.LittleEndian.AppendUint64(append(z, 0xE0), uint64(n))
			}
		}
	}
	switch n := len(e); {
	case n < 1<<6:
		z = append(z, byte(n))
	case n < 1<<14:
		z = append(z, 0x40|byte(n>>8), byte(n))
	default:
		z = binary.BigEndian.AppendUint32(append(z, 0x80), uint32(n))
	}
	return append(z, e...)
}

// zipmap makes a zipmap of fields and values; every value has some unused bytes behind it.
func zipmap(pairs ...string) []byte {
	z := []byte{byte(len(pairs) / 2)}
	length := func(n int) {
		if n < 254 {
			z = append(z, byte(n))
		} else {
			z = binary.LittleEndian.AppendUint32(append(z, 254), uint32(n))
		}
	}
	for i, s := range pairs {
		length(len(s))
		unused := 0
		if i%2 == 1 {
			unused = i % 4
			z = append(z, byte(unused))
		}
		z = append(append(z, s...), make([]byte, unused)...)
	}
	return append(z, 255)
}

// file makes a file of a version with one key of each type and value.
func file(version int, values map[string][]byte) []byte {
	out := rdb.AppendHeader(nil, version)
	out = rdb.AppendSelect(out, 0)
	for name, v := range values {
		out = rdb.AppendKey(out, []byte(name), rdb.Type(v[0]), rdb.Attributes{IdleSec: -1, Freq: -1}, false)
		out = append(out, v[1:]...)
	}
	out = rdb.AppendEOF(out)
	if version < 5 {
		return out
	}
	return rdb.AppendChecksum(out, rdb.Checksum(0, out))
}

func typed(t rdb.Type, parts ...[]byte) []byte {
	out := []byte{byte(t)}
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func text(s string) []byte { return rdb.AppendString(nil, []byte(s), true) }

func count(n int) []byte { return rdb.AppendLen(nil, uint64(n)) }

// texts makes a count, divided by each, and the strings.
func texts(each int, list ...string) []byte {
	out := count(len(list) / each)
	for _, s := range list {
		out = append(out, text(s)...)
	}
	return out
}

// historicValues are values in the forms that older versions of Redis have written.
func historicValues() map[string][]byte {
	numbers := []string{"0:imm", "12:imm", "-1:8", "127:8", "-32768:16", "8388607:24", "-8388608:24", "2147483647:32", "-9223372036854775808:64"}
	long := []string{strings.Repeat("a", 63), strings.Repeat("b", 64), strings.Repeat("c", 300), strings.Repeat("d", 20000), "short"}
	var many, fields, scores []string
	for i := range 700 {
		many = append(many, fmt.Sprint("element", i))
		fields = append(fields, fmt.Sprint("field", i), fmt.Sprint("value", i))
		scores = append(scores, fmt.Sprint("member", i), fmt.Sprint(i, ":16"))
	}
	doubles := count(6)
	for member, score := range map[string]string{"a": "\x031.5", "b": "\xff", "c": "\xfe", "d": "\x02-7", "e": "\x051e100", "f": "\x1517.123456789012345678"} {
		doubles = append(append(doubles, text(member)...), score...)
	}
	intset := binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, 2), 3)
	intset = append(intset, 0xFF, 0xFF, 1, 0, 2, 0)
	return map[string][]byte{
		"list":           typed(rdb.List, texts(1, append(many, "1", "22", strings.Repeat("long", 5000))...)),
		"list ziplist":   typed(rdb.ListZiplist, text(string(ziplist(append(numbers, long...)...)))),
		"list many":      typed(rdb.ListZiplist, text(string(ziplist(many...)))),
		"quicklist":      typed(rdb.ListQuicklist, count(4), text(string(ziplist(numbers...))), text(string(ziplist())), text(string(ziplist(long...))), text(string(ziplist("x")))),
		"set":            typed(rdb.Set, texts(1, "a", "b", "3")),
		"set ints":       typed(rdb.Set, texts(1, "7", "-1", "100000")),
		"intset":         typed(rdb.SetIntset, text(string(intset))),
		"zset":           typed(rdb.ZSet, doubles),
		"zset ziplist":   typed(rdb.ZSetZiplist, text(string(ziplist("a", "-5:8", "b", "1:imm", "c", "1.5", "12:imm", "2000:16")))),
		"zset large":     typed(rdb.ZSetZiplist, text(string(ziplist(scores...)))),
		"hash":           typed(rdb.Hash, texts(2, "a", "1", "b", "2", "3", strings.Repeat("x", 40))),
		"hash long":      typed(rdb.Hash, texts(2, "a", "1", "b", strings.Repeat("x", 400))),
		"hash large":     typed(rdb.Hash, texts(2, fields...)),
		"zipmap":         typed(rdb.HashZipmap, text(string(zipmap("a", "1", "field", "value", "long", strings.Repeat("x", 60))))),
		"zipmap long":    typed(rdb.HashZipmap, text(string(zipmap("a", "1", strings.Repeat("f", 300), strings.Repeat("x", 600))))),
		"hash ziplist":   typed(rdb.HashZiplist, text(string(ziplist("a", "1:imm", "b", "text", "5:imm", "-70000:24")))),
		"hash ziplist 2": typed(rdb.HashZiplist, text(string(ziplist(fields...)))),
	}
}

func TestHistoricTypes(t *testing.T) {
	for version := 1; version <= 10; version++ {
		t.Run(fmt.Sprint("version=", version), func(t *testing.T) { sameDigest(t, file(version, historicValues()), options()) })
	}
}

// TestOldStreams loads the stream of Redis 5 to 6.2, which has fewer numbers.
func TestOldStreams(t *testing.T) {
	id := func(ms, seq byte) string {
		return strings.Repeat("\x00", 7) + string(ms) + strings.Repeat("\x00", 7) + string(seq)
	}
	// Two entries 1-0 and 1-1 with the field a, of which the first is deleted.
	node := []byte{0, 0, 0, 0, 15, 0, 1, 1, 1, 1, 1, 1, 0x81, 'a', 2, 0, 1, 3, 1, 0, 1, 0, 1, 7, 1, 4, 1, 2, 1, 0, 1, 1, 1, 8, 1, 4, 1, 255}
	binary.LittleEndian.PutUint32(node, uint32(len(node)))
	value := typed(rdb.StreamListpacks, count(1), text(id(1, 0)), text(string(node)), count(1), count(1), count(1),
		count(1), text("group"), count(1), count(1),
		count(1), []byte(id(1, 1)), binary.LittleEndian.AppendUint64(nil, 1700000000000), count(3),
		count(2), text("bob"), binary.LittleEndian.AppendUint64(nil, 1700000000000), count(1), []byte(id(1, 1)),
		text("eve"), binary.LittleEndian.AppendUint64(nil, 1600000000000), count(0))
	sameDigest(t, file(9, map[string][]byte{"stream": value}), options())
}

// listpack makes a listpack of short strings.
func listpack(elements ...string) []byte {
	lp := make([]byte, 6)
	for _, e := range elements {
		lp = pack.AppendElement(lp, []byte(e))
	}
	lp = append(lp, 255)
	binary.LittleEndian.PutUint32(lp, uint32(len(lp)))
	binary.LittleEndian.PutUint16(lp[4:], uint16(len(elements)))
	return lp
}
