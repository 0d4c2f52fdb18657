package aof

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/shoaldb/shoal/resp"
)

// FileType says what a file of the append only file holds.
type FileType byte

const (
	Base      FileType = 'b'
	Increment FileType = 'i'
	History   FileType = 'h'
)

// File is a line of a manifest.
type File struct {
	Name string // within the folder
	Seq  int64
	Type FileType
}

// Manifest says which files make up the append only file. A Manifest that others see is not changed: its methods return new ones.
type Manifest struct {
	Base       *File  // nil: none
	History    []File // the latest first
	Increments []File // ascending
	baseSeq    int64  // of the last base there was
	incrSeq    int64
}

// Files returns the files to load, in their order.
func (m *Manifest) Files() []File {
	var files []File
	if m.Base != nil {
		files = append(files, *m.Base)
	}
	return append(files, m.Increments...)
}

// Empty tells whether there is nothing to load.
func (m *Manifest) Empty() bool { return m.Base == nil && len(m.Increments) == 0 }

const (
	maxName         = 255                                                             // bytes that a file's name has at most, NAME_MAX of Linux
	maxManifestLine = 4*maxName + len(`file "" seq -9223372036854775808 type i`+"\n") // bytes with the end, as each byte of a name may be written as \xff
)

// ManifestError says what is wrong with a manifest. Its text is of two lines more if a line is to blame.
type ManifestError struct {
	Line   int // 0: none
	Text   string
	Reason string
}

func (e *ManifestError) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("Reading the manifest file, at line %d\n>>> '%s'\n%s", e.Line, e.Text, e.Reason)
}

// ParseManifest reads a manifest. Errors of its content are of type *ManifestError.
func ParseManifest(r io.Reader) (*Manifest, error) {
	m := &Manifest{}
	in := bufio.NewReaderSize(r, maxManifestLine)
	for number := 1; ; number++ {
		line, err := in.ReadSlice('\n')
		switch {
		case err == io.EOF && len(line) == 0 && number == 1:
			return nil, &ManifestError{Reason: "Found an empty AOF manifest"}
		case err == io.EOF && len(line) == 0:
			return m, nil
		case err != nil && err != io.EOF && !errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("cannot read the AOF manifest: %w", err)
		case len(line) > 0 && line[0] == '#' && err == nil:
			continue
		case err != nil: // an end that is missing counts as a line that is too long
			return nil, &ManifestError{Reason: "The AOF manifest file contains too long line"}
		}
		text := strings.Trim(string(line), " \t\r\n")
		f, ok := parseFile(text)
		reason := "Invalid AOF manifest file format"
		if ok {
			reason = m.addParsed(f)
		}
		if reason != "" {
			return nil, &ManifestError{Line: number, Text: text, Reason: reason}
		}
	}
}

// parseFile reads a line: pairs of a key and a value. Keys that it does not know are passed over.
func parseFile(line string) (File, bool) {
	var f File
	words, ok := resp.SplitArgs(nil, []byte(line))
	if !ok || len(words) < 6 || len(words)%2 != 0 {
		return f, false
	}
	for i := 0; i < len(words); i += 2 {
		value := string(words[i+1])
		switch strings.ToLower(string(words[i])) {
		case "file":
			f.Name = value
		case "seq":
			f.Seq, _ = strconv.ParseInt(value, 10, 64) // 0, which is refused, if it is no number
		case "type":
			if value != "" {
				f.Type = FileType(value[0])
			}
		}
	}
	return f, f.Name != "" && len(f.Name) <= maxName && f.Seq != 0 && f.Type != 0
}

// addParsed adds a file and returns what is wrong with it, or "".
func (m *Manifest) addParsed(f File) string {
	if strings.ContainsAny(f.Name, `/\`) || f.Name == "." || f.Name == ".." {
		return "File can't be a path, just a filename"
	}
	switch f.Type {
	case Base:
		if m.Base != nil {
			return "Found duplicate base file information"
		}
		m.Base = &f
		m.baseSeq = f.Seq
	case Increment:
		if f.Seq <= m.incrSeq {
			return "Found a non-monotonic sequence number"
		}
		m.Increments = append(m.Increments, f)
		m.incrSeq = f.Seq
	case History:
		m.History = append(m.History, f)
	default:
		return "Unknown AOF file type"
	}
	return ""
}

// String is the manifest as it is written.
func (m *Manifest) String() string {
	var b strings.Builder
	line := func(f File) {
		fmt.Fprintf(&b, "file %s seq %d type %c\n", quoteWord(f.Name), f.Seq, f.Type)
	}
	if m.Base != nil {
		line(*m.Base)
	}
	for _, f := range m.History {
		line(f)
	}
	for _, f := range m.Increments {
		line(f)
	}
	return b.String()
}

func (m *Manifest) clone() *Manifest {
	c := *m
	c.History, c.Increments = slices.Clone(m.History), slices.Clone(m.Increments)
	return &c
}

// WithIncrement returns a manifest with one more increment, which is its last.
func (m *Manifest) WithIncrement(filename string) *Manifest {
	c := m.clone()
	c.incrSeq++
	c.Increments = append(c.Increments, File{fmt.Sprintf("%s.%d.incr.aof", filename, c.incrSeq), c.incrSeq, Increment})
	return c
}

// WithBase returns a manifest with a new base, which takes the place of the old one and of all increments but the last keep.
func (m *Manifest) WithBase(filename string, rdb bool, keep int) *Manifest {
	c := m.clone()
	if c.Base != nil {
		c.History = slices.Insert(c.History, 0, File{c.Base.Name, c.Base.Seq, History})
	}
	c.baseSeq++
	format := "aof"
	if rdb {
		format = "rdb"
	}
	c.Base = &File{fmt.Sprintf("%s.%d.base.%s", filename, c.baseSeq, format), c.baseSeq, Base}
	old := c.Increments[:max(0, len(c.Increments)-keep)]
	for _, f := range slices.Backward(old) {
		c.History = slices.Insert(c.History, 0, File{f.Name, f.Seq, History})
	}
	c.Increments = c.Increments[len(old):]
	return c
}

// WithoutHistory returns a manifest that no longer names the files that are to be deleted.
func (m *Manifest) WithoutHistory() *Manifest {
	c := m.clone()
	c.History = nil
	return c
}

// quoteWord quotes a name with blanks, quotes or unprintable bytes as Redis' manifests and configuration files do.
func quoteWord(s string) string {
	plain := func(c byte) bool { return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != '\\' }
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return r > 0x7e || !plain(byte(r)) }) < 0 {
		return s
	}
	return resp.Quote(s)
}
