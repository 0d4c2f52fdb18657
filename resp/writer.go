package resp

import "slices"

// Writer appends replies to Buf in the protocol the client speaks. Handlers
// never ask which one that is. The zero Writer speaks RESP2.
type Writer struct {
	Buf   []byte
	Proto uint8 // 2 or 3; 0 counts as 2
}

func (w *Writer) resp3() bool { return w.Proto >= 3 }

// OK writes +OK.
func (w *Writer) OK() { w.Buf = append(w.Buf, "+OK\r\n"...) }

// Simple writes a simple string. s must not contain line ends.
func (w *Writer) Simple(s string) { w.Buf = AppendSimple(w.Buf, s) }

// Error writes an error. msg begins with its code, without '-': "ERR ...".
func (w *Writer) Error(msg string) { w.Buf = AppendError(w.Buf, msg) }

// Int writes an integer.
func (w *Writer) Int(n int64) { w.Buf = AppendInt(w.Buf, n) }

// Bulk writes a bulk string; nil is an empty one.
func (w *Writer) Bulk(b []byte) { w.Buf = AppendBulk(w.Buf, b) }

// BulkString writes a bulk string.
func (w *Writer) BulkString(s string) { w.Buf = AppendBulkString(w.Buf, s) }

// BulkInt writes n in decimal as a bulk string.
func (w *Writer) BulkInt(n int64) { w.Buf = AppendBulkInt(w.Buf, n) }

// BulkOrNull writes a bulk string, or null if b is nil.
func (w *Writer) BulkOrNull(b []byte) {
	if b == nil {
		w.Null()
		return
	}
	w.Buf = AppendBulk(w.Buf, b)
}

// ReserveBulk writes a bulk string of n bytes and returns these for the caller
// to fill before the next reply. What they hold before is undefined.
func (w *Writer) ReserveBulk(n int) []byte {
	buf := slices.Grow(w.Buf, n+maxHeader+2)
	buf = appendHeader(buf, '$', int64(n))
	at := len(buf)
	w.Buf = append(buf[:at+n], '\r', '\n')
	return w.Buf[at : at+n : at+n]
}

// Null writes null.
func (w *Writer) Null() {
	if w.resp3() {
		w.Buf = AppendNull3(w.Buf)
		return
	}
	w.Buf = AppendNull2(w.Buf)
}

// NullArray writes null in place of an array. RESP3 has but one null.
func (w *Writer) NullArray() {
	if w.resp3() {
		w.Buf = AppendNull3(w.Buf)
		return
	}
	w.Buf = AppendNullArray2(w.Buf)
}

// Array begins an array of n elements.
func (w *Writer) Array(n int) { w.Buf = AppendArray(w.Buf, n) }

// Map begins a map of n pairs: in RESP2 an array of 2n elements.
func (w *Writer) Map(n int) { w.aggregate('%', n) }

// Set begins a set of n elements: in RESP2 an array.
func (w *Writer) Set(n int) { w.aggregate('~', n) }

// Push begins an out-of-band message of n elements: in RESP2 an array.
func (w *Writer) Push(n int) { w.aggregate('>', n) }

// Attribute begins n pairs of attributes and returns true. RESP2 has none: it
// returns false, and the caller leaves the pairs out.
func (w *Writer) Attribute(n int) bool {
	if !w.resp3() {
		return false
	}
	w.Buf = AppendAttribute(w.Buf, n)
	return true
}

// aggregate begins an aggregate of the RESP3 type kind.
func (w *Writer) aggregate(kind byte, n int) {
	kind, n = w.downgrade(kind, n)
	w.Buf = appendHeader(w.Buf, kind, int64(n))
}

// downgrade returns what stands for a RESP3 aggregate of n elements or pairs.
func (w *Writer) downgrade(kind byte, n int) (byte, int) {
	if w.resp3() {
		return kind, n
	}
	if kind == '%' {
		n *= 2
	}
	return '*', n
}

// Double writes f with the digits ZSCORE has: in RESP2 a bulk string.
func (w *Writer) Double(f float64) {
	if w.resp3() {
		w.Buf = AppendDouble3(w.Buf, f)
		return
	}
	w.Buf = AppendDouble2(w.Buf, f)
}

// HumanDouble writes f with the digits INCRBYFLOAT has: in RESP2 a bulk string.
func (w *Writer) HumanDouble(f float64) {
	if w.resp3() {
		w.Buf = append(AppendHumanDouble(append(w.Buf, ','), f), '\r', '\n')
		return
	}
	var buf [64]byte
	w.Buf = AppendBulk(w.Buf, AppendHumanDouble(buf[:0], f))
}

// Bool writes a boolean: in RESP2 the integer 1 or 0.
func (w *Writer) Bool(b bool) {
	switch {
	case w.resp3():
		w.Buf = AppendBool(w.Buf, b)
	case b:
		w.Buf = append(w.Buf, ":1\r\n"...)
	default:
		w.Buf = append(w.Buf, ":0\r\n"...)
	}
}

// BigNumber writes a big number given in decimal: in RESP2 a bulk string.
func (w *Writer) BigNumber(digits string) {
	if w.resp3() {
		w.Buf = AppendBigNumber(w.Buf, digits)
		return
	}
	w.Buf = AppendBulkString(w.Buf, digits)
}

// Verbatim writes text of the format ext ("txt" or "mkd"): in RESP2 a bulk
// string without the format.
func (w *Writer) Verbatim(ext, text string) {
	if w.resp3() {
		w.Buf = AppendVerbatim(w.Buf, ext, text)
		return
	}
	w.Buf = AppendBulkString(w.Buf, text)
}

// Raw writes bytes that are one or more replies already.
func (w *Writer) Raw(b []byte) { w.Buf = append(w.Buf, b...) }

// Deferred is the place of an aggregate's header whose count is not known yet.
type Deferred struct {
	at   int // index in Buf
	room int // bytes reserved
	kind byte
}

// DeferArray begins an array whose count Close will tell. The guess decides how
// much room the header gets; if the count has as many digits, Close moves
// nothing, else it moves the elements once by the difference. Buf must not be
// cut short in between.
func (w *Writer) DeferArray(guess int) Deferred { return w.deferred('*', guess) }

// DeferMap is DeferArray for a map; the count is one of pairs.
func (w *Writer) DeferMap(guess int) Deferred { return w.deferred('%', guess) }

// DeferSet is DeferArray for a set.
func (w *Writer) DeferSet(guess int) Deferred { return w.deferred('~', guess) }

func (w *Writer) deferred(kind byte, guess int) Deferred {
	at := len(w.Buf)
	w.aggregate(kind, guess)
	return Deferred{at: at, room: len(w.Buf) - at, kind: kind}
}

// Close writes the header that d stands for, with a count of n.
func (w *Writer) Close(d Deferred, n int) {
	kind, n := w.downgrade(d.kind, n)
	var header [maxHeader]byte
	size := putHeader(&header, kind, int64(n))
	if size != d.room {
		w.Buf = slices.Replace(w.Buf, d.at, d.at+d.room, header[:size]...)
		return
	}
	copy(w.Buf[d.at:], header[:size])
}
