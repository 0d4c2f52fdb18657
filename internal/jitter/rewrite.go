package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
)

// meeting are the names of functions and methods whose calls others notice: those of package sync, of atomics, conns, files and
// reactors, of the log, and some of our own.
var meeting = strings.Fields(`
	Lock Unlock RLock RUnlock TryLock Wait Done Signal Broadcast
	Load Store Add And Or Swap CompareAndSwap
	Read Write WriteAt Sync Rename Remove Create Open Close
	Noticef Warningf Verbosef Post NextTurn Wake TickWithin
	call close ended fail finish publish put set take wake`)

// rewrite puts a pause before each statement of a file at which goroutines meet, and returns how many these are; the first has
// the number first. Lines keep their numbers.
func rewrite(src []byte, first int) (changed []byte, n int, err error) {
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, "", src, parser.ParseComments)
	if err != nil {
		return nil, 0, err
	}
	var at []int // offsets of the statements
	add := func(list []ast.Stmt) {
		for _, s := range list {
			if meets(s) {
				at = append(at, set.Position(s.Pos()).Offset)
			}
		}
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && !bare(f) {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BlockStmt:
					add(n.List)
				case *ast.CaseClause:
					add(n.Body)
				case *ast.CommClause:
					add(n.Body)
				}
				return true
			})
		}
	}
	slices.Sort(at)
	last := set.Position(file.Name.End()).Offset
	changed = append(changed, src[:last]...)
	if len(at) > 0 {
		changed = append(changed, `; import jitter "github.com/shoaldb/shoal/internal/jitter/delay"`...)
	}
	for i, offset := range at {
		changed = fmt.Appendf(append(changed, src[last:offset]...), "jitter.At(%d); ", first+i)
		last = offset
	}
	return append(changed, src[last:]...), len(at), nil
}

// bare tells whether a function must not call others.
func bare(f *ast.FuncDecl) bool {
	nosplit := func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:nosplit") }
	return f.Doc != nil && slices.ContainsFunc(f.Doc.List, nosplit)
}

// meets tells whether others notice a statement, not counting the blocks in it.
func meets(s ast.Stmt) (yes bool) {
	switch s.(type) {
	case *ast.BlockStmt, *ast.LabeledStmt:
		return false
	case *ast.GoStmt, *ast.SendStmt, *ast.SelectStmt:
		return true
	}
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt, *ast.FuncLit, *ast.CaseClause, *ast.CommClause:
			return false
		case *ast.UnaryExpr:
			yes = yes || n.Op == token.ARROW
		case *ast.CallExpr:
			switch f := n.Fun.(type) {
			case *ast.SelectorExpr:
				yes = yes || slices.Contains(meeting, f.Sel.Name)
			case *ast.Ident:
				yes = yes || slices.Contains(meeting, f.Name)
			}
		}
		return true
	})
	return yes
}
