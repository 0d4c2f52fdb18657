package script

import (
	"slices"
	"strconv"

	"github.com/yuin/gopher-lua/ast"

	"github.com/shoaldb/shoal/command"
)

// Traits are what a script's text promises; see the package comment.
type Traits struct {
	Declared bool // it works on no key but the declared ones
	Reads    bool // all commands that it calls are known and only read
	Straight bool // it has no loops and ends by itself
	Pure     bool // KEYS and ARGV are only read from: their tables can be used again
}

// maxNodes is how large a straight script may be.
const maxNodes = 20000

// analyse reads the traits of a chunk. fix makes calls of functions of the libraries faster; see fix.
func analyse(chunk []ast.Stmt, table *command.Table, fix bool) Traits {
	a := analysis{table: table, traits: Traits{Declared: true, Reads: true, Straight: true, Pure: true}}
	a.assigned(chunk)
	a.block(chunk)
	if fix && !a.reached {
		a.fix()
	}
	if a.nodes > maxNodes || a.concats > maxConcats {
		a.traits.Straight = false
	}
	return a.traits
}

// maxConcats is how often a straight script may join strings: each time can double the length.
const maxConcats = 12

// analysis walks the syntax tree of a chunk.
type analysis struct {
	table   *command.Table
	traits  Traits
	scope   []local
	written map[string]bool // names that are assigned to somewhere, but for their declaration
	nodes   int
	concats int
	reached bool                // a function's environment may not be what it seems
	fixed   []*ast.FuncCallExpr // calls of functions of the libraries, as redis.call
}

// kind is what is known of a local's value.
type kind uint8

const (
	unknown kind = iota
	aKey         // an element of KEYS, or nil
	callAPI      // redis.call or redis.pcall
)

// local is a local variable in scope.
type local struct {
	name string
	kind kind
}

func (a *analysis) lookup(name string) (local, bool) {
	for i := len(a.scope) - 1; i >= 0; i-- {
		if a.scope[i].name == name {
			return a.scope[i], true
		}
	}
	return local{}, false
}

func (a *analysis) isGlobal(name string) bool {
	_, ok := a.lookup(name)
	return !ok
}

// declare adds a local. What is assigned to again is not known, whichever variable of its name that is.
func (a *analysis) declare(name string, k kind) {
	if a.written[name] {
		k = unknown
	}
	a.scope = append(a.scope, local{name, k})
}

// reckless takes back all promises about keys.
func (a *analysis) reckless() { a.traits.Declared, a.traits.Reads, a.traits.Pure = false, false, false }

// assigned notes the names of all variables that are assigned to after their declaration.
func (a *analysis) assigned(stmts []ast.Stmt) {
	a.written = map[string]bool{}
	visit(stmts, func(s ast.Stmt) {
		switch s := s.(type) {
		case *ast.AssignStmt:
			for _, e := range s.Lhs {
				a.noteWritten(e)
			}
		case *ast.FuncDefStmt:
			a.noteWritten(s.Name.Func)
		}
	})
}

func (a *analysis) noteWritten(e ast.Expr) {
	if id, ok := e.(*ast.IdentExpr); ok {
		a.written[id.Value] = true
	}
}

// block walks statements in a scope of their own.
func (a *analysis) block(stmts []ast.Stmt) {
	n := len(a.scope)
	for _, s := range stmts {
		a.stmt(s)
	}
	a.scope = a.scope[:n]
}

func (a *analysis) stmt(s ast.Stmt) {
	a.nodes++
	switch s := s.(type) {
	case *ast.AssignStmt:
		a.assign(s)
	case *ast.LocalAssignStmt:
		a.localAssign(s)
	case *ast.FuncCallStmt:
		a.expr(s.Expr)
	case *ast.DoBlockStmt:
		a.block(s.Stmts)
	case *ast.WhileStmt:
		a.traits.Straight = false
		a.expr(s.Condition)
		a.block(s.Stmts)
	case *ast.RepeatStmt:
		a.traits.Straight = false
		n := len(a.scope)
		for _, inner := range s.Stmts {
			a.stmt(inner)
		}
		a.expr(s.Condition)
		a.scope = a.scope[:n]
	case *ast.IfStmt:
		a.expr(s.Condition)
		a.block(s.Then)
		a.block(s.Else)
	case *ast.NumberForStmt:
		a.numberFor(s)
	case *ast.GenericForStmt:
		a.genericFor(s)
	case *ast.FuncDefStmt:
		a.funcDef(s)
	case *ast.ReturnStmt:
		a.exprs(s.Exprs)
	case *ast.BreakStmt:
	default: // goto, and what there may be in future
		a.traits.Straight = false
	}
}

func (a *analysis) assign(s *ast.AssignStmt) {
	a.exprs(s.Rhs)
	for _, e := range s.Lhs {
		switch e := e.(type) {
		case *ast.IdentExpr:
			if a.isGlobal(e.Value) && (a.isKeys(e.Value) || e.Value == "ARGV" || e.Value == "redis") {
				a.reckless()
			}
		case *ast.AttrGetExpr:
			a.target(e)
		}
	}
}

// target walks the left side of an assignment to an element.
func (a *analysis) target(e *ast.AttrGetExpr) {
	if !smallIndex(e) {
		a.traits.Straight = false
	}
	a.expr(e.Key)
	if id, ok := e.Object.(*ast.IdentExpr); ok {
		a.mention(id, true)
		return
	}
	a.expr(e.Object)
}

// smallIndex tells whether an assignment to e cannot make a table grow by much: an assignment to a far index fills the table up to it.
func smallIndex(e *ast.AttrGetExpr) bool {
	switch k := e.Key.(type) {
	case *ast.StringExpr:
		return true
	case *ast.NumberExpr:
		n, err := strconv.Atoi(k.Value)
		return err == nil && n < 1000
	case *ast.ArithmeticOpExpr: // t[#t+1]
		_, length := k.Lhs.(*ast.UnaryLenOpExpr)
		one, constant := k.Rhs.(*ast.NumberExpr)
		return k.Operator == "+" && length && constant && one.Value == "1"
	}
	return false
}

func (a *analysis) localAssign(s *ast.LocalAssignStmt) {
	kinds := make([]kind, len(s.Names))
	for i, e := range s.Exprs {
		if i >= len(kinds) {
			a.expr(e)
			continue
		}
		if f, ok := e.(*ast.FunctionExpr); ok && len(s.Names) == 1 {
			a.declare(s.Names[0], unknown) // local function f: f is in scope within
			a.function(f)
			return
		}
		kinds[i] = a.value(e)
	}
	for i, name := range s.Names {
		a.declare(name, kinds[i])
	}
}

// value walks an expression whose value a local gets, and returns what it is.
func (a *analysis) value(e ast.Expr) kind {
	if a.isKey(e) {
		a.expr(e)
		return aKey
	}
	if a.isCall(e) {
		return callAPI
	}
	a.expr(e)
	return unknown
}

func (a *analysis) numberFor(s *ast.NumberForStmt) {
	a.traits.Straight = false
	a.expr(s.Init)
	a.expr(s.Limit)
	if s.Step != nil {
		a.expr(s.Step)
	}
	n := len(a.scope)
	a.declare(s.Name, unknown)
	a.block(s.Stmts)
	a.scope = a.scope[:n]
}

func (a *analysis) genericFor(s *ast.GenericForStmt) {
	a.traits.Straight = false
	k := unknown
	if len(s.Exprs) == 1 && (a.isKeysCall(s.Exprs[0], "ipairs") || a.isKeysCall(s.Exprs[0], "pairs")) {
		k = aKey
	}
	a.exprs(s.Exprs)
	n := len(a.scope)
	for i, name := range s.Names {
		if i == 1 {
			a.declare(name, k)
		} else {
			a.declare(name, unknown)
		}
	}
	a.block(s.Stmts)
	a.scope = a.scope[:n]
}

func (a *analysis) funcDef(s *ast.FuncDefStmt) {
	if id, ok := s.Name.Func.(*ast.IdentExpr); ok {
		if a.isGlobal(id.Value) {
			a.reckless() // it fails, as globals are protected; or it is redis that is replaced
		}
	} else if s.Name.Func != nil {
		a.expr(s.Name.Func)
	}
	if s.Name.Receiver != nil {
		a.expr(s.Name.Receiver)
	}
	a.function(s.Func)
}

func (a *analysis) function(f *ast.FunctionExpr) {
	a.traits.Straight = false
	n := len(a.scope)
	if f.ParList != nil {
		for _, name := range f.ParList.Names {
			a.declare(name, unknown)
		}
	}
	a.declare("self", unknown)
	a.declare("arg", unknown)
	a.block(f.Stmts)
	a.scope = a.scope[:n]
}

func (a *analysis) exprs(list []ast.Expr) {
	for _, e := range list {
		a.expr(e)
	}
}

func (a *analysis) expr(e ast.Expr) {
	a.nodes++
	switch e := e.(type) {
	case *ast.IdentExpr:
		a.mention(e, false)
	case *ast.AttrGetExpr:
		a.attr(e)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			if f.Key != nil {
				a.expr(f.Key)
				if !smallIndex(&ast.AttrGetExpr{Key: f.Key}) {
					a.traits.Straight = false
				}
			}
			a.expr(f.Value)
		}
	case *ast.FuncCallExpr:
		a.call(e)
	case *ast.LogicalOpExpr:
		a.expr(e.Lhs)
		a.expr(e.Rhs)
	case *ast.RelationalOpExpr:
		a.expr(e.Lhs)
		a.expr(e.Rhs)
	case *ast.StringConcatOpExpr:
		a.concats++
		a.expr(e.Lhs)
		a.expr(e.Rhs)
	case *ast.ArithmeticOpExpr:
		a.expr(e.Lhs)
		a.expr(e.Rhs)
	case *ast.UnaryMinusOpExpr:
		a.expr(e.Expr)
	case *ast.UnaryNotOpExpr:
		a.expr(e.Expr)
	case *ast.UnaryLenOpExpr:
		if id, ok := e.Expr.(*ast.IdentExpr); ok && a.isGlobal(id.Value) && (a.isKeys(id.Value) || id.Value == "ARGV") {
			return
		}
		a.expr(e.Expr)
	case *ast.FunctionExpr:
		a.function(e)
	}
}

// reachers are globals by which a script can get at anything; loopers those that run code which the analysis does not see,
// or that can take long or much memory.
var (
	reachers = []string{"_G", "getfenv", "setfenv", "load", "loadstring", "dofile", "require", "module", "debug", "newproxy"}
	loopers  = []string{"coroutine"}
)

// mention walks a variable that is used as a value, or whose element is assigned to.
func (a *analysis) mention(id *ast.IdentExpr, target bool) {
	if l, ok := a.lookup(id.Value); ok {
		if l.kind == callAPI {
			a.reckless() // passed on
		}
		if target {
			a.traits.Pure = a.traits.Pure && l.kind == unknown
		}
		return
	}
	switch {
	case a.isKeys(id.Value), id.Value == "redis":
		a.reckless()
	case id.Value == "ARGV":
		a.traits.Pure = false
	case slices.Contains(reachers, id.Value):
		a.reckless()
		a.traits.Straight, a.reached = false, true
	case slices.Contains(loopers, id.Value):
		a.traits.Straight = false
	}
}

// attr walks object[key] that is read.
func (a *analysis) attr(e *ast.AttrGetExpr) {
	a.expr(e.Key)
	id, ok := e.Object.(*ast.IdentExpr)
	if !ok || !a.isGlobal(id.Value) {
		a.expr(e.Object)
		return
	}
	name, constant := e.Key.(*ast.StringExpr)
	switch id.Value {
	case "redis":
		if !constant || name.Value == "call" || name.Value == "pcall" {
			a.reckless() // not called on the spot
		}
	case "ARGV":
	case "string":
		if !constant || slices.Contains([]string{"rep", "gsub", "format", "find", "match", "gmatch"}, name.Value) {
			a.traits.Straight = false
		}
	case "table":
		if !constant || name.Value == "sort" || name.Value == "foreach" || name.Value == "foreachi" {
			a.traits.Straight = false
		}
	default:
		if !a.isKeys(id.Value) {
			a.mention(id, false)
		}
	}
}

// isKeys tells whether name is that of the table of keys.
func (a *analysis) isKeys(name string) bool { return name == "KEYS" }

// isKeysCall tells whether e is f(KEYS).
func (a *analysis) isKeysCall(e ast.Expr, f string) bool {
	c, ok := e.(*ast.FuncCallExpr)
	if !ok || c.Func == nil || c.Receiver != nil || len(c.Args) != 1 {
		return false
	}
	name, ok := c.Func.(*ast.IdentExpr)
	arg, ok2 := c.Args[0].(*ast.IdentExpr)
	return ok && ok2 && name.Value == f && a.isGlobal(f) && a.isGlobal(arg.Value) && a.isKeys(arg.Value)
}

// isKey tells whether e is an element of KEYS, or nil.
func (a *analysis) isKey(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		id, ok := e.Object.(*ast.IdentExpr)
		return ok && a.isGlobal(id.Value) && a.isKeys(id.Value)
	case *ast.IdentExpr:
		l, ok := a.lookup(e.Value)
		return ok && l.kind == aKey
	}
	return false
}

// isCall tells whether e is redis.call or redis.pcall, or a local that is.
func (a *analysis) isCall(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		id, ok := e.Object.(*ast.IdentExpr)
		name, ok2 := e.Key.(*ast.StringExpr)
		return ok && ok2 && id.Value == "redis" && a.isGlobal("redis") && (name.Value == "call" || name.Value == "pcall")
	case *ast.IdentExpr:
		l, ok := a.lookup(e.Value)
		return ok && l.kind == callAPI
	}
	return false
}

func (a *analysis) call(e *ast.FuncCallExpr) {
	for _, f := range []string{"unpack", "ipairs", "pairs"} {
		if a.isKeysCall(e, f) {
			return
		}
	}
	if a.isARGVCall(e) {
		return
	}
	if id, ok := e.Func.(*ast.IdentExpr); ok && id.Value == hidden+"concat" { // what lualib makes of ".."
		a.concats += len(e.Args) - 1
	}
	if a.libraryCall(e) {
		a.fixed = append(a.fixed, e)
	}
	switch {
	case e.Receiver != nil: // object:method(...)
		a.traits.Straight = false
		a.expr(e.Receiver)
	case a.isCall(e.Func):
		a.commandCall(e.Args)
	default:
		a.expr(e.Func)
	}
	a.exprs(e.Args)
}

// libraryCall tells whether e calls a function of a library by its full name.
func (a *analysis) libraryCall(e *ast.FuncCallExpr) bool {
	f, ok := e.Func.(*ast.AttrGetExpr)
	if !ok {
		return false
	}
	id, ok := f.Object.(*ast.IdentExpr)
	name, ok2 := f.Key.(*ast.StringExpr)
	return ok && ok2 && a.isGlobal(id.Value) && libraryFunctions()[id.Value+"."+name.Value]
}

// fix makes calls such as redis.call find their function by one look-up of a hidden global in place of three: of the library, of its
// view, and of the function in it. As libraries are read-only and the function's environment is known, it is the same function.
func (a *analysis) fix() {
	for _, e := range a.fixed {
		f := e.Func.(*ast.AttrGetExpr)
		id := &ast.IdentExpr{Value: hidden + f.Object.(*ast.IdentExpr).Value + "." + f.Key.(*ast.StringExpr).Value}
		id.SetLine(f.Line())
		id.SetLastLine(f.LastLine())
		e.Func = id
	}
}

// isARGVCall tells whether e is unpack(ARGV).
func (a *analysis) isARGVCall(e ast.Expr) bool {
	c, ok := e.(*ast.FuncCallExpr)
	if !ok || c.Func == nil || len(c.Args) < 1 {
		return false
	}
	name, ok := c.Func.(*ast.IdentExpr)
	arg, ok2 := c.Args[0].(*ast.IdentExpr)
	if !ok || !ok2 || name.Value != "unpack" || arg.Value != "ARGV" || !a.isGlobal("unpack") || !a.isGlobal("ARGV") {
		return false
	}
	a.exprs(c.Args[1:])
	return true
}

// commandCall looks at the arguments of redis.call.
func (a *analysis) commandCall(args []ast.Expr) {
	words := constants(args)
	if len(words) == 0 || words[0] == nil {
		a.traits.Declared, a.traits.Reads = false, false
		return
	}
	spec := a.table.Lookup(words[0])
	if spec != nil && len(spec.Subcommands) > 0 {
		if len(words) < 2 || words[1] == nil {
			a.traits.Declared, a.traits.Reads = false, false
			return
		}
		spec = spec.Sub(words[1])
	}
	if spec == nil || spec.Flags&command.NoScript != 0 {
		return // it fails
	}
	if spec.Flags&(command.Write|command.MayReplicate) != 0 {
		a.traits.Reads = false
	}
	if a.traits.Declared && !a.keysDeclared(spec, args, words) {
		a.traits.Declared = false
	}
}

// constants returns the values of constant arguments; nil for others.
func constants(args []ast.Expr) [][]byte {
	words := make([][]byte, len(args))
	for i, e := range args {
		switch e := e.(type) {
		case *ast.StringExpr:
			words[i] = []byte(e.Value)
		case *ast.NumberExpr:
			words[i] = []byte(e.Value)
		}
	}
	return words
}

// keysDeclared tells whether all keys of a call are elements of KEYS.
func (a *analysis) keysDeclared(spec *command.Spec, args []ast.Expr, words [][]byte) bool {
	if spec.Flags&command.LockAll != 0 {
		return false
	}
	if !spec.HasKeys() {
		return slices.Contains(keyless, spec.FullName())
	}
	if spec.GetKeys != nil {
		return false
	}
	for i := range spec.Keys {
		if !a.specDeclared(&spec.Keys[i], args, words) {
			return false
		}
	}
	return true
}

// keyless are the commands without keys that need no lock.
var keyless = []string{"ping", "echo", "time", "publish", "spublish", "select"}

// specDeclared tells whether the keys that k describes are elements of KEYS. They must be at arguments whose numbers are known.
func (a *analysis) specDeclared(k *command.KeySpec, args []ast.Expr, words [][]byte) bool {
	if k.Flags&command.NotKey != 0 {
		return true
	}
	if k.Keyword != "" || k.Unknown || k.Limit > 1 || k.Index <= 0 {
		return false
	}
	if k.Counted {
		at := k.Index + k.KeyNumIdx
		if at >= len(words) || words[at] == nil {
			return false
		}
		n, err := strconv.Atoi(string(words[at]))
		first := k.Index + k.FirstKey
		return err == nil && n >= 0 && first+n <= len(args) && a.allKeys(args, first, first+n-1, max(k.Step, 1))
	}
	if k.Last >= 0 {
		return a.allKeys(args, k.Index, k.Index+k.Last, k.Step)
	}
	// Up to the end, or near it.
	if k.Last != -1 && len(args) > 0 && multiple(args[len(args)-1]) {
		return false
	}
	return a.allKeys(args, k.Index, len(args)+k.Last, k.Step)
}

// allKeys tells whether arguments first to last are keys, and what the last argument expands to if it reaches there.
func (a *analysis) allKeys(args []ast.Expr, first, last, step int) bool {
	end := len(args) - 1
	if multiple(args[end]) && last >= end && !a.isKeysCall(args[end], "unpack") {
		return false
	}
	for i := first; i <= min(last, end); i += step {
		if !a.isKey(args[i]) && !(i == end && a.isKeysCall(args[i], "unpack")) {
			return false
		}
	}
	return true
}

// multiple tells whether an expression may have several values.
func multiple(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.FuncCallExpr:
		return !e.AdjustRet
	case *ast.Comma3Expr:
		return !e.AdjustRet
	}
	return false
}
