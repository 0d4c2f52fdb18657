package config

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Loader reads the configuration at start. The functions check what only the server can
// know; each may be nil, and an error's text becomes the reason of a FileError.
type Loader struct {
	Stdin         io.Reader
	RenameCommand func(from, to string) error
	User          func(words []string) error // the words after "user"
}

// maxIncludes bounds how deep files may include files.
const maxIncludes = 16

// Load reads the configuration file, standard input and options that the command line names, in this
// order; what comes last counts. An error is a *FileError or an *OpenError.
func (l *Loader) Load(cl CommandLine) (*Config, error) {
	r := l.reader()
	lines := 0
	if cl.File != "" {
		n, err := r.file(cl.File)
		if err != nil {
			return nil, err
		}
		lines = n
	}
	if cl.Stdin && l.Stdin != nil {
		text, err := io.ReadAll(l.Stdin)
		if err != nil {
			return nil, &OpenError{"standard input", err}
		}
		n, err := r.text(string(text), "standard input", 0)
		if err != nil {
			return nil, err
		}
		lines = max(lines-1, 0) + n // appended to the file's last line
	}
	// Options count on from the end of the file, as if appended to it.
	if _, err := r.text(cl.Options, "command line", max(lines, 1)); err != nil {
		return nil, err
	}
	if err := r.finish(); err != nil {
		return nil, err
	}
	return newConfig(r.values, cl.File), nil
}

// reader is the state of one Load.
type reader struct {
	*Loader
	readFile  func(path string) ([]byte, error)
	glob      func(pattern string) ([]string, error)
	open      []string // the files being read: each includes the next
	values    *Values
	firstSave bool
}

func (l *Loader) reader() *reader {
	return &reader{Loader: l, readFile: os.ReadFile, glob: filepath.Glob, values: defaults(), firstSave: true}
}

// file reads one file and returns the number of its lines, counting what follows the last newline.
func (r *reader) file(path string) (lines int, err error) {
	if slices.Contains(r.open, path) {
		return 0, reason("The file includes itself, or is included by a file that it includes")
	}
	if len(r.open) > maxIncludes {
		return 0, reason("Too many levels of include")
	}
	text, err := r.readFile(path)
	if err != nil {
		return 0, &OpenError{path, err}
	}
	r.open = append(r.open, path)
	lines, err = r.text(string(text), path, 0)
	r.open = r.open[:len(r.open)-1]
	return lines, err
}

// text reads directives, one a line. skipped is the number of lines before the first.
func (r *reader) text(text, name string, skipped int) (lines int, err error) {
	number := skipped
	for line := range strings.SplitSeq(text, "\n") {
		number++
		line = strings.Trim(line, " \t\r\n")
		if line == "" || line[0] == '#' {
			continue
		}
		if err := r.line(line); err != nil {
			if why, ok := err.(reason); ok {
				return 0, &FileError{File: name, Line: number, Text: line, Reason: string(why)}
			}
			return 0, err
		}
	}
	return number - skipped, nil
}

// line reads one directive. An error that is a reason concerns this line.
func (r *reader) line(line string) error {
	args, err := splitLine(line)
	if err != nil || len(args) == 0 {
		return err
	}
	name, args := strings.ToLower(args[0]), args[1:]
	if e, ok := directives.lookup(name); ok {
		args, err := fileArgs(e.Directive, args)
		if err != nil {
			return err
		}
		return e.Kind.set(r.values, args, source{file: true, firstSave: &r.firstSave})
	}
	return r.fileOnly(name, args)
}

// fileArgs are the words of a value in a file. Several words may also be given as one in quotes.
func fileArgs(d *Directive, args []string) ([]string, error) {
	if d.Flags&MultiArg == 0 {
		if len(args) != 1 {
			return nil, errArgCount
		}
		return args, nil
	}
	if len(args) == 1 && args[0] != "" {
		return splitLine(args[0])
	}
	return args, nil
}

// fileOnly reads what CONFIG does not know.
func (r *reader) fileOnly(name string, args []string) error {
	switch {
	case name == "include" && len(args) == 1:
		return r.include(args[0])
	case name == "rename-command" && len(args) == 2:
		r.values.Renames = append(r.values.Renames, Rename{args[0], args[1]})
		if r.RenameCommand != nil {
			return asReason(r.RenameCommand(args[0], args[1]))
		}
		return nil
	case name == "user" && len(args) >= 1:
		if slices.ContainsFunc(r.values.Users, func(u []string) bool { return u[0] == args[0] }) {
			return asReason(fmt.Errorf("Error in user declaration '%s': Duplicate user found. A user can only be defined once in config files", args[0]))
		}
		r.values.Users = append(r.values.Users, args)
		if r.User != nil {
			return asReason(r.User(args))
		}
		return nil
	case name == "loadmodule" && len(args) >= 1:
		r.values.LoadModules = append(r.values.LoadModules, args)
		return nil
	case isObsolete(name) && len(args) == 1:
		return nil
	case strings.Contains(name, "."):
		if len(args) == 0 {
			return reason("Module config specified without value")
		}
		return reason("Module Configuration detected without loadmodule directive or no ApplyConfig call: aborting")
	case name == "sentinel" && len(args) > 0:
		return reason("sentinel directive while not in sentinel mode")
	case name == "sentinel":
		return nil // the command line's --sentinel
	}
	return reason("Bad directive or wrong number of arguments")
}

// isObsolete knows the directives that Redis still reads, and ignores.
func isObsolete(name string) bool {
	return name == "list-max-ziplist-entries" || name == "list-max-ziplist-value" || name == "lua-replicate-commands"
}

// include reads the file, or all that match a pattern, in the order of their names. Nothing needs to
// match a pattern.
func (r *reader) include(path string) error {
	path = r.values.Path(path)
	paths := []string{path}
	if strings.ContainsAny(path, "*?[") {
		paths, _ = r.glob(path) // a malformed pattern matches nothing
	}
	for _, p := range paths {
		if _, err := r.file(p); err != nil {
			return err
		}
	}
	return nil
}

// finish checks what concerns the configuration as a whole.
func (r *reader) finish() error {
	v := r.values
	if v.LogFile != "" {
		f, err := os.OpenFile(v.Path(v.LogFile), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o666)
		if err != nil {
			return &FileError{Reason: "Can't open the log file: " + systemError(err)}
		}
		f.Close()
	}
	if v.ClusterEnabled && v.ReplicaOf.Host != "" {
		return &FileError{Reason: "replicaof directive not allowed in cluster mode"}
	}
	return nil
}

func asReason(err error) error {
	if err == nil {
		return nil
	}
	return reason(err.Error())
}
