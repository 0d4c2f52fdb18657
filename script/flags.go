package script

import (
	"strings"

	"github.com/shoaldb/shoal/resp"
)

// Flags are what a script says about itself in its first line, or a function when it is registered.
type Flags uint8

const (
	NoWrites Flags = 1 << iota
	AllowOOM
	AllowStale
	NoCluster
	AllowCrossSlot
	// Plain marks a script without a first line of flags; such scripts are checked command by command.
	Plain
)

var flagNames = []string{"no-writes", "allow-oom", "allow-stale", "no-cluster", "allow-cross-slot-keys"}

// Names returns the flags' names, in redis' order.
func (f Flags) Names() []string {
	var names []string
	for i, name := range flagNames {
		if f>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return names
}

// flagCalled returns the flag called name.
func flagCalled(name string, fold bool) (Flags, bool) {
	for i, n := range flagNames {
		if n == name || fold && strings.EqualFold(n, name) {
			return 1 << i, true
		}
	}
	return 0, false
}

// Error is why a script or a library was not taken.
type Error string

func (e Error) Error() string { return string(e) }

// scriptHeader reads the flags of a script's first line, if it has one, and returns where the code begins: the end of that line
// stays, so that lines keep their numbers.
func scriptHeader(body string) (Flags, string, error) {
	if !strings.HasPrefix(body, "#!") {
		return Plain, body, nil
	}
	line, _, ok := strings.Cut(body, "\n")
	if !ok {
		return 0, "", Error("Invalid script shebang")
	}
	words, ok := resp.SplitWords(line)
	switch {
	case !ok || len(words) == 0:
		return 0, "", Error("Invalid engine in script shebang")
	case words[0] != "#!lua":
		return 0, "", Error("Unexpected engine in script shebang: " + words[0])
	}
	var flags Flags
	for _, word := range words[1:] {
		list, ok := strings.CutPrefix(word, "flags=")
		if !ok {
			return 0, "", Error("Unknown lua shebang option: " + word)
		}
		if list == "" {
			continue
		}
		for name := range strings.SplitSeq(list, ",") {
			f, ok := flagCalled(name, false)
			if !ok {
				return 0, "", Error("Unexpected flag in script shebang: " + name)
			}
			flags |= f
		}
	}
	return flags, body[len(line):], nil
}
