package logging

import (
	"fmt"
	"log/syslog"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Level is how important a line is.
type Level int32

// The levels, from the least important to the most.
const (
	Debug Level = iota
	Verbose
	Notice
	Warning
)

var marks = [...]byte{'.', '-', '*', '#'}

// maxLine is the longest text of one line, in bytes; Redis' LOG_MAX_LEN.
const maxLine = 1024

// queueLines bounds the lines that wait to be written. When the disk stalls, further lines are dropped and counted.
const queueLines = 4096

// Logger writes lines to standard output or to a file, and to syslog if asked to. Its methods may be called by any
// goroutine and never wait for the disk: a goroutine of its own writes, each line at once, with one write.
type Logger struct {
	level   atomic.Int32
	lines   chan line
	dropped atomic.Int64
	done    chan struct{}

	mu     sync.Mutex
	path   string // "": standard output
	syslog *syslog.Writer
}

type line struct {
	level Level
	text  string // without time and mark
	whole []byte
	flush chan struct{} // closed when everything before has been written
}

// New returns a logger that writes lines of at least level Notice to standard output.
func New() *Logger {
	l := &Logger{lines: make(chan line, queueLines), done: make(chan struct{})}
	l.level.Store(int32(Notice))
	go l.run()
	return l
}

// Flush waits until everything logged so far has been written.
func (l *Logger) Flush() {
	flushed := make(chan struct{})
	l.lines <- line{flush: flushed}
	<-flushed
}

// Close writes what is waiting and ends the logger's goroutine. Nothing may be logged after it.
func (l *Logger) Close() {
	close(l.lines)
	<-l.done
}

func (l *Logger) run() {
	defer close(l.done)
	for ln := range l.lines {
		if ln.flush != nil {
			close(ln.flush)
			continue
		}
		l.output(ln)
		if n := l.dropped.Swap(0); n > 0 {
			text := fmt.Sprintf("%d log lines were dropped because the log could not be written fast enough", n)
			l.output(line{level: Warning, text: text, whole: format(Warning, text)})
		}
	}
}

// SetLevel drops lines below level from now on.
func (l *Logger) SetLevel(level Level) { l.level.Store(int32(level)) }

// SetFile makes l append to the file at path, or write to standard output if path is empty. The file is opened for
// every line, as Redis does, so that it may be rotated at any time.
func (l *Logger) SetFile(path string) error {
	if path != "" {
		f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		f.Close()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.path = path
	return nil
}

// SetSyslog sends lines to the local syslog daemon, too.
func (l *Logger) SetSyslog(facility syslog.Priority, ident string) error {
	w, err := syslog.New(facility|syslog.LOG_NOTICE, ident)
	if err != nil {
		return fmt.Errorf("cannot reach syslog: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.syslog = w
	return nil
}

// Logf writes a line of the given level.
func (l *Logger) Logf(level Level, format string, args ...any) {
	if int32(level) < l.level.Load() {
		return
	}
	l.write(level, fmt.Sprintf(format, args...))
}

// Verbosef writes a line of level Verbose.
func (l *Logger) Verbosef(format string, args ...any) { l.Logf(Verbose, format, args...) }

// Noticef writes a line of level Notice.
func (l *Logger) Noticef(format string, args ...any) { l.Logf(Notice, format, args...) }

// Warningf writes a line of level Warning.
func (l *Logger) Warningf(format string, args ...any) { l.Logf(Warning, format, args...) }

// Raw writes text as it is, whatever its level.
func (l *Logger) Raw(text string) { l.send(line{whole: []byte(text)}) }

func (l *Logger) write(level Level, text string) {
	if len(text) > maxLine {
		text = text[:maxLine]
	}
	text = strings.TrimRight(text, "\n")
	l.send(line{level: level, text: text, whole: format(level, text)})
}

func (l *Logger) send(ln line) {
	select {
	case l.lines <- ln:
	default:
		l.dropped.Add(1)
	}
}

// format returns the whole line.
func format(level Level, text string) []byte {
	b := make([]byte, 0, len(text)+48)
	b = strconv.AppendInt(b, int64(os.Getpid()), 10)
	b = append(b, ":M "...)
	b = time.Now().AppendFormat(b, "02 Jan 2006 15:04:05.000")
	b = append(b, ' ', marks[level], ' ')
	b = append(b, text...)
	return append(b, '\n')
}

// output writes a line. A log that cannot be written must not stop the server.
func (l *Logger) output(ln line) {
	l.mu.Lock()
	path, sys := l.path, l.syslog
	l.mu.Unlock()
	if sys != nil && ln.text != "" {
		toSyslog(sys, ln.level, ln.text)
	}
	if path == "" {
		os.Stdout.Write(ln.whole)
		return
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	f.Write(ln.whole)
	f.Close()
}

func toSyslog(w *syslog.Writer, level Level, text string) {
	switch level {
	case Debug, Verbose:
		w.Debug(text)
	case Notice:
		w.Notice(text)
	default:
		w.Warning(text)
	}
}
