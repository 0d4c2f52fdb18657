package lualib

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/ast"
	"github.com/yuin/gopher-lua/parse"
)

// Names of globals that no script can write in its source.
const (
	hiddenPrefix  = "\x00"
	hiddenConcat  = hiddenPrefix + "concat"
	hiddenGlobals = hiddenPrefix + "globals"
	hiddenNumber  = hiddenPrefix + "number"
	hiddenIpairs  = hiddenPrefix + "ipairs"
	hiddenTrim    = hiddenPrefix + "trim"
)

const (
	// maxLevels is how deep expressions and blocks nest in Lua.
	maxLevels = 200
	// maxDepth bounds the depth of the syntax tree, where a chain of left-associative
	// operators is deep too: the compiler's recursion takes Go stack.
	maxDepth = 20000
	// maxOperands of one call of the hidden concatenation: registers are few.
	maxOperands = 50
)

// Compile parses and compiles a chunk; name stands in its error messages. The result may be
// used in several states. An error has the message that Lua would give, after its
// position.
func Compile(source, name string) (*lua.FunctionProto, error) {
	return CompileChecked(source, name, func([]ast.Stmt) {})
}

// CompileChecked is Compile with a look at the rewritten syntax tree, whose depth is bounded, before it is compiled.
// look may change it.
func CompileChecked(source, name string, look func([]ast.Stmt)) (proto *lua.FunctionProto, err error) {
	if message := checkSyntax(source, name); message != "" {
		return nil, errors.New(message)
	}
	defer func() {
		if r := recover(); r != nil {
			proto, err = nil, compileError(r, source, name)
		}
	}()
	chunk, err := parse.Parse(strings.NewReader(source), name)
	if err != nil {
		return nil, compileError(err, source, name)
	}
	r := rewriter{name: name}
	chunk = r.block(chunk)
	look(chunk)
	proto, err = lua.Compile(chunk, name)
	if err != nil {
		return nil, compileError(err, source, name)
	}
	return proto, nil
}

// compileError puts what parser and compiler report into Lua's form.
func compileError(problem any, source, name string) error {
	var syntax *parse.Error
	var compile *lua.CompileError
	err, ok := problem.(error)
	switch {
	case !ok:
		return fmt.Errorf("%v", problem)
	case errors.As(err, &syntax):
		line, token := syntax.Pos.Line, syntax.Token
		if line < 1 || token == "" {
			line, token = strings.Count(strings.TrimRight(source, " \t\r\n"), "\n")+1, "<eof>"
		}
		return fmt.Errorf("%s:%d: %s near '%s'", name, line, strings.TrimSpace(syntax.Message), token)
	case errors.As(err, &compile):
		return fmt.Errorf("%s:%d: %s", name, compile.Line, compile.Message)
	}
	return err
}

// rewriter walks a chunk and changes it as the package comment says.
type rewriter struct {
	name   string
	scope  *scope
	levels int
	depth  int
}

// scope holds the local variables of a block.
type scope struct {
	names  []string
	parent *scope
}

func (s *scope) isLocal(name string) bool {
	for ; s != nil; s = s.parent {
		for _, n := range s.names {
			if n == name {
				return true
			}
		}
	}
	return false
}

func (r *rewriter) open(names ...string) { r.scope = &scope{names: names, parent: r.scope} }
func (r *rewriter) close()               { r.scope = r.scope.parent }

// declare adds local variables to the block.
func (r *rewriter) declare(names ...string) { r.scope.names = append(r.scope.names, names...) }

func (r *rewriter) fail(node ast.PositionHolder, message string) {
	panic(fmt.Errorf("%s:%d: %s", r.name, node.Line(), message))
}

// nest counts the levels of syntax around node.
func (r *rewriter) nest(node ast.PositionHolder) {
	r.levels++
	if r.levels > maxLevels {
		r.fail(node, "chunk has too many syntax levels")
	}
}

// function declares what the compiler does: a function with "..." that is no chunk has a
// local variable arg.
func (r *rewriter) function(f *ast.FunctionExpr, self ...string) {
	r.open(self...)
	r.declare(f.ParList.Names...)
	if f.ParList.HasVargs {
		r.declare("arg")
	}
	f.Stmts = r.statements(f.Stmts)
	r.close()
}

func (r *rewriter) block(body []ast.Stmt, names ...string) []ast.Stmt {
	r.open(names...)
	body = r.statements(body)
	r.close()
	return body
}

// statements rewrites a block, which grows if there are trims to be added.
func (r *rewriter) statements(body []ast.Stmt) []ast.Stmt {
	for i := 0; i < len(body); i++ {
		s := body[i]
		r.nest(s)
		trim := r.trim(s)
		r.statement(s)
		r.levels--
		if trim != nil {
			i++
			body = slices.Insert(body, i, trim)
		}
	}
	return body
}

// trim returns a call that shortens the array of t after an assignment t[i] = nil, or nil if s is none.
func (r *rewriter) trim(s ast.Stmt) ast.Stmt {
	a, ok := s.(*ast.AssignStmt)
	if !ok || len(a.Lhs) != 1 || len(a.Rhs) != 1 {
		return nil
	}
	field, ok := a.Lhs[0].(*ast.AttrGetExpr)
	_, none := a.Rhs[0].(*ast.NilExpr)
	if !ok || !none || !isPlain(field.Object) {
		return nil
	}
	args := []ast.Expr{copyPlain(field.Object)}
	switch key := field.Key.(type) {
	case *ast.UnaryLenOpExpr, *ast.ArithmeticOpExpr:
	case *ast.IdentExpr:
		args = append(args, copyPlain(key))
	default:
		return nil
	}
	call := hiddenCall(field, hiddenTrim, args).(*ast.FuncCallExpr)
	call.AdjustRet = false
	trim := &ast.FuncCallStmt{Expr: call}
	at(field, trim)
	return trim
}

// isPlain tells whether e is a variable, or a field of one, such as self.items.
func isPlain(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.IdentExpr:
		return true
	case *ast.AttrGetExpr:
		_, ok := e.Key.(*ast.StringExpr)
		return ok && isPlain(e.Object)
	}
	return false
}

func copyPlain(e ast.Expr) ast.Expr {
	var c ast.Expr
	switch e := e.(type) {
	case *ast.IdentExpr:
		c = &ast.IdentExpr{Value: e.Value}
	case *ast.AttrGetExpr:
		c = &ast.AttrGetExpr{Object: copyPlain(e.Object), Key: e.Key}
	}
	at(e, c)
	return c
}

func (r *rewriter) statement(s ast.Stmt) {
	switch s := s.(type) {
	case *ast.AssignStmt:
		r.expressions(s.Rhs)
		for i := range s.Lhs {
			s.Lhs[i] = r.target(s.Lhs[i])
		}
	case *ast.LocalAssignStmt:
		r.localAssign(s)
	case *ast.FuncCallStmt:
		s.Expr = r.expression(s.Expr)
	case *ast.DoBlockStmt:
		s.Stmts = r.block(s.Stmts)
	case *ast.WhileStmt:
		s.Condition = r.expression(s.Condition)
		s.Stmts = r.block(s.Stmts)
	case *ast.RepeatStmt:
		r.open()
		s.Stmts = r.statements(s.Stmts)
		s.Condition = r.expression(s.Condition)
		r.close()
	case *ast.IfStmt:
		r.ifStatement(s)
	case *ast.NumberForStmt:
		s.Init, s.Limit, s.Step = r.bound(s.Init), r.bound(s.Limit), r.bound(s.Step)
		s.Stmts = r.block(s.Stmts, s.Name)
	case *ast.GenericForStmt:
		r.expressions(s.Exprs)
		s.Exprs = threeValues(s.Exprs)
		s.Stmts = r.block(s.Stmts, s.Names...)
	case *ast.FuncDefStmt:
		r.functionDefinition(s)
	case *ast.ReturnStmt:
		r.expressions(s.Exprs)
	case *ast.LabelStmt:
		r.fail(s, "unexpected symbol near '::'")
	case *ast.GotoStmt:
		r.fail(s, "'=' expected near '"+s.Label+"'")
	}
}

// localAssign declares the name of a function before its body, like gopher-lua's compiler.
func (r *rewriter) localAssign(s *ast.LocalAssignStmt) {
	if len(s.Names) == 1 && len(s.Exprs) == 1 {
		if _, ok := s.Exprs[0].(*ast.FunctionExpr); ok {
			r.declare(s.Names[0])
			s.Exprs[0] = r.expression(s.Exprs[0])
			return
		}
	}
	r.expressions(s.Exprs)
	r.declare(s.Names...)
}

// ifStatement walks a chain of elseif without nesting.
func (r *rewriter) ifStatement(s *ast.IfStmt) {
	for depth := 0; ; depth++ {
		if depth > maxDepth {
			r.fail(s, "function or expression too complex")
		}
		s.Condition = r.expression(s.Condition)
		s.Then = r.block(s.Then)
		if len(s.Else) == 1 {
			if next, ok := s.Else[0].(*ast.IfStmt); ok {
				s = next
				continue
			}
		}
		s.Else = r.block(s.Else)
		return
	}
}

func (r *rewriter) functionDefinition(s *ast.FuncDefStmt) {
	if s.Name.Func != nil {
		s.Name.Func = r.target(s.Name.Func)
		r.function(s.Func)
	} else {
		s.Name.Receiver = r.expression(s.Name.Receiver)
		r.function(s.Func, "self")
	}
}

// target rewrites an assigned expression: a global becomes a field of the read-only view.
func (r *rewriter) target(e ast.Expr) ast.Expr {
	name, ok := e.(*ast.IdentExpr)
	if !ok {
		return r.expression(e)
	}
	if r.scope.isLocal(name.Value) {
		return e
	}
	globals := &ast.IdentExpr{Value: hiddenGlobals}
	key := &ast.StringExpr{Value: name.Value}
	field := &ast.AttrGetExpr{Object: globals, Key: key}
	at(e, globals, key, field)
	return field
}

// at gives new nodes the position of the one they replace.
func at(place ast.PositionHolder, nodes ...ast.PositionHolder) {
	for _, n := range nodes {
		n.SetLine(place.Line())
		n.SetLastLine(place.LastLine())
	}
}

func (r *rewriter) expressions(list []ast.Expr) {
	for i := range list {
		list[i] = r.expression(list[i])
	}
}

// threeValues adds the values that a generic loop has but its list does not give: the
// interpreter takes what is in the registers.
func threeValues(list []ast.Expr) []ast.Expr {
	last := list[len(list)-1]
	switch last.(type) {
	case *ast.FuncCallExpr, *ast.Comma3Expr:
		return list
	}
	for len(list) < 3 {
		none := &ast.NilExpr{}
		at(last, none)
		list = append(list, none)
	}
	return list
}

// bound is a bound of a loop: the interpreter wants numbers, Lua takes strings too.
func (r *rewriter) bound(e ast.Expr) ast.Expr {
	if e == nil {
		return nil
	}
	e = r.inner(e)
	switch e.(type) {
	case *ast.NumberExpr, *ast.ArithmeticOpExpr, *ast.UnaryLenOpExpr, *ast.UnaryMinusOpExpr:
		return e
	}
	return hiddenCall(e, hiddenNumber, []ast.Expr{e})
}

// inner is expression one level of syntax deeper.
func (r *rewriter) inner(e ast.Expr) ast.Expr {
	if e == nil {
		return nil
	}
	r.nest(e)
	e = r.expression(e)
	r.levels--
	return e
}

func (r *rewriter) expression(e ast.Expr) ast.Expr {
	r.depth++
	if r.depth > maxDepth {
		r.fail(e, "function or expression too complex")
	}
	e = r.rewrite(e)
	r.depth--
	return e
}

func (r *rewriter) rewrite(e ast.Expr) ast.Expr {
	switch e := e.(type) {
	case *ast.NumberExpr:
		e.Value = decimal(e.Value)
	case *ast.AttrGetExpr:
		e.Object = r.expression(e.Object)
		e.Key = r.inner(e.Key)
	case *ast.TableExpr:
		for _, f := range e.Fields {
			if f.Key != nil {
				f.Key = r.inner(f.Key)
			}
			f.Value = r.inner(f.Value)
		}
	case *ast.FuncCallExpr:
		if e.Func != nil {
			e.Func = r.expression(e.Func)
		} else {
			e.Receiver = r.expression(e.Receiver)
		}
		for i := range e.Args {
			e.Args[i] = r.inner(e.Args[i])
		}
	case *ast.LogicalOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.inner(e.Rhs)
	case *ast.RelationalOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.inner(e.Rhs)
	case *ast.ArithmeticOpExpr:
		e.Lhs, e.Rhs = r.expression(e.Lhs), r.inner(e.Rhs)
	case *ast.StringConcatOpExpr:
		return r.concatenation(e)
	case *ast.UnaryMinusOpExpr:
		e.Expr = r.inner(e.Expr)
	case *ast.UnaryNotOpExpr:
		e.Expr = r.inner(e.Expr)
	case *ast.UnaryLenOpExpr:
		e.Expr = r.inner(e.Expr)
	case *ast.FunctionExpr:
		r.nest(e)
		r.function(e)
		r.levels--
	}
	return e
}

// decimal removes zeros in front of a decimal number.
func decimal(number string) string {
	for len(number) > 1 && number[0] == '0' && '0' <= number[1] && number[1] <= '9' {
		number = number[1:]
	}
	return number
}

// concatenation makes a call of the operands of a chain of "..".
func (r *rewriter) concatenation(e *ast.StringConcatOpExpr) ast.Expr {
	operands := []ast.Expr{r.inner(e.Lhs)}
	last := e.Rhs
	for {
		chain, ok := last.(*ast.StringConcatOpExpr)
		if !ok {
			break
		}
		operands = append(operands, r.inner(chain.Lhs))
		if len(operands) > maxLevels {
			r.fail(e, "chunk has too many syntax levels")
		}
		last = chain.Rhs
	}
	operands = append(operands, r.inner(last))
	for len(operands) > maxOperands {
		cut := len(operands) - maxOperands
		operands = append(operands[:cut], hiddenCall(e, hiddenConcat, operands[cut:]))
	}
	return hiddenCall(e, hiddenConcat, operands)
}

// hiddenCall calls a hidden function. The last operand must give one value.
func hiddenCall(place ast.Expr, name string, operands []ast.Expr) ast.Expr {
	switch last := operands[len(operands)-1].(type) {
	case *ast.FuncCallExpr:
		last.AdjustRet = true
	case *ast.Comma3Expr:
		last.AdjustRet = true
	}
	f := &ast.IdentExpr{Value: name}
	call := &ast.FuncCallExpr{Func: f, Args: append([]ast.Expr(nil), operands...), AdjustRet: true}
	at(place, f, call)
	return call
}
