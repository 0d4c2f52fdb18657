package config

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/shoaldb/shoal/resp"
)

// Action is what the command line asks for.
type Action int

const (
	RunServer Action = iota
	ShowVersion
	ShowHelp
	TestMemory
	CheckSystem
	RunSentinel
)

// CommandLine is a parsed command line.
type CommandLine struct {
	Action   Action
	File     string // absolute path of the configuration file, or empty
	Stdin    bool   // read directives from standard input after the file
	Options  string // the options as lines of a configuration file
	MemoryMB int    // TestMemory: how much
}

// ParseArgs reads the arguments after the program's name:
//
//	[/path/redis.conf] [--directive value...]... [-]
//
// An argument that begins with -- names a directive unless the one before has no value yet, so
// that values may begin with -- too. An argument may hold name and value together. What does
// not begin with -- is a further value. What is wrong with the directives is found by
// Loader.Load; ParseArgs itself refuses only --test-memory without an amount.
func ParseArgs(args []string) (CommandLine, error) {
	if len(args) == 0 {
		return CommandLine{}, nil
	}
	switch args[0] {
	case "-v", "--version":
		return CommandLine{Action: ShowVersion}, nil
	case "-h", "--help":
		return CommandLine{Action: ShowHelp}, nil
	case "--check-system":
		return CommandLine{Action: CheckSystem}, nil
	case "--test-memory":
		return parseTestMemory(args[1:])
	}
	return parseOptions(args)
}

func parseTestMemory(args []string) (CommandLine, error) {
	if len(args) != 1 {
		return CommandLine{}, reason("Please specify the amount of memory to test in megabytes.\n" +
			"Example: shoal-server --test-memory 4096\n")
	}
	mb, _ := strconv.Atoi(args[0])
	return CommandLine{Action: TestMemory, MemoryMB: mb}, nil
}

func parseOptions(args []string) (CommandLine, error) {
	var cl CommandLine
	for _, arg := range args {
		if strings.EqualFold(arg, "--sentinel") {
			cl.Action = RunSentinel
		}
	}
	first := 0
	if !strings.HasPrefix(args[0], "-") {
		path, err := filepath.Abs(args[0])
		if err != nil {
			return cl, &OpenError{args[0], err}
		}
		cl.File = path
		first = 1
	}
	var b strings.Builder
	hasValue := true // the last option has a value, or there is none yet
	for i := first; i < len(args); i++ {
		arg := args[i]
		isLast := i == len(args)-1
		switch {
		case arg == "-" && (i == 0 || isLast):
			cl.Stdin = true
		case hasValue && strings.HasPrefix(arg, "--"):
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(arg[2:])
			b.WriteByte(' ')
			words, _ := splitLine(arg)
			hasValue = len(words) != 1
			// An empty list of save points may be given as --save alone.
			if !hasValue && strings.EqualFold(arg, "--save") && (isLast || strings.HasPrefix(args[i+1], "--")) {
				b.WriteString(`""`)
				hasValue = true
			}
		default:
			b.WriteString(resp.Quote(arg))
			b.WriteByte(' ')
			hasValue = true
		}
	}
	cl.Options = b.String()
	return cl, nil
}
