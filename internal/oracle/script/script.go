package script

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shoaldb/shoal/internal/oracle"
)

// Script is a parsed script.
type Script struct {
	Path   string
	Server []string // arguments of a server of its own, or nil
	Resp2  bool     // is replayed with RESP2
	Resp3  bool
	steps  []*step
	tail   []string // lines after the last step
}

// kind says what a step does.
type kind int

const (
	command kind = iota
	read
	closed
)

// step is one command and its replies.
type step struct {
	kind    kind
	line    int      // in the file, from 1
	head    []string // comments, empty lines and directives in front of it, as they are
	text    string   // the line of the command, as it is
	conn    string
	words   []string
	mask    *regexp.Regexp
	until   *regexp.Regexp
	between []int64 // lowest and highest, or nil
	sort    bool
	noReply bool
	raw     bool
	shoal   bool
	want    [4]string // rendered reply by protocol (2, 3), lines joined by \n
}

const (
	indent = "    "
	resp3  = "  resp3"
)

// Parse reads a script.
func Parse(path string) (*Script, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := &Script{Path: path, Resp2: true, Resp3: true}
	lines := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	cur := &step{conn: "1"}
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		done, err := s.parseLine(cur, line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		if !done {
			continue
		}
		cur.line = i + 1
		i = cur.parseReplies(lines, i+1) - 1
		s.steps = append(s.steps, cur)
		cur = &step{conn: "1"}
	}
	s.tail = cur.head
	return s, nil
}

// parseLine adds line to the step; done means that the line was its command.
func (s *Script) parseLine(st *step, line string) (done bool, err error) {
	switch {
	case strings.HasPrefix(line, "%read"), strings.HasPrefix(line, "%closed"):
		return true, st.parseWait(line)
	case strings.HasPrefix(line, "%"):
		st.head = append(st.head, line)
		name, arg, _ := strings.Cut(line[1:], " ")
		return false, s.directive(st, name, arg)
	case strings.TrimSpace(line) == "", strings.HasPrefix(line, "#"):
		st.head = append(st.head, line)
		return false, nil
	case strings.HasPrefix(line, " "):
		return false, fmt.Errorf("a reply without a command")
	}
	return true, st.parseCommand(line)
}

func (st *step) parseWait(line string) error {
	st.text, st.kind = line, read
	name, arg, _ := strings.Cut(line[1:], " ")
	if name == "closed" {
		st.kind = closed
	} else if name != "read" {
		return fmt.Errorf("unknown directive %q", name)
	}
	if arg != "" {
		st.conn = strings.TrimPrefix(arg, "@")
	}
	return nil
}

func (st *step) parseCommand(line string) error {
	st.text = line
	words, err := oracle.SplitWords(line)
	if err != nil {
		return err
	}
	if strings.HasPrefix(line, "@") {
		st.conn, words = words[0][1:], words[1:]
	}
	if len(words) == 0 {
		return fmt.Errorf("no command")
	}
	st.words = words
	return nil
}

func (s *Script) directive(st *step, name, arg string) (err error) {
	switch name {
	case "server":
		s.Server, err = oracle.SplitWords(arg)
	case "resp2":
		s.Resp3 = false
	case "resp3":
		s.Resp2 = false
	case "mask":
		st.mask, err = regexp.Compile(arg)
	case "until":
		st.until, err = regexp.Compile(arg)
	case "between":
		st.between, err = parseInts(arg)
	case "sort":
		st.sort = true
	case "noreply":
		st.noReply = true
	case "raw":
		st.raw = true
	case "shoal":
		st.shoal = true
	default:
		err = fmt.Errorf("unknown directive %q", name)
	}
	return err
}

func parseInts(s string) ([]int64, error) {
	var out []int64
	for _, w := range strings.Fields(s) {
		n, err := strconv.ParseInt(w, 10, 64)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	if len(out) != 2 {
		return nil, fmt.Errorf("want two numbers, have %q", s)
	}
	return out, nil
}

// parseReplies reads the replies that begin at lines[i] and returns the index of the line after them.
func (st *step) parseReplies(lines []string, i int) int {
	take := func() string {
		start := i
		for i < len(lines) && strings.HasPrefix(lines[i], indent) {
			i++
		}
		out := slices.Clone(lines[start:i])
		for j := range out {
			out[j] = out[j][len(indent):]
		}
		return strings.Join(out, "\n")
	}
	st.want[2] = take()
	st.want[3] = st.want[2]
	if i < len(lines) && lines[i] == resp3 {
		i++
		st.want[3] = take()
	}
	return i
}

// Format returns the script's text with the replies that it has now.
func (s *Script) Format() string {
	var b strings.Builder
	line := func(prefix, text string) { b.WriteString(prefix + text + "\n") }
	block := func(reply string) {
		if reply == "" {
			return
		}
		for l := range strings.SplitSeq(reply, "\n") {
			line(indent, l)
		}
	}
	for _, st := range s.steps {
		for _, h := range st.head {
			line("", h)
		}
		line("", st.text)
		switch {
		case !s.Resp2:
			block(st.want[3])
		case !s.Resp3 || st.want[2] == st.want[3]:
			block(st.want[2])
		default:
			block(st.want[2])
			line("", resp3)
			block(st.want[3])
		}
	}
	for _, h := range s.tail {
		line("", h)
	}
	return b.String()
}

// Commands returns how many commands the script has.
func (s *Script) Commands() int { return len(s.steps) }

// Plain returns the words of the commands that are sent over the first connection as they are.
func (s *Script) Plain() (commands [][]string) {
	for _, st := range s.steps {
		if st.kind == command && !st.raw && (st.conn == "" || st.conn == "1") {
			commands = append(commands, st.words)
		}
	}
	return commands
}
