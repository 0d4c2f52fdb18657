package script

import "strings"

// luaWords words an error of gopher-lua as Lua 5.1 does, as far as it can be told.
func luaWords(s string) string {
	for _, p := range wordings {
		if at := strings.Index(s, p.from); at >= 0 {
			return s[:at] + p.words(s[at+len(p.from):])
		}
	}
	return s
}

// wordings are the messages that differ: how gopher-lua's begin, and what stands for all of them given the rest.
var wordings = []struct {
	from  string
	words func(rest string) string
}{
	{"attempt to call a non-function object", func(string) string { return "attempt to call a nil value" }},
	{"attempt to index a non-table object(", func(rest string) string {
		kind, _, _ := strings.Cut(rest, ")")
		return "attempt to index a " + kind + " value"
	}},
	{"cannot perform ", func(rest string) string {
		op, operands, _ := strings.Cut(rest, " operation between ")
		left, right, _ := strings.Cut(operands, " and ")
		kind := left
		if left == "number" || op == "concat" && left == "string" {
			kind = right
		}
		if op == "concat" {
			return "attempt to concatenate a " + kind + " value"
		}
		return "attempt to perform arithmetic on a " + kind + " value"
	}},
	{"__unm undefined", func(string) string { return "attempt to perform arithmetic on a nil value" }},
	{"__len undefined", func(string) string { return "attempt to get length of a nil value" }},
	{"lua callstack overflow", func(string) string { return "stack overflow" }},
	{"registry overflow", func(string) string { return "stack overflow" }},
	{"for statement init must be a number", func(string) string { return "'for' initial value must be a number" }},
	{"for statement limit must be a number", func(string) string { return "'for' limit must be a number" }},
	{"for statement step must be a number", func(string) string { return "'for' step must be a number" }},
}
