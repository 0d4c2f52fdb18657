package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/shoaldb/shoal/resp"
)

// A kind knows how the value of a directive is read, shown and written to a file.
type kind interface {
	// set parses args, the words after the directive's name, into v, or fails with a reason
	// and leaves v alone. Slices in v are replaced, never written to.
	set(v *Values, args []string, from source) error
	// get returns the value as CONFIG GET shows it.
	get(v *Values) string
	// reset stores the default.
	reset(v *Values)
	// typeName describes the values for the documentation.
	typeName() string
}

// A rewriter is a kind that does not write itself as one line "name value".
type rewriter interface {
	// lines returns what follows the name on each line. A line that is not forced is
	// written only where the old file has a line of this directive. No lines: the old ones
	// are removed.
	lines(v, defaults *Values) []rewriteLine
}

type rewriteLine struct {
	text  string
	force bool
}

// source tells a kind where a value comes from.
type source struct {
	file      bool  // read at start, not by CONFIG SET
	firstSave *bool // file only: no save directive was read before
}

// reason is why a value is refused, in Redis' words.
type reason string

func (r reason) Error() string { return string(r) }

const errArgCount = reason("wrong number of arguments")

type boolean struct {
	At      func(*Values) *bool
	Default bool
	Valid   func(bool) error
}

func (k boolean) reset(v *Values) { *k.At(v) = k.Default }
func (boolean) typeName() string  { return "yes, no" }
func (k boolean) get(v *Values) string {
	if *k.At(v) {
		return "yes"
	}
	return "no"
}

func (k boolean) set(v *Values, args []string, _ source) error {
	on := strings.EqualFold(args[0], "yes")
	if !on && !strings.EqualFold(args[0], "no") {
		return reason("argument must be 'yes' or 'no'")
	}
	if k.Valid != nil {
		if err := k.Valid(on); err != nil {
			return err
		}
	}
	*k.At(v) = on
	return nil
}

const noLimit = math.MaxInt

type integer struct {
	At       func(*Values) *int
	Default  int
	Min, Max int
	Cap      int // a greater value is lowered to it, a value below 1 raised to 1; 0: no cap
	Octal    bool
	Valid    func(int) error
}

func (k integer) reset(v *Values) { *k.At(v) = k.Default }
func (k integer) base() int {
	if k.Octal {
		return 8
	}
	return 10
}

func (k integer) get(v *Values) string { return k.format(*k.At(v)) }

func (k integer) format(n int) string { return strconv.FormatInt(int64(n), k.base()) }

func (k integer) typeName() string {
	if k.Max == noLimit {
		return "integer, at least " + k.format(k.Min)
	}
	return k.format(k.Min) + " to " + k.format(k.Max)
}

func (k integer) set(v *Values, args []string, _ source) error {
	n, ok := parseInteger(args[0])
	if k.Octal {
		if n, ok = parseOctal(args[0]); !ok {
			return reason("argument couldn't be parsed as an octal number")
		}
	} else if !ok {
		return reason("argument couldn't be parsed into an integer")
	}
	if n < k.Min || n > k.Max {
		return reason(fmt.Sprintf("argument must be between %s and %s inclusive", k.format(k.Min), k.format(k.Max)))
	}
	if k.Cap != 0 {
		n = min(max(n, 1), k.Cap)
	}
	if k.Valid != nil {
		if err := k.Valid(n); err != nil {
			return err
		}
	}
	*k.At(v) = n
	return nil
}

// parseInteger accepts what a RESP integer may look like: no plus sign, no leading zeros, no
// blanks.
func parseInteger(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && strconv.Itoa(n) == s
}

// parseOctal is strtoll(3) with base 8 and nothing after the number.
func parseOctal(s string) (int, bool) {
	n, rest := leadingInteger(s, 8)
	return n, rest == ""
}

// leadingInteger reads the number at the start of s, after blanks, as strtoll(3) does, and
// returns what follows it. Without digits it is 0 and all of s is left.
func leadingInteger(s string, base int) (n int, rest string) {
	p := 0
	for p < len(s) && isSpace(s[p]) {
		p++
	}
	digits := p
	if digits < len(s) && (s[digits] == '-' || s[digits] == '+') {
		digits++
	}
	end := digits
	for end < len(s) && '0' <= s[end] && int(s[end]-'0') < base {
		end++
	}
	if end == digits {
		return 0, s
	}
	// Out of range, ParseInt returns the nearest bound, as strtoll does.
	n64, _ := strconv.ParseInt(s[p:end], base, 64)
	return int(n64), s[end:]
}

// memory is a number of bytes. With Percent it may also be a share of maxmemory, which is
// stored as a negative number.
type memory struct {
	At       func(*Values) *int64
	Default  int64
	Min, Max int64 // Max 0: none
	Percent  bool
}

func (k memory) reset(v *Values) { *k.At(v) = k.Default }

func (k memory) max() int64 {
	if k.Max == 0 {
		return math.MaxInt64
	}
	return k.Max
}

func (k memory) typeName() string {
	text := "bytes"
	if k.Min > 0 {
		text += ", at least " + FormatMemory(k.Min)
	}
	if k.Percent {
		text += ", or a percentage"
	}
	return text
}

func (k memory) get(v *Values) string {
	n := *k.At(v)
	if n < 0 {
		return strconv.FormatInt(-n, 10) + "%"
	}
	return strconv.FormatInt(n, 10)
}

func (k memory) set(v *Values, args []string, _ source) error {
	if n, ok := ParseMemory(args[0]); ok {
		if n < k.Min || n > k.max() {
			return reason(fmt.Sprintf("argument must be between %d and %d inclusive", k.Min, k.max()))
		}
		*k.At(v) = n
		return nil
	}
	if !k.Percent {
		return reason("argument must be a memory value")
	}
	text, isPercent := strings.CutSuffix(args[0], "%")
	n, ok := parseInteger(text)
	if !isPercent || !ok || n < 0 {
		return reason("argument must be a memory or percent value")
	}
	if n > 100 {
		return reason("percentage argument must be less or equal to 100")
	}
	*k.At(v) = -int64(n)
	return nil
}

func (k memory) lines(v, defaults *Values) []rewriteLine {
	n := *k.At(v)
	text := FormatMemory(n)
	if n < 0 {
		text = k.get(v)
	}
	return []rewriteLine{{text, n != *k.At(defaults)}}
}

// str is any string. With EmptyIsUnset, the empty string is the same as no directive at all.
type str struct {
	At           func(*Values) *string
	Default      string
	EmptyIsUnset bool
	Valid        func(string) error
}

func (k str) reset(v *Values)      { *k.At(v) = k.Default }
func (k str) get(v *Values) string { return *k.At(v) }
func (str) typeName() string       { return "string" }

func (k str) set(v *Values, args []string, _ source) error {
	if k.Valid != nil {
		if err := k.Valid(args[0]); err != nil {
			return err
		}
	}
	*k.At(v) = args[0]
	return nil
}

func (k str) lines(v, defaults *Values) []rewriteLine {
	s := *k.At(v)
	if k.EmptyIsUnset && s == "" {
		return nil
	}
	return []rewriteLine{{resp.Quote(s), s != *k.At(defaults)}}
}

// names are the words of an enumeration. A name that begins with - is accepted without the
// dash, but error texts do not mention it, as Redis 7.0 does not know it.
type names[T ~int] []struct {
	name  string
	value T
}

func (n names[T]) lookup(word string) (T, bool) {
	for _, e := range n {
		if strings.EqualFold(strings.TrimPrefix(e.name, "-"), word) {
			return e.value, true
		}
	}
	return 0, false
}

// text returns the first name of value, or of each of its bits when no name fits all.
func (n names[T]) text(value T) string {
	for _, e := range n {
		if e.value == value {
			return strings.TrimPrefix(e.name, "-")
		}
	}
	var words []string
	for _, e := range n {
		if e.value != 0 && value&e.value == e.value {
			words = append(words, e.name)
		}
	}
	return strings.Join(words, " ")
}

func (n names[T]) list() string {
	var words []string
	for _, e := range n {
		if !strings.HasPrefix(e.name, "-") {
			words = append(words, e.name)
		}
	}
	return strings.Join(words, ", ")
}

// enum is one of some words, or with Flags several of them.
type enum[T ~int] struct {
	At      func(*Values) *T
	Default T
	Names   names[T]
	Flags   bool
	Valid   func(T) error
}

func (k enum[T]) reset(v *Values)      { *k.At(v) = k.Default }
func (k enum[T]) get(v *Values) string { return k.Names.text(*k.At(v)) }

func (k enum[T]) typeName() string {
	if k.Flags {
		return "any of " + k.Names.list()
	}
	return k.Names.list()
}

func (k enum[T]) set(v *Values, args []string, _ source) error {
	var value T
	ok := len(args) == 1 || k.Flags && len(args) > 0
	for _, word := range args {
		bits, known := k.Names.lookup(word)
		value |= bits
		ok = ok && known
	}
	if !ok {
		return reason("argument(s) must be one of the following: " + k.Names.list())
	}
	if k.Valid != nil {
		if err := k.Valid(value); err != nil {
			return err
		}
	}
	*k.At(v) = value
	return nil
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }
