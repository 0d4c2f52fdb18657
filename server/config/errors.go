package config

import (
	"errors"
	"fmt"
	"strings"
	"syscall"
)

// FileError is an error in a configuration file, on standard input, or in a command-line option. It
// ends the start.
type FileError struct {
	File   string // path, "standard input" or "command line"
	Line   int    // counted from 1; 0 when no line is to blame
	Text   string // of the line, trimmed; options look as they would in a file
	Reason string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("%s, line %d: '%s': %s", e.File, e.Line, e.Text, e.Reason)
}

// Report is the message for standard error. version follows the words "FATAL CONFIG FILE ERROR"
// in parentheses.
func (e *FileError) Report(version string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n*** FATAL CONFIG FILE ERROR (%s) ***\n", version)
	if e.Line > 0 {
		fmt.Fprintf(&b, "Reading the configuration file, at line %d (%s)\n>>> '%s'\n", e.Line, e.File, e.Text)
	}
	b.WriteString(e.Reason)
	b.WriteByte('\n')
	return b.String()
}

// OpenError says that a configuration file cannot be read. Redis logs its text as a warning and ends
// with status 1.
type OpenError struct {
	Path string
	Err  error
}

func (e *OpenError) Error() string {
	return fmt.Sprintf("Fatal error, can't open config file '%s': %s", e.Path, systemError(e.Err))
}

func (e *OpenError) Unwrap() error { return e.Err }

// SystemError is the text of a system error as strerror(3) has it.
func SystemError(err error) string { return systemError(err) }

// systemError is the text of a system error as strerror(3) has it.
func systemError(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return err.Error()
	}
	text := errno.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}
