package script

import "github.com/yuin/gopher-lua/ast"

// visit calls f for all statements, those of functions included.
func visit(stmts []ast.Stmt, f func(ast.Stmt)) {
	for _, s := range stmts {
		f(s)
		switch s := s.(type) {
		case *ast.AssignStmt:
			visitExprs(s.Lhs, f)
			visitExprs(s.Rhs, f)
		case *ast.LocalAssignStmt:
			visitExprs(s.Exprs, f)
		case *ast.FuncCallStmt:
			visitExpr(s.Expr, f)
		case *ast.DoBlockStmt:
			visit(s.Stmts, f)
		case *ast.WhileStmt:
			visitExpr(s.Condition, f)
			visit(s.Stmts, f)
		case *ast.RepeatStmt:
			visitExpr(s.Condition, f)
			visit(s.Stmts, f)
		case *ast.IfStmt:
			visitExpr(s.Condition, f)
			visit(s.Then, f)
			visit(s.Else, f)
		case *ast.NumberForStmt:
			visitExprs([]ast.Expr{s.Init, s.Limit, s.Step}, f)
			visit(s.Stmts, f)
		case *ast.GenericForStmt:
			visitExprs(s.Exprs, f)
			visit(s.Stmts, f)
		case *ast.FuncDefStmt:
			visit(s.Func.Stmts, f)
		case *ast.ReturnStmt:
			visitExprs(s.Exprs, f)
		}
	}
}

func visitExprs(list []ast.Expr, f func(ast.Stmt)) {
	for _, e := range list {
		visitExpr(e, f)
	}
}

// visitExpr visits the statements of the functions in an expression.
func visitExpr(e ast.Expr, f func(ast.Stmt)) {
	switch e := e.(type) {
	case *ast.AttrGetExpr:
		visitExpr(e.Object, f)
		visitExpr(e.Key, f)
	case *ast.TableExpr:
		for _, field := range e.Fields {
			visitExpr(field.Key, f)
			visitExpr(field.Value, f)
		}
	case *ast.FuncCallExpr:
		visitExpr(e.Func, f)
		visitExpr(e.Receiver, f)
		visitExprs(e.Args, f)
	case *ast.LogicalOpExpr:
		visitExprs([]ast.Expr{e.Lhs, e.Rhs}, f)
	case *ast.RelationalOpExpr:
		visitExprs([]ast.Expr{e.Lhs, e.Rhs}, f)
	case *ast.StringConcatOpExpr:
		visitExprs([]ast.Expr{e.Lhs, e.Rhs}, f)
	case *ast.ArithmeticOpExpr:
		visitExprs([]ast.Expr{e.Lhs, e.Rhs}, f)
	case *ast.UnaryMinusOpExpr:
		visitExpr(e.Expr, f)
	case *ast.UnaryNotOpExpr:
		visitExpr(e.Expr, f)
	case *ast.UnaryLenOpExpr:
		visitExpr(e.Expr, f)
	case *ast.FunctionExpr:
		visit(e.Stmts, f)
	}
}
