package aof

import (
	"bytes"
	"fmt"
	"io"
)

// Command is a command that has been read. Args alias the buffer of Replay: they are valid until Replayer.Commands returns.
type Command struct {
	Offset int64 // in the file, of its first byte
	Args   [][]byte
}

// Replayer is what a file is read into. An error that it returns ends Replay.
type Replayer interface {
	// Snapshot reads a base in RDB format. It returns how many bytes that has, and a reader of what follows it.
	Snapshot(r io.Reader) (size int64, rest io.Reader, err error)
	// Commands runs commands; MULTI and EXEC are among them. read is how many bytes of the file have been read.
	Commands(batch []Command, read int64) error
}

// A FormatError is a file whose content makes no sense.
type FormatError struct {
	File   string
	Offset int64
	Reason string
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("Bad file format reading the append only file %s: make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>"+
		" (%s at offset %d)", e.File, e.Reason, e.Offset)
}

// A TruncatedError is a file that ends within a command or a transaction.
type TruncatedError struct {
	File    string
	Valid   int64 // how many bytes are whole
	InMulti bool  // it ends within a transaction, whose commands have been given to the Replayer, but no EXEC
}

func (e *TruncatedError) Error() string {
	return fmt.Sprintf("Unexpected end of file reading the append only file %s. You can: "+
		"1) Make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>. "+
		"2) Alternatively you can set the 'aof-load-truncated' configuration option to yes and restart the server.", e.File)
}

const (
	replayBuffer  = 1 << 20 // bytes; it grows for a longer command as the bytes arrive
	replayBatch   = 32      // commands
	maxAnnotation = 1024    // bytes of a line that begins with '#'
)

// Replay reads one file: a snapshot, commands, or a snapshot and then commands. name stands in errors.
func Replay(in io.Reader, name string, to Replayer) error {
	var sig [5]byte
	n, err := io.ReadFull(in, sig[:])
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return unreadable(name, err)
	}
	in = io.MultiReader(bytes.NewReader(sig[:n]), in)
	at := int64(0)
	if string(sig[:n]) == "REDIS" {
		if at, in, err = to.Snapshot(in); err != nil {
			return err
		}
	}
	r := replay{in: in, name: name, to: to, at: at, multi: -1, buf: make([]byte, 0, replayBuffer)}
	return r.run()
}

func unreadable(name string, err error) error {
	return fmt.Errorf("Unrecoverable error reading the append only file %s: %w", name, err)
}

type replay struct {
	in    io.Reader
	name  string
	to    Replayer
	buf   []byte // read and not yet replayed
	pos   int    // in buf, of the next command
	at    int64  // offset of buf[pos] in the file
	multi int64  // offset of the MULTI of a transaction that has not ended; -1: none
	args  [][]byte
	batch []Command
}

func (r *replay) run() error {
	for {
		used, err := r.parse(r.buf[r.pos:])
		switch {
		case err != "":
			if flushed := r.flush(); flushed != nil {
				return flushed
			}
			return &FormatError{r.name, r.at, err}
		case used > 0:
			r.pos += used
			r.at += int64(used)
			if len(r.batch) == replayBatch {
				if err := r.flush(); err != nil {
					return err
				}
			}
			continue
		}
		if err := r.flush(); err != nil {
			return err
		}
		switch n, err := r.fill(); {
		case n > 0:
		case err == io.EOF:
			return r.ended()
		default:
			return unreadable(r.name, err)
		}
	}
}

// fill reads more behind what is in the buffer.
func (r *replay) fill() (int, error) {
	if r.pos > 0 {
		r.buf = r.buf[:copy(r.buf, r.buf[r.pos:])]
		r.pos = 0
	}
	if len(r.buf) == cap(r.buf) {
		r.buf = append(make([]byte, 0, 2*cap(r.buf)), r.buf...)
	}
	for {
		n, err := r.in.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf = r.buf[:len(r.buf)+n]
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// ended is the end of the file, with what is left in the buffer.
func (r *replay) ended() error {
	switch {
	case r.multi >= 0:
		return &TruncatedError{r.name, r.multi, true}
	case r.pos < len(r.buf):
		return &TruncatedError{r.name, r.at, false}
	}
	return nil
}

func (r *replay) flush() error {
	if len(r.batch) == 0 {
		return nil
	}
	err := r.to.Commands(r.batch, r.at)
	r.batch, r.args = r.batch[:0], r.args[:0]
	return err
}

// parse adds the command or passes over the annotation at the beginning of b. It returns how long it is, 0 if more is
// needed, and what is wrong with it.
func (r *replay) parse(b []byte) (used int, wrong string) {
	switch {
	case len(b) == 0:
		return 0, ""
	case b[0] == '#':
		end := bytes.IndexByte(b, '\n')
		if end < 0 && len(b) > maxAnnotation {
			return 0, "an annotation without end"
		}
		return end + 1, ""
	}
	count, i, wrong := header(b, '*')
	if i == 0 {
		return 0, wrong
	}
	if count < 1 {
		return 0, "a command without arguments"
	}
	from := len(r.args)
	for range count {
		n, h, wrong := header(b[i:], '$')
		if h == 0 {
			r.args = r.args[:from]
			return 0, wrong
		}
		i += h
		if len(b)-i < n+2 {
			r.args = r.args[:from]
			return 0, ""
		}
		if b[i+n] != '\r' || b[i+n+1] != '\n' {
			return 0, "an argument that does not end where it should"
		}
		r.args = append(r.args, b[i:i+n:i+n])
		i += n + 2
	}
	r.add(r.args[from:len(r.args):len(r.args)])
	return i, ""
}

func (r *replay) add(args [][]byte) {
	r.batch = append(r.batch, Command{r.at, args})
	if len(args) != 1 {
		return
	}
	switch {
	case bytes.EqualFold(args[0], []byte("MULTI")):
		r.multi = r.at
	case bytes.EqualFold(args[0], []byte("EXEC")):
		r.multi = -1
	}
}

// maxNumber bounds the numbers of headers: of arguments, and of the bytes of one.
const maxNumber = 1 << 40

// header reads a line of a mark and a number. It returns how long the line is, 0 if it is not all there or wrong.
func header(b []byte, mark byte) (n, used int, wrong string) {
	if len(b) == 0 {
		return 0, 0, ""
	}
	if b[0] != mark {
		return 0, 0, fmt.Sprintf("%q where '%c' is due", b[0], mark)
	}
	i := 1
	for ; i < len(b) && '0' <= b[i] && b[i] <= '9'; i++ {
		if n = 10*n + int(b[i]-'0'); n > maxNumber {
			return 0, 0, "a length out of range"
		}
	}
	switch rest := b[i:]; {
	case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n' && i > 1:
		return n, i + 2, ""
	case len(rest) == 0, len(rest) == 1 && rest[0] == '\r' && i > 1:
		return 0, 0, ""
	}
	return 0, 0, "a length that is not a number"
}
