package lualib

import (
	"fmt"
	"strconv"
	"strings"
)

// gopher-lua's parser is made from a table: it says where a chunk goes wrong, but not what Lua would say. It also takes
// more than Lua 5.1 does: empty statements, "1e" as a number, "\300" as a byte. So this one goes first, by recursive
// descent over the grammar of the manual.

// checkSyntax returns what Lua says about a chunk that is no valid one, or "".
func checkSyntax(source, name string) (message string) {
	defer func() {
		if r := recover(); r != nil {
			text, ok := r.(syntaxProblem)
			if !ok {
				panic(r)
			}
			message = string(text)
		}
	}()
	p := &syntaxParser{name: name, vararg: true, scanner: scanner{s: source, line: 1}}
	p.next()
	p.chunk()
	p.want(tokenEnd)
	return ""
}

// syntaxProblem is a message, as a panic.
type syntaxProblem string

// Tokens that are not written as they are called.
const (
	tokenEnd    = "<eof>"
	tokenName   = "<name>"
	tokenNumber = "<number>"
	tokenString = "<string>"
)

var keywords = func() map[string]bool {
	words := map[string]bool{}
	for _, w := range strings.Fields("and break do else elseif end false for function if in local nil not or repeat return then true until while") {
		words[w] = true
	}
	return words
}()

// scanner cuts a chunk into tokens.
type scanner struct {
	s    string
	at   int
	line int
	text []byte // of the last name, number or string, as far as it has been read
}

// peek returns the byte that is n ahead, or 0 at the end.
func (x *scanner) peek(n int) byte {
	if x.at+n < len(x.s) {
		return x.s[x.at+n]
	}
	return 0
}

// newline steps over the end of a line, which may have two bytes.
func (x *scanner) newline() {
	c := x.s[x.at]
	x.at++
	if d := x.peek(0); (d == '\n' || d == '\r') && d != c {
		x.at++
	}
	x.line++
}

// keep adds a byte to the token's text.
func (x *scanner) keep() {
	x.text = append(x.text, x.s[x.at])
	x.at++
}

// scan returns the next token.
func (p *syntaxParser) scan() string {
	x := &p.scanner
	for x.at < len(x.s) {
		switch c := x.s[x.at]; {
		case c == '\n' || c == '\r':
			x.newline()
		case c == ' ' || c == '\t' || c == '\v' || c == '\f':
			x.at++
		case c == '-' && x.peek(1) == '-':
			p.comment()
		case c == '"' || c == '\'':
			return p.quoted(c)
		case c == '[' && (x.peek(1) == '[' || x.peek(1) == '='):
			return p.longString()
		case isDigit(c) || c == '.' && isDigit(x.peek(1)):
			return p.number()
		case isWord(c):
			return x.word()
		default:
			return x.symbol()
		}
	}
	return tokenEnd
}

func isWord(c byte) bool { return isDigit(c) || c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

func (x *scanner) word() string {
	x.text = x.text[:0]
	for isWord(x.peek(0)) {
		x.keep()
	}
	if w := string(x.text); keywords[w] {
		return w
	}
	return tokenName
}

func (x *scanner) symbol() string {
	for _, s := range []string{"...", "..", "==", "<=", ">=", "~="} {
		if strings.HasPrefix(x.s[x.at:], s) {
			x.at += len(s)
			return s
		}
	}
	x.at++
	return x.s[x.at-1 : x.at]
}

func (p *syntaxParser) comment() {
	x := &p.scanner
	x.at += 2
	if x.peek(0) == '[' {
		if level, ok := x.longBracket(); ok {
			p.long(level, "unfinished long comment")
			return
		}
	}
	for x.at < len(x.s) && x.peek(0) != '\n' && x.peek(0) != '\r' {
		x.at++
	}
}

// longBracket steps over "[==[" and returns the number of "=". What it has read of something else stays read.
func (x *scanner) longBracket() (level int, ok bool) {
	x.text = x.text[:0]
	x.keep()
	for x.peek(0) == '=' {
		x.keep()
		level++
	}
	if x.peek(0) != '[' {
		return level, false
	}
	x.keep()
	return level, true
}

func (p *syntaxParser) longString() string {
	level, ok := p.longBracket()
	if !ok {
		p.failNear("invalid long string delimiter", tokenString)
	}
	p.long(level, "unfinished long string")
	return tokenString
}

// long reads up to the closing bracket.
func (p *syntaxParser) long(level int, unfinished string) {
	x := &p.scanner
	end := "]" + strings.Repeat("=", level) + "]"
	for x.at < len(x.s) {
		switch c := x.s[x.at]; {
		case c == ']' && strings.HasPrefix(x.s[x.at:], end):
			x.text = append(x.text, end...)
			x.at += len(end)
			return
		case c == '\n' || c == '\r':
			x.newline()
			x.text = append(x.text, '\n')
		default:
			x.keep()
		}
	}
	p.failNear(unfinished, tokenEnd)
}

func (p *syntaxParser) quoted(quote byte) string {
	x := &p.scanner
	x.text = x.text[:0]
	x.keep()
	for x.at < len(x.s) {
		switch c := x.s[x.at]; c {
		case quote:
			x.keep()
			return tokenString
		case '\n', '\r':
			p.failNear("unfinished string", tokenString)
		case '\\':
			x.at++
			p.escape()
		default:
			x.keep()
		}
	}
	p.failNear("unfinished string", tokenEnd)
	return ""
}

// escape reads what follows a backslash.
func (p *syntaxParser) escape() {
	x := &p.scanner
	if x.at == len(x.s) {
		return
	}
	c := x.s[x.at]
	switch {
	case c == '\n' || c == '\r':
		x.newline()
		x.text = append(x.text, '\n')
	case isDigit(c):
		n := 0
		for i := 0; i < 3 && isDigit(x.peek(0)); i++ {
			n = 10*n + int(x.peek(0)-'0')
			x.at++
		}
		if n > 255 {
			p.failNear("escape sequence too large", tokenString)
		}
		x.text = append(x.text, byte(n))
	default:
		if at := strings.IndexByte("abfnrtv", c); at >= 0 {
			c = "\a\b\f\n\r\t\v"[at]
		}
		x.text = append(x.text, c)
		x.at++
	}
}

func (p *syntaxParser) number() string {
	x := &p.scanner
	x.text = x.text[:0]
	for isDigit(x.peek(0)) || x.peek(0) == '.' {
		x.keep()
	}
	if x.peek(0)|0x20 == 'e' {
		x.keep()
		if x.peek(0) == '+' || x.peek(0) == '-' {
			x.keep()
		}
	}
	for isWord(x.peek(0)) {
		x.keep()
	}
	if !isNumber(string(x.text)) {
		p.failNear("malformed number", tokenNumber)
	}
	return tokenNumber
}

// isNumber tells whether s is a number, decimal or hexadecimal.
func isNumber(s string) bool {
	if rest, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		return rest != "" && strings.Trim(rest, "0123456789abcdef") == ""
	}
	if strings.ContainsAny(s, "_xXpPnNiI") {
		return false
	}
	_, err := strconv.ParseFloat(s, 64)
	return err == nil || strings.HasSuffix(err.Error(), strconv.ErrRange.Error())
}

// syntaxParser checks a chunk. It has read one token ahead.
type syntaxParser struct {
	scanner
	name     string
	token    string
	ahead    string // the next token, if it has been looked at
	lastLine int    // of the token before
	levels   int
	loops    int  // around the present statement, in its function
	vararg   bool // the function has "..."
}

// failNear ends the check.
func (p *syntaxParser) failNear(message, token string) {
	switch token {
	case tokenName, tokenNumber, tokenString:
		token, _, _ = strings.Cut(string(p.text), "\x00")
	default:
		if len(token) == 1 && (token[0] < ' ' || token[0] == 0x7f) {
			token = fmt.Sprintf("char(%d)", token[0])
		}
	}
	panic(syntaxProblem(fmt.Sprintf("%s:%d: %s near '%s'", p.name, p.line, message, token)))
}

func (p *syntaxParser) fail(message string) { p.failNear(message, p.token) }

// enter counts a level of nesting; leave must follow.
func (p *syntaxParser) enter() {
	if p.levels++; p.levels > maxLevels {
		panic(syntaxProblem(fmt.Sprintf("%s:%d: chunk has too many syntax levels", p.name, p.line)))
	}
}

func (p *syntaxParser) leave() { p.levels-- }

func (p *syntaxParser) next() {
	p.lastLine = p.line
	if p.ahead != "" {
		p.token, p.ahead = p.ahead, ""
		return
	}
	p.token = p.scan()
}

// take steps over token if it comes next.
func (p *syntaxParser) take(token string) bool {
	if p.token != token {
		return false
	}
	p.next()
	return true
}

// want fails unless token comes next, which it does not step over; need does.
func (p *syntaxParser) want(token string) {
	if p.token != token {
		p.fail("'" + token + "' expected")
	}
}

func (p *syntaxParser) need(token string) {
	p.want(token)
	p.next()
}

// closes wants what ends something that was begun in a line by another token.
func (p *syntaxParser) closes(token, opened string, line int) {
	if p.token != token && line != p.line {
		p.fail(fmt.Sprintf("'%s' expected (to close '%s' at line %d)", token, opened, line))
	}
	p.need(token)
}

func (p *syntaxParser) endsBlock() bool {
	switch p.token {
	case "else", "elseif", "end", "until", tokenEnd:
		return true
	}
	return false
}

func (p *syntaxParser) chunk() {
	p.enter()
	for last := false; !last && !p.endsBlock(); {
		last = p.statement()
		p.take(";")
	}
	p.leave()
}

// loop is chunk for the body of a loop.
func (p *syntaxParser) loop() {
	p.loops++
	p.chunk()
	p.loops--
}

// statement reports whether nothing may follow in the block.
func (p *syntaxParser) statement() (last bool) {
	line := p.line
	switch p.token {
	case "if":
		p.ifStatement(line)
	case "while":
		p.next()
		p.expression()
		p.need("do")
		p.loop()
		p.closes("end", "while", line)
	case "do":
		p.next()
		p.chunk()
		p.closes("end", "do", line)
	case "for":
		p.forStatement(line)
	case "repeat":
		p.next()
		p.loop()
		p.closes("until", "repeat", line)
		p.expression()
	case "function":
		p.next()
		p.need(tokenName)
		for p.take(".") {
			p.need(tokenName)
		}
		if p.take(":") {
			p.need(tokenName)
		}
		p.body(line)
	case "local":
		p.next()
		p.local()
	case "return":
		p.next()
		if !p.endsBlock() && p.token != ";" {
			p.expressions()
		}
		return true
	case "break":
		p.next()
		if p.loops == 0 {
			p.fail("no loop to break")
		}
		return true
	default:
		p.expressionStatement()
	}
	return false
}

func (p *syntaxParser) ifStatement(line int) {
	for again := true; again; again = p.token == "elseif" {
		p.next()
		p.expression()
		p.need("then")
		p.chunk()
	}
	if p.take("else") {
		p.chunk()
	}
	p.closes("end", "if", line)
}

func (p *syntaxParser) forStatement(line int) {
	p.next()
	p.need(tokenName)
	switch p.token {
	case "=":
		p.next()
		p.expression()
		p.need(",")
		p.expression()
		if p.take(",") {
			p.expression()
		}
	case ",", "in":
		for p.take(",") {
			p.need(tokenName)
		}
		p.need("in")
		p.expressions()
	default:
		p.fail("'=' or 'in' expected")
	}
	p.need("do")
	p.loop()
	p.closes("end", "for", line)
}

func (p *syntaxParser) local() {
	line := p.line
	if p.take("function") {
		p.need(tokenName)
		p.body(line)
		return
	}
	p.need(tokenName)
	for p.take(",") {
		p.need(tokenName)
	}
	if p.take("=") {
		p.expressions()
	}
}

// body is that of a function, from its parameters on.
func (p *syntaxParser) body(line int) {
	vararg, loops := p.vararg, p.loops
	p.vararg, p.loops = false, 0
	p.need("(")
	for more := p.token != ")"; more; more = !p.vararg && p.take(",") {
		switch p.token {
		case tokenName:
			p.next()
		case "...":
			p.next()
			p.vararg = true
		default:
			p.fail("<name> or '...' expected")
		}
	}
	p.need(")")
	p.chunk()
	p.closes("end", "function", line)
	p.vararg, p.loops = vararg, loops
}

// What a primary expression can be used for.
const (
	aValue = iota
	aVariable
	aCall
)

func (p *syntaxParser) expressionStatement() {
	kind := p.primary()
	if kind == aCall {
		return
	}
	for {
		if kind != aVariable {
			p.fail("syntax error")
		}
		if !p.take(",") {
			break
		}
		kind = p.primary()
	}
	p.need("=")
	p.expressions()
}

func (p *syntaxParser) primary() (kind int) {
	line := p.line
	switch p.token {
	case "(":
		p.next()
		p.expression()
		p.closes(")", "(", line)
		kind = aValue
	case tokenName:
		p.next()
		kind = aVariable
	default:
		p.fail("unexpected symbol")
	}
	for {
		switch p.token {
		case ".":
			p.next()
			p.need(tokenName)
			kind = aVariable
		case "[":
			p.index()
			kind = aVariable
		case ":":
			p.next()
			p.need(tokenName)
			p.arguments()
			kind = aCall
		case "(", tokenString, "{":
			p.arguments()
			kind = aCall
		default:
			return kind
		}
	}
}

func (p *syntaxParser) index() {
	p.next()
	p.expression()
	p.need("]")
}

func (p *syntaxParser) arguments() {
	line := p.line
	switch p.token {
	case "(":
		if line != p.lastLine {
			p.fail("ambiguous syntax (function call x new statement)")
		}
		p.next()
		if p.token != ")" {
			p.expressions()
		}
		p.closes(")", "(", line)
	case "{":
		p.table()
	case tokenString:
		p.next()
	default:
		p.fail("function arguments expected")
	}
}

func (p *syntaxParser) table() {
	line := p.line
	p.need("{")
	for p.token != "}" {
		switch {
		case p.token == "[":
			p.index()
			p.need("=")
		case p.token == tokenName && p.looksAhead("="):
			p.next()
			p.need("=")
		}
		p.expression()
		if !p.take(",") && !p.take(";") {
			break
		}
	}
	p.closes("}", "{", line)
}

// looksAhead tells whether token follows the one that comes next.
func (p *syntaxParser) looksAhead(token string) bool {
	p.ahead = p.scan()
	return p.ahead == token
}

func (p *syntaxParser) expressions() {
	p.expression()
	for p.take(",") {
		p.expression()
	}
}

func (p *syntaxParser) expression() {
	p.enter()
	for {
		for p.take("not") || p.take("-") || p.take("#") {
		}
		p.simple()
		switch p.token {
		case "+", "-", "*", "/", "%", "^", "..", "==", "~=", "<", "<=", ">", ">=", "and", "or":
			p.next()
			continue
		}
		break
	}
	p.leave()
}

func (p *syntaxParser) simple() {
	switch p.token {
	case tokenNumber, tokenString, "nil", "true", "false":
		p.next()
	case "...":
		if !p.vararg {
			p.fail("cannot use '...' outside a vararg function")
		}
		p.next()
	case "{":
		p.table()
	case "function":
		line := p.line
		p.next()
		p.body(line)
	default:
		p.primary()
	}
}
