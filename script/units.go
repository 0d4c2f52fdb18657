package script

import (
	"strings"

	"github.com/yuin/gopher-lua/ast"

	"github.com/shoaldb/shoal/command"
)

// Functions of a chunk are looked at one by one, each as a unit. What is known of the arguments of all calls is known
// of the parameters, and what the functions that are called promise not, their callers do not either.

// unit is a local function that is only called by its name, one that a library registers, or the whole of all other
// code of a chunk.
type unit struct {
	traits  Traits
	params  []kind // what is known of the parameters, from all calls that have been seen
	escaped bool   // it may be called by anybody, with anything
	calls   map[*unit]bool
	nodes   int
	concats int
	base    int  // its variables in scope begin here
	defines bool // there are functions in it
}

// functions is what an analysis knows of a chunk's functions.
type functions struct {
	shared   *unit // what is in no other unit
	unit     *unit // that is being walked
	units    map[*ast.FunctionExpr]*unit
	keyBase  int  // variables in scope below this are not known to be keys
	callBase int  // and functions below this escape when they are called
	changed  bool // a parameter has turned out to be less than was thought

	registered map[string][]*unit // functions of a library, by name in lower case
	dynamic    bool               // a library may register functions in other ways
}

// all is what nothing speaks against.
var all = Traits{Declared: true, Reads: true, Straight: true, Local: true, Pure: true}

func (t Traits) and(o Traits) Traits {
	return Traits{t.Declared && o.Declared, t.Reads && o.Reads, t.Straight && o.Straight, t.Local && o.Local, t.Pure && o.Pure}
}

// reckless takes back all promises about keys.
func (u *unit) reckless() { u.traits.Declared, u.traits.Reads, u.traits.Pure = false, false, false }

// own returns what u promises for itself.
func (u *unit) own() Traits {
	t := u.traits
	if u.nodes > maxNodes || u.concats > maxConcats {
		t.Straight = false
	}
	return t
}

// maxPasses is how often a chunk is walked until what is known of its parameters does not change any more.
const maxPasses = 10

// passes walks the chunk.
func (a *analysis) passes(chunk []ast.Stmt) {
	a.units = map[*ast.FunctionExpr]*unit{}
	a.assigned(chunk)
	for n := 0; n == 0 || a.changed; n++ {
		a.changed, a.dynamic, a.fixed, a.scope = false, false, nil, nil
		a.shared = &unit{traits: all}
		a.unit, a.registered = a.shared, map[string][]*unit{}
		a.keyBase, a.callBase = 0, 0
		for _, u := range a.units {
			u.traits, u.calls, u.nodes, u.concats = all, nil, 0, 0
		}
		a.block(chunk)
		if n == maxPasses {
			a.shared.reckless()
			return
		}
	}
}

// analyseLibrary returns the traits of a library's functions, by name in lower case.
func analyseLibrary(chunk []ast.Stmt, table *command.Table) map[string]Traits {
	a := analysis{table: table, library: true}
	a.passes(chunk)
	found := map[string]Traits{}
	if a.dynamic || a.reached {
		return found
	}
	shared := a.shared.traits
	shared.Straight = true // it runs when the library is loaded
	for name, units := range a.registered {
		traits := shared
		for _, u := range units {
			traits = traits.and(u.own())
			for called := range u.reaches() {
				traits = traits.and(called.own())
			}
		}
		found[name] = traits
	}
	return found
}

// reaches returns all units that u calls, directly or not.
func (u *unit) reaches() map[*unit]bool {
	found := map[*unit]bool{}
	var walk func(*unit)
	walk = func(u *unit) {
		for c := range u.calls {
			if !found[c] {
				found[c] = true
				walk(c)
			}
		}
	}
	walk(u)
	return found
}

// localFunction walks "local function name": name is in scope within.
func (a *analysis) localFunction(name string, f *ast.FunctionExpr) {
	if a.written[name] {
		a.declare(name, unknown)
		a.function(f)
		return
	}
	u := a.unitFor(f)
	a.scope = append(a.scope, local{name: name, kind: aFunction, unit: u})
	a.unit.defines = true
	if u.escaped {
		a.function(f)
		return
	}
	a.walkUnit(u, f)
}

// unitFor returns the unit of f.
func (a *analysis) unitFor(f *ast.FunctionExpr) *unit {
	u := a.units[f]
	if u == nil {
		u = &unit{traits: all}
		if f.ParList != nil {
			u.params = make([]kind, len(f.ParList.Names))
		}
		for i := range u.params {
			u.params[i] = unseen
		}
		a.units[f] = u
	}
	return u
}

// walkUnit walks the body of u's function.
func (a *analysis) walkUnit(u *unit, f *ast.FunctionExpr) {
	outer := a.unit
	a.unit, u.base = u, len(a.scope)
	a.body(f, u.params)
	a.unit = outer
}

// function walks a function that anybody may call. That of a library may be called when other keys have been declared
// than those that its writer sees.
func (a *analysis) function(f *ast.FunctionExpr) {
	a.unit.traits.Straight, a.unit.defines = false, true
	keyBase, callBase, unit := a.keyBase, a.callBase, a.unit
	if a.library {
		a.keyBase, a.callBase, a.unit = len(a.scope), len(a.scope), a.shared
	}
	a.body(f, nil)
	a.keyBase, a.callBase, a.unit = keyBase, callBase, unit
}

// body walks a function's statements with what is known of its parameters.
func (a *analysis) body(f *ast.FunctionExpr, params []kind) {
	n := len(a.scope)
	if f.ParList != nil {
		for i, name := range f.ParList.Names {
			k := unknown
			if i < len(params) {
				k = params[i]
			}
			a.declare(name, k)
		}
	}
	a.declare("self", unknown)
	a.declare("arg", unknown)
	a.block(f.Stmts)
	a.scope = a.scope[:n]
}

// unitOf returns the unit whose function e is, or nil.
func (a *analysis) unitOf(e ast.Expr) *unit {
	id, ok := e.(*ast.IdentExpr)
	if !ok {
		return nil
	}
	if l, ok := a.lookup(id.Value); ok && l.kind == aFunction {
		return l.unit
	}
	return nil
}

// unitCall walks a call of u's function.
func (a *analysis) unitCall(u *unit, args []ast.Expr) {
	a.unit.traits.Straight = false
	if a.unit.calls == nil {
		a.unit.calls = map[*unit]bool{}
	}
	a.unit.calls[u] = true
	for i, e := range args {
		k := a.value(e)
		if k == callAPI || i >= len(u.params) {
			a.lose(k)
		}
		if i == len(args)-1 && multiple(e) {
			for j := i; j < len(u.params); j++ {
				a.learn(u, j, unknown)
			}
			return
		}
		a.learn(u, i, k)
	}
}

// learn notes that an argument of kind k is passed to u.
func (a *analysis) learn(u *unit, param int, k kind) {
	if param >= len(u.params) || k == unseen || u.params[param] == k || u.params[param] == unknown {
		return
	}
	if u.params[param] != unseen {
		k = unknown
	}
	u.params[param] = k
	a.changed = true
}

// escape notes that u's function is passed on.
func (a *analysis) escape(u *unit) {
	if u.escaped {
		return
	}
	u.escaped, a.changed = true, true
	for i := range u.params {
		a.learn(u, i, unknown)
	}
}

// outsideCall looks at a call of a function that may be any.
func (a *analysis) outsideCall(f ast.Expr) {
	switch f := f.(type) {
	case *ast.IdentExpr:
		if a.isGlobal(f.Value) {
			return
		}
	case *ast.AttrGetExpr:
		if id, ok := f.Object.(*ast.IdentExpr); ok && a.isGlobal(id.Value) {
			return
		}
	}
	if a.library {
		a.unit.traits.Straight = false
	}
}

// isRegister tells whether e is redis.register_function.
func (a *analysis) isRegister(e ast.Expr) bool {
	f, ok := e.(*ast.AttrGetExpr)
	if !ok || !a.library {
		return false
	}
	id, ok := f.Object.(*ast.IdentExpr)
	name, ok2 := f.Key.(*ast.StringExpr)
	return ok && ok2 && id.Value == "redis" && name.Value == "register_function" && a.isGlobal("redis")
}

// register walks the arguments of redis.register_function.
func (a *analysis) register(args []ast.Expr) {
	var name, callback ast.Expr
	switch len(args) {
	case 1:
		t, ok := args[0].(*ast.TableExpr)
		if !ok {
			break
		}
		for _, f := range t.Fields {
			key, ok := f.Key.(*ast.StringExpr)
			switch {
			case !ok:
				a.dynamic = true
				a.expr(f.Value)
			case strings.EqualFold(key.Value, "function_name"):
				name = f.Value
			case strings.EqualFold(key.Value, "callback"):
				callback = f.Value
			default:
				a.expr(f.Value)
			}
		}
	case 2:
		name, callback = args[0], args[1]
	}
	text, ok := name.(*ast.StringExpr)
	u := a.callback(callback)
	if !ok || u == nil {
		a.dynamic = true
		return
	}
	to := strings.ToLower(text.Value)
	a.registered[to] = append(a.registered[to], u)
}

// callback returns the unit of a function that is called with keys and arguments, or nil if it is not clear which it is.
func (a *analysis) callback(e ast.Expr) *unit {
	switch e := e.(type) {
	case *ast.FunctionExpr:
		u := a.unitFor(e)
		a.learn(u, 0, keysTable)
		a.learn(u, 1, argsTable)
		keyBase, callBase := a.keyBase, a.callBase
		a.keyBase = len(a.scope)
		a.walkUnit(u, e)
		a.keyBase, a.callBase = keyBase, callBase
		return u
	case *ast.IdentExpr:
		if u := a.unitOf(e); u != nil && !u.escaped {
			a.learn(u, 0, keysTable)
			a.learn(u, 1, argsTable)
			return u
		}
	}
	return nil
}
