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
	Local    bool // no command that it calls by a constant name is about the server as a whole
	Pure     bool // KEYS and ARGV are only read from: their tables can be used again
}

// maxNodes is how large a straight script may be.
const maxNodes = 20000

// analyse reads the traits of a script. fix makes calls of functions of the libraries faster; see fix.
func analyse(chunk []ast.Stmt, table *command.Table, fix bool) Traits {
	a := analysis{table: table}
	a.passes(chunk)
	traits := a.shared.own()
	for _, u := range a.units {
		traits = traits.and(u.traits)
	}
	if a.shared.defines {
		traits.Straight = false
	}
	if fix && !a.reached {
		a.fix()
	}
	return traits
}

// maxConcats is how often a straight script may join strings: each time can double the length.
const maxConcats = 12

// analysis walks the syntax tree of a chunk.
type analysis struct {
	table   *command.Table
	library bool
	scope   []local
	written map[string]bool     // names that are assigned to somewhere, but for their declaration
	reached bool                // a function's environment may not be what it seems
	fixed   []*ast.FuncCallExpr // calls of functions of the libraries, as redis.call

	functions
}

// kind is what is known of a local's value.
type kind uint8

const (
	unknown   kind = iota
	unseen         // of a parameter, while no argument for it has been seen
	constant       // a number, string or boolean of the text
	aKey           // an element of the table of keys, or nil
	callAPI        // redis.call or redis.pcall
	keysTable      // the declared keys
	argsTable      // the other arguments
	aFunction      // the function of a unit
)

// local is a local variable in scope.
type local struct {
	name string
	kind kind
	unit *unit // of a function
}

// lookup finds a local variable. A function of a library that may be called by others than the one it is written in does not
// know the keys of that one.
func (a *analysis) lookup(name string) (local, bool) {
	for i := len(a.scope) - 1; i >= 0; i-- {
		l := a.scope[i]
		if l.name != name {
			continue
		}
		if i < a.unit.base && l.kind != callAPI && l.kind != constant {
			a.unit.traits.Straight = false
		}
		switch {
		case i < a.keyBase && (l.kind == keysTable || l.kind == argsTable):
			a.shared.reckless()
			l.kind = unknown
		case i < a.keyBase && l.kind == aKey:
			l.kind = unknown
		case i < a.callBase && l.kind == aFunction:
			a.escape(l.unit)
			l.kind = unknown
		}
		return l, true
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
		a.lose(k)
		k = unknown
	}
	a.scope = append(a.scope, local{name: name, kind: k})
}

// lose takes back what cannot be promised when a value of kind k is where it is not seen any more.
func (a *analysis) lose(k kind) {
	switch k {
	case keysTable:
		a.unit.reckless()
	case argsTable:
		a.unit.traits.Pure = false
	case callAPI:
		a.shared.reckless()
	}
}

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
	a.unit.nodes++
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
		a.unit.traits.Straight = false
		a.expr(s.Condition)
		a.block(s.Stmts)
	case *ast.RepeatStmt:
		a.unit.traits.Straight = false
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
		a.unit.traits.Straight = false
	}
}

func (a *analysis) assign(s *ast.AssignStmt) {
	a.exprs(s.Rhs)
	for _, e := range s.Lhs {
		switch e := e.(type) {
		case *ast.IdentExpr:
			if a.isGlobal(e.Value) && (e.Value == "KEYS" || e.Value == "ARGV" || e.Value == "redis") {
				a.shared.reckless()
			}
		case *ast.AttrGetExpr:
			a.target(e)
		}
	}
}

// target walks the left side of an assignment to an element.
func (a *analysis) target(e *ast.AttrGetExpr) {
	if !smallIndex(e) {
		a.unit.traits.Straight = false
	}
	a.expr(e.Key)
	if id, ok := e.Object.(*ast.IdentExpr); ok {
		a.mention(id, true)
		return
	}
	a.expr(e.Object)
}

// smallIndex tells whether an assignment to e cannot make a table grow by much: an assignment to a far index fills the
// table up to it.
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
			a.localFunction(s.Names[0], f)
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
	if a.isCall(e) {
		return callAPI
	}
	if k := a.tableKind(e); k != unknown {
		return k
	}
	k := unknown
	switch e := e.(type) {
	case *ast.NumberExpr, *ast.StringExpr, *ast.TrueExpr, *ast.FalseExpr:
		k = constant
	case *ast.IdentExpr:
		k = a.unseen(e)
	case *ast.AttrGetExpr:
		k = a.unseen(e.Object)
	}
	if a.isKey(e) {
		k = aKey
	}
	a.expr(e)
	return k
}

// unseen tells whether e is a parameter for which no argument has been seen.
func (a *analysis) unseen(e ast.Expr) kind {
	if id, ok := e.(*ast.IdentExpr); ok {
		if l, ok := a.lookup(id.Value); ok && l.kind == unseen {
			return unseen
		}
	}
	return unknown
}

func (a *analysis) numberFor(s *ast.NumberForStmt) {
	a.unit.traits.Straight = false
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
	a.unit.traits.Straight = false
	k := unknown
	switch {
	case a.isLoopOver(s.Exprs, keysTable):
		k = aKey
	case !a.isLoopOver(s.Exprs, argsTable):
		a.exprs(s.Exprs)
	}
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

// isLoopOver tells whether a generic loop is over ipairs(t) or pairs(t), where t is the table of keys, or that of the
// other arguments.
func (a *analysis) isLoopOver(list []ast.Expr, t kind) bool {
	return len(list) == 1 && (a.isTableCall(list[0], "ipairs", t) || a.isTableCall(list[0], "pairs", t))
}

func (a *analysis) funcDef(s *ast.FuncDefStmt) {
	if id, ok := s.Name.Func.(*ast.IdentExpr); ok {
		if a.isGlobal(id.Value) {
			a.shared.reckless() // it fails, as globals are protected; or it is redis that is replaced
		}
	} else if s.Name.Func != nil {
		a.expr(s.Name.Func)
	}
	if s.Name.Receiver != nil {
		a.expr(s.Name.Receiver)
	}
	a.function(s.Func)
}

func (a *analysis) exprs(list []ast.Expr) {
	for _, e := range list {
		a.expr(e)
	}
}

func (a *analysis) expr(e ast.Expr) {
	a.unit.nodes++
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
					a.unit.traits.Straight = false
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
		a.unit.concats++
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
		if a.tableKind(e.Expr) == unknown {
			a.expr(e.Expr)
		}
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
	if k := a.tableKind(id); k != unknown {
		a.lose(k)
		return
	}
	if l, ok := a.lookup(id.Value); ok {
		switch {
		case l.kind == callAPI:
			a.lose(callAPI)
		case l.kind == aFunction:
			a.escape(l.unit)
		case target && l.kind == aKey:
			a.unit.traits.Pure = false
		}
		return
	}
	switch {
	case id.Value == "redis":
		a.shared.reckless()
		a.dynamic = true
	case slices.Contains(reachers, id.Value):
		a.shared.reckless()
		a.unit.traits.Straight, a.reached, a.dynamic = false, true, true
	case slices.Contains(loopers, id.Value):
		a.unit.traits.Straight = false
	}
}

// attr walks object[key] that is read.
func (a *analysis) attr(e *ast.AttrGetExpr) {
	a.expr(e.Key)
	if a.tableKind(e.Object) != unknown {
		return
	}
	id, ok := e.Object.(*ast.IdentExpr)
	if !ok || !a.isGlobal(id.Value) {
		a.expr(e.Object)
		return
	}
	name, constant := e.Key.(*ast.StringExpr)
	switch id.Value {
	case "redis":
		if !constant || name.Value == "call" || name.Value == "pcall" {
			a.shared.reckless() // not called on the spot
		}
		if !constant || name.Value == "register_function" {
			a.dynamic = true
		}
	case "string":
		if !constant || slices.Contains([]string{"rep", "gsub", "format", "find", "match", "gmatch"}, name.Value) {
			a.unit.traits.Straight = false
		}
	case "table":
		if !constant || name.Value == "sort" || name.Value == "foreach" || name.Value == "foreachi" {
			a.unit.traits.Straight = false
		}
	default:
		a.mention(id, false)
	}
}

// tableKind tells whether e is the table of keys, or that of the other arguments.
func (a *analysis) tableKind(e ast.Expr) kind {
	id, ok := e.(*ast.IdentExpr)
	if !ok {
		return unknown
	}
	if l, ok := a.lookup(id.Value); ok {
		if l.kind == keysTable || l.kind == argsTable {
			return l.kind
		}
		return unknown
	}
	switch {
	case a.library:
	case id.Value == "KEYS":
		return keysTable
	case id.Value == "ARGV":
		return argsTable
	}
	return unknown
}

// isTableCall tells whether e is f(t), where t is the table of keys, or that of the other arguments.
func (a *analysis) isTableCall(e ast.Expr, f string, t kind) bool {
	c, ok := e.(*ast.FuncCallExpr)
	if !ok || c.Func == nil || len(c.Args) != 1 {
		return false
	}
	name, ok := c.Func.(*ast.IdentExpr)
	return ok && name.Value == f && a.isGlobal(f) && a.tableKind(c.Args[0]) == t
}

// isGetN tells whether e is table.getn(t) of the table of keys, or that of the other arguments.
func (a *analysis) isGetN(e *ast.FuncCallExpr) bool {
	f, ok := e.Func.(*ast.AttrGetExpr)
	if !ok || len(e.Args) != 1 {
		return false
	}
	lib, ok := f.Object.(*ast.IdentExpr)
	name, ok2 := f.Key.(*ast.StringExpr)
	return ok && ok2 && lib.Value == "table" && name.Value == "getn" && a.isGlobal("table") && a.tableKind(e.Args[0]) != unknown
}

// isKey tells whether e is an element of the table of keys, or nil.
func (a *analysis) isKey(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		return a.tableKind(e.Object) == keysTable
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
	if a.isTableCall(e, "unpack", keysTable) || a.isTableCall(e, "unpack", argsTable) || a.isGetN(e) || a.isPartOfArgs(e) {
		return
	}
	if id, ok := e.Func.(*ast.IdentExpr); ok && id.Value == hidden+"concat" { // what lualib makes of ".."
		a.unit.concats += len(e.Args) - 1
	}
	if a.libraryCall(e) {
		a.fixed = append(a.fixed, e)
	}
	switch {
	case e.Receiver != nil: // object:method(...)
		a.unit.traits.Straight = false
		a.expr(e.Receiver)
	case a.isCall(e.Func):
		a.commandCall(e.Args)
	case a.isRegister(e.Func):
		a.register(e.Args)
		return
	case a.unitOf(e.Func) != nil:
		a.unitCall(a.unitOf(e.Func), e.Args)
		return
	default:
		a.outsideCall(e.Func)
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

// fix makes calls such as redis.call find their function by one look-up of a hidden global in place of three: of the
// library, of its view, and of the function in it. As libraries are read-only and the function's environment is known,
// it is the same function.
func (a *analysis) fix() {
	for _, e := range a.fixed {
		f := e.Func.(*ast.AttrGetExpr)
		id := &ast.IdentExpr{Value: hidden + f.Object.(*ast.IdentExpr).Value + "." + f.Key.(*ast.StringExpr).Value}
		id.SetLine(f.Line())
		id.SetLastLine(f.LastLine())
		e.Func = id
	}
}

// isPartOfArgs tells whether e is unpack(ARGV, ...).
func (a *analysis) isPartOfArgs(e *ast.FuncCallExpr) bool {
	name, ok := e.Func.(*ast.IdentExpr)
	if !ok || len(e.Args) < 2 || name.Value != "unpack" || !a.isGlobal("unpack") || a.tableKind(e.Args[0]) != argsTable {
		return false
	}
	a.exprs(e.Args[1:])
	return true
}

// commandCall looks at the arguments of redis.call.
func (a *analysis) commandCall(args []ast.Expr) {
	words := constants(args)
	if len(words) == 0 || words[0] == nil {
		a.anyCommand()
		return
	}
	spec := a.table.Lookup(words[0])
	if spec != nil && len(spec.Subcommands) > 0 {
		if len(words) < 2 || words[1] == nil {
			a.anyCommand()
			return
		}
		spec = spec.Sub(words[1])
	}
	if spec == nil || spec.Flags&command.NoScript != 0 {
		return // it fails
	}
	if spec.Flags&(command.Write|command.MayReplicate) != 0 {
		a.unit.traits.Reads = false
	}
	if !spec.HasKeys() && (spec.Group == "server" || spec.Group == "connection") && !slices.Contains(keyless, spec.FullName()) {
		a.unit.traits.Straight, a.unit.traits.Local = false, false // it may have to wait for others
	}
	if a.unit.traits.Declared && !a.keysDeclared(spec, args, words) {
		a.unit.traits.Declared = false
	}
}

// anyCommand notes that any command may be called.
func (a *analysis) anyCommand() {
	a.unit.traits.Declared, a.unit.traits.Reads, a.unit.traits.Straight = false, false, false
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
	if multiple(args[end]) && last >= end && !a.isTableCall(args[end], "unpack", keysTable) {
		return false
	}
	for i := first; i <= min(last, end); i += step {
		if !a.isKey(args[i]) && !(i == end && a.isTableCall(args[i], "unpack", keysTable)) {
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
