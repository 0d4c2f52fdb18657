package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/shoaldb/shoal/resp"
)

// SavePoint asks for a snapshot after Sec seconds with at least Changes changes.
type SavePoint struct {
	Sec     int
	Changes int
}

type savePoints struct {
	At func(*Values) *[]SavePoint
}

func (savePoints) typeName() string { return "pairs of seconds and changes, or \"\"" }

func (k savePoints) reset(v *Values) { *k.At(v) = []SavePoint{{3600, 1}, {300, 100}, {60, 10000}} }

// set replaces the list. In a file each further directive adds to the first one's list, and
// an empty string clears it.
func (k savePoints) set(v *Values, args []string, from source) error {
	const bad = reason("Invalid save parameters")
	empty := len(args) == 1 && args[0] == ""
	if empty {
		args = nil
	}
	if len(args)%2 != 0 {
		return bad
	}
	var points []SavePoint
	for ; len(args) > 0; args = args[2:] {
		sec, restSec := leadingInteger(args[0], 10)
		changes, restChanges := leadingInteger(args[1], 10)
		if restSec != "" || restChanges != "" || sec < 1 || changes < 0 {
			return bad
		}
		points = append(points, SavePoint{sec, changes})
	}
	if from.file {
		if !empty && !*from.firstSave {
			points = append((*k.At(v))[:len(*k.At(v)):len(*k.At(v))], points...)
		}
		*from.firstSave = false
	}
	*k.At(v) = points
	return nil
}

func (k savePoints) get(v *Values) string {
	var words []string
	for _, p := range *k.At(v) {
		words = append(words, strconv.Itoa(p.Sec), strconv.Itoa(p.Changes))
	}
	return strings.Join(words, " ")
}

// lines are always written, so that the default does not come back.
func (k savePoints) lines(v, _ *Values) []rewriteLine {
	if len(*k.At(v)) == 0 {
		return []rewriteLine{{`""`, true}}
	}
	var lines []rewriteLine
	for _, p := range *k.At(v) {
		lines = append(lines, rewriteLine{fmt.Sprintf("%d %d", p.Sec, p.Changes), true})
	}
	return lines
}

// addresses are those the server listens on.
type addresses struct {
	At func(*Values) *[]string
}

const maxAddresses = 16

func (addresses) typeName() string       { return "up to 16 addresses" }
func (k addresses) reset(v *Values)      { *k.At(v) = []string{"*", "-::*"} }
func (k addresses) get(v *Values) string { return strings.Join(*k.At(v), " ") }

func (k addresses) set(v *Values, args []string, _ source) error {
	if len(args) > maxAddresses {
		return reason("Too many bind addresses specified.")
	}
	if len(args) == 1 && args[0] == "" {
		args = nil
	}
	for _, addr := range args {
		if addr == "" || strings.ContainsFunc(addr, notInAddress) {
			return reason("Invalid address to bind: " + resp.Quote(addr))
		}
	}
	*k.At(v) = args
	return nil
}

func notInAddress(r rune) bool { return r <= ' ' || r == '"' || r == '\\' || r == '\'' || r > '~' }

func (k addresses) lines(v, defaults *Values) []rewriteLine {
	text := k.get(v)
	if text == k.get(defaults) {
		return nil
	}
	if len(*k.At(v)) == 0 {
		text = `""`
	}
	return []rewriteLine{{text, true}}
}

// OutputLimit bounds the replies a client leaves unread: it is closed at HardBytes, or once it
// has been above SoftBytes for SoftSec. Zero means no limit.
type OutputLimit struct {
	HardBytes int64
	SoftBytes int64
	SoftSec   int
}

// ClientClass indexes OutputLimits.
type ClientClass int

const (
	ClientNormal ClientClass = iota
	ClientReplica
	ClientPubSub
)

// OutputLimits holds one limit for each ClientClass.
type OutputLimits [3]OutputLimit

var clientClassNames = [...]string{"normal", "slave", "pubsub"}

func clientClass(name string) (ClientClass, bool) {
	switch strings.ToLower(name) {
	case "normal":
		return ClientNormal, true
	case "slave", "replica":
		return ClientReplica, true
	case "pubsub":
		return ClientPubSub, true
	}
	return 0, false
}

type outputLimits struct {
	At func(*Values) *OutputLimits
}

func (outputLimits) typeName() string {
	return "groups of class (normal, replica, pubsub), hard bytes, soft bytes, soft seconds"
}

func (k outputLimits) reset(v *Values) {
	*k.At(v) = OutputLimits{
		ClientReplica: {256 << 20, 64 << 20, 60},
		ClientPubSub:  {32 << 20, 8 << 20, 60},
	}
}

// set changes the classes that args name and leaves the others.
func (k outputLimits) set(v *Values, args []string, _ source) error {
	if len(args)%4 != 0 {
		return reason("Wrong number of arguments in buffer limit configuration.")
	}
	limits := *k.At(v)
	for ; len(args) > 0; args = args[4:] {
		class, ok := clientClass(args[0])
		if !ok {
			return reason("Invalid client class specified in buffer limit configuration.")
		}
		hard, okHard := ParseMemory(args[1])
		soft, okSoft := ParseMemory(args[2])
		sec, rest := leadingInteger(args[3], 10)
		if !okHard || !okSoft || sec < 0 || rest != "" {
			return reason("Error in hard, soft or soft_seconds setting in buffer limit configuration.")
		}
		limits[class] = OutputLimit{hard, soft, sec}
	}
	*k.At(v) = limits
	return nil
}

func (k outputLimits) get(v *Values) string {
	var words []string
	for class, l := range k.At(v) {
		words = append(words, fmt.Sprintf("%s %d %d %d", clientClassNames[class], l.HardBytes, l.SoftBytes, l.SoftSec))
	}
	return strings.Join(words, " ")
}

func (k outputLimits) lines(v, defaults *Values) []rewriteLine {
	var lines []rewriteLine
	for class, l := range k.At(v) {
		name := clientClassNames[class]
		if ClientClass(class) == ClientReplica {
			name = "replica"
		}
		text := fmt.Sprintf("%s %s %s %d", name, FormatMemory(l.HardBytes), FormatMemory(l.SoftBytes), l.SoftSec)
		lines = append(lines, rewriteLine{text, l != k.At(defaults)[class]})
	}
	return lines
}

// keyspaceEvents is a set of one-letter classes.
type keyspaceEvents struct {
	At func(*Values) *KeyspaceEvents
}

// eventLetters are in the order in which the set is shown; n is left out beside A.
var eventLetters = []struct {
	letter byte
	bits   KeyspaceEvents
}{
	{'A', EventAll},
	{'g', EventGeneric}, {'$', EventString}, {'l', EventList}, {'s', EventSet}, {'h', EventHash},
	{'z', EventZset}, {'x', EventExpired}, {'e', EventEvicted}, {'t', EventStream}, {'d', EventModule},
	{'n', EventNew},
	{'K', EventKeyspace}, {'E', EventKeyevent}, {'m', EventKeyMiss},
}

func (keyspaceEvents) typeName() string       { return "letters out of Ag$lshzxeKEtmdn" }
func (k keyspaceEvents) reset(v *Values)      { *k.At(v) = 0 }
func (k keyspaceEvents) get(v *Values) string { return k.At(v).String() }

// String returns the letters.
func (e KeyspaceEvents) String() string {
	var letters []byte
	all := e&EventAll == EventAll
	for _, l := range eventLetters {
		if e&l.bits != l.bits || all && l.letter != 'A' && l.bits&(EventAll|EventNew) != 0 {
			continue
		}
		letters = append(letters, l.letter)
	}
	return string(letters)
}

func (k keyspaceEvents) set(v *Values, args []string, _ source) error {
	var events KeyspaceEvents
	given, _, _ := strings.Cut(args[0], "\x00") // Redis reads up to there
letters:
	for i := 0; i < len(given); i++ {
		for _, l := range eventLetters {
			if l.letter == given[i] {
				events |= l.bits
				continue letters
			}
		}
		return reason("Invalid event class character. Use 'Ag$lshzxeKEtmdn'.")
	}
	*k.At(v) = events
	return nil
}

func (k keyspaceEvents) lines(v, _ *Values) []rewriteLine {
	return []rewriteLine{{resp.Quote(k.get(v)), *k.At(v) != 0}}
}

// oomScores are the scores of the server, of a replica, and of a background child.
type oomScores struct {
	At func(*Values) *[3]int
}

func (oomScores) typeName() string  { return "three integers, -2000 to 2000" }
func (k oomScores) reset(v *Values) { *k.At(v) = [3]int{0, 200, 800} }

func (k oomScores) set(v *Values, args []string, _ source) error {
	var scores [3]int
	if len(args) != len(scores) {
		return errArgCount
	}
	for i, arg := range args {
		n, rest := leadingInteger(arg, 10)
		if rest != "" || n < -2000 || n > 2000 {
			return reason("Invalid oom-score-adj-values, elements must be between -2000 and 2000.")
		}
		scores[i] = n
	}
	*k.At(v) = scores
	return nil
}

func (k oomScores) get(v *Values) string {
	s := k.At(v)
	return fmt.Sprintf("%d %d %d", s[0], s[1], s[2])
}

// percentiles are those that INFO latencystats shows.
type percentiles struct {
	At func(*Values) *[]float64
}

func (percentiles) typeName() string  { return "numbers, 0 to 100" }
func (k percentiles) reset(v *Values) { *k.At(v) = []float64{50, 99, 99.9} }

func (k percentiles) set(v *Values, args []string, _ source) error {
	if len(args) == 1 && args[0] == "" {
		args = nil
	}
	list := make([]float64, 0, len(args))
	for _, arg := range args {
		p, ok := parsePercentile(arg)
		if !ok {
			return reason("Invalid latency-tracking-info-percentiles parameters")
		}
		if p < 0 || p > 100 {
			return reason("latency-tracking-info-percentiles parameters should sit between [0.0,100.0]")
		}
		list = append(list, p)
	}
	*k.At(v) = list
	return nil
}

// parsePercentile reads a number, decimal or hexadecimal, as C does. One that is not 0 but too small is none.
func parsePercentile(text string) (p float64, ok bool) {
	mantissa := strings.ToLower(text)
	exponent := "e"
	if strings.HasPrefix(strings.TrimLeft(mantissa, "+-"), "0x") {
		if exponent = "p"; !strings.Contains(mantissa, exponent) {
			text += "p0"
		}
	}
	p, err := strconv.ParseFloat(text, 64)
	if err != nil || p != p || strings.Contains(text, "_") {
		return 0, false
	}
	mantissa, _, _ = strings.Cut(mantissa, exponent)
	return p, p != 0 || strings.Trim(mantissa, "+-0x.") == ""
}

// FormatPercentile writes a percentile with six decimals at most, without trailing zeros.
func FormatPercentile(p float64) string {
	text := strings.TrimRight(strconv.FormatFloat(p, 'f', 6, 64), "0")
	return strings.TrimSuffix(text, ".")
}

func (k percentiles) get(v *Values) string {
	var words []string
	for _, p := range *k.At(v) {
		words = append(words, FormatPercentile(p))
	}
	return strings.Join(words, " ")
}

func (k percentiles) lines(v, _ *Values) []rewriteLine {
	if len(*k.At(v)) == 0 {
		return []rewriteLine{{`""`, true}}
	}
	return []rewriteLine{{k.get(v), true}}
}

// Master is the address a replica follows; no Host means none.
type Master struct {
	Host string
	Port int
}

type replicaOf struct {
	At func(*Values) *Master
}

func (replicaOf) typeName() string  { return "host and port, or no one" }
func (k replicaOf) reset(v *Values) { *k.At(v) = Master{} }

func (k replicaOf) set(v *Values, args []string, _ source) error {
	if len(args) != 2 {
		return errArgCount
	}
	if strings.EqualFold(args[0], "no") && strings.EqualFold(args[1], "one") {
		*k.At(v) = Master{}
		return nil
	}
	port, rest := leadingInteger(args[1], 10)
	if rest != "" || port < 0 || port > 65535 {
		return reason("Invalid master port")
	}
	*k.At(v) = Master{args[0], port}
	return nil
}

func (k replicaOf) get(v *Values) string {
	m := k.At(v)
	if m.Host == "" {
		return ""
	}
	return m.Host + " " + strconv.Itoa(m.Port)
}

func (k replicaOf) lines(v, _ *Values) []rewriteLine {
	if v.ClusterEnabled || k.At(v).Host == "" {
		return nil
	}
	m := k.At(v)
	return []rewriteLine{{strings.Join(quoteWords([]string{m.Host, strconv.Itoa(m.Port)}), " "), true}}
}

// directory is the working directory, always absolute. The package resolves paths against
// it and leaves chdir(2) to the server.
type directory struct {
	At func(*Values) *string
}

func (directory) typeName() string       { return "path of a directory" }
func (k directory) reset(v *Values)      { *k.At(v) = workingDir() }
func (k directory) get(v *Values) string { return *k.At(v) }

func (k directory) set(v *Values, args []string, _ source) error {
	path := v.Path(args[0])
	info, err := os.Stat(path)
	switch {
	case args[0] == "":
		err = unix.ENOENT
	case err != nil:
	case !info.IsDir():
		err = unix.ENOTDIR
	default:
		err = unix.Access(path, unix.X_OK)
	}
	if err != nil {
		return reason(systemError(err))
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	*k.At(v) = path
	return nil
}

func (k directory) lines(v, _ *Values) []rewriteLine {
	return []rewriteLine{{resp.Quote(k.get(v)), true}}
}
