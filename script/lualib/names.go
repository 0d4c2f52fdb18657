package lualib

import (
	lua "github.com/yuin/gopher-lua"
)

// An operand names the registers of an instruction that an operation takes its operands
// from: B and C may be constants.
type operand byte

const (
	operandA operand = iota
	operandB
	operandC
	operandConcat // counted from the register after A
)

// site looks for the expression that an operator failed on. gopher-lua tells the line of a
// running function but not the instruction, so all instructions of the line that could
// have failed are candidates, and the expression has a name if they agree on it.
type site struct {
	l     *lua.LState
	frame *lua.Debug
	proto *lua.FunctionProto
	fn    *lua.LFunction
	line  int
	name  string
	clash bool
}

// newSite looks at the function that called the running Go function.
func newSite(l *lua.LState) (site, bool) {
	frame, ok := l.GetStack(1)
	if !ok {
		return site{}, false
	}
	value, err := l.GetInfo("fl", frame, lua.LNil)
	fn, isFunction := value.(*lua.LFunction)
	if err != nil || !isFunction || fn.IsG {
		return site{}, false
	}
	return site{l: l, frame: frame, proto: fn.Proto, fn: fn, line: frame.CurrentLine}, true
}

// describe returns "local 'a' (a nil value)", or without a certain name "a nil value".
// where returns which operands of an instruction may be the culprit.
func describe(l *lua.LState, culprit lua.LValue, where func(s *site, pc int) (operand, int, bool)) string {
	text := "a " + culprit.Type().String() + " value"
	s, ok := newSite(l)
	if !ok {
		return text
	}
	for pc := range s.proto.Code {
		if s.proto.DbgSourcePositions[pc] != s.line {
			continue
		}
		if which, i, ok := where(&s, pc); ok {
			s.candidate(pc, which, i, culprit)
		}
	}
	if s.name == "" || s.clash {
		return text
	}
	return s.name + " (" + text + ")"
}

// candidate adds what the name would be if the instruction failed.
func (s *site) candidate(pc int, which operand, i int, culprit lua.LValue) {
	inst := s.proto.Code[pc]
	register := argA(inst)
	switch which {
	case operandB:
		register = argB(inst)
	case operandC:
		register = argC(inst)
	case operandConcat:
		register += 1 + i
	}
	name := ""
	if register < constantBit {
		if label, value := s.l.GetLocal(s.frame, register+1); label != "" && value != culprit {
			return
		}
		if s.isNumber(register, pc) && culprit.Type() != lua.LTNumber {
			return
		}
		name = s.nameOf(register, pc, 0)
	}
	if name == "" || s.name != "" && s.name != name {
		s.clash = true
	}
	s.name = name
}

// isNumber tells whether a register holds the result of an arithmetic operator or of "#".
func (s *site) isNumber(register, pc int) bool {
	if s.local(register, pc) != "" {
		return false
	}
	for i := pc - 1; i >= 0; i-- {
		if inst := s.proto.Code[i]; sets(inst, register) {
			op := opcode(inst)
			return lua.OP_ADD <= op && op <= lua.OP_LEN && op != lua.OP_NOT
		}
	}
	return false
}

// maxMoves bounds the copies between registers that nameOf follows.
const maxMoves = 10

// nameOf returns what was loaded into a register before an instruction.
func (s *site) nameOf(register, pc, moves int) string {
	if name := s.local(register, pc); name != "" {
		return "local '" + name + "'"
	}
	for i := pc - 1; i >= 0 && moves < maxMoves; i-- {
		inst := s.proto.Code[i]
		if !sets(inst, register) {
			continue
		}
		switch opcode(inst) {
		case lua.OP_MOVE:
			return s.nameOf(argB(inst), i, moves+1)
		case lua.OP_GETGLOBAL:
			return "global '" + s.constant(int(inst&0x3ffff)) + "'"
		case lua.OP_GETTABLE, lua.OP_GETTABLEKS:
			return "field '" + s.constantKey(argC(inst)) + "'"
		case lua.OP_SELF:
			if argA(inst) == register {
				return "method '" + s.constantKey(argC(inst)) + "'"
			}
		case lua.OP_GETUPVAL:
			if b := argB(inst); b < len(s.proto.DbgUpvalues) {
				return "upvalue '" + s.proto.DbgUpvalues[b] + "'"
			}
		}
		return ""
	}
	return ""
}

// local returns the name of the local variable that a register is at an instruction.
func (s *site) local(register, pc int) string {
	for _, v := range s.proto.DbgLocals {
		if v.StartPc > pc {
			break
		}
		if pc > v.EndPc {
			continue
		}
		if register == 0 {
			if v.Name[0] == '(' { // of a loop, without a name
				return ""
			}
			return v.Name
		}
		register--
	}
	return ""
}

// sets tells whether an instruction can change a register.
func sets(inst uint32, register int) bool {
	a := argA(inst)
	switch opcode(inst) {
	case lua.OP_SETGLOBAL, lua.OP_SETUPVAL, lua.OP_SETTABLE, lua.OP_SETTABLEKS, lua.OP_JMP,
		lua.OP_EQ, lua.OP_LT, lua.OP_LE, lua.OP_TEST, lua.OP_RETURN, lua.OP_SETLIST, lua.OP_CLOSE, lua.OP_NOP:
		return false
	case lua.OP_LOADNIL:
		return a <= register && register <= argB(inst)
	case lua.OP_SELF:
		return register == a || register == a+1
	case lua.OP_CALL, lua.OP_TAILCALL, lua.OP_VARARG, lua.OP_TFORLOOP, lua.OP_FORLOOP, lua.OP_FORPREP, lua.OP_MOVEN:
		return a <= register
	}
	return a == register
}

// constantBit marks an argument that is a constant.
const constantBit = 1 << 8

func opcode(inst uint32) int { return int(inst >> 26) }
func argA(inst uint32) int   { return int(inst>>18) & 0xff }
func argB(inst uint32) int   { return int(inst & 0x1ff) }
func argC(inst uint32) int   { return int(inst>>9) & 0x1ff }

func (s *site) constant(i int) string {
	if i < len(s.proto.Constants) {
		if text, ok := s.proto.Constants[i].(lua.LString); ok {
			return string(text)
		}
	}
	return "?"
}

// constantKey returns the constant string that an argument is, or "?".
func (s *site) constantKey(arg int) string {
	if arg < constantBit {
		return "?"
	}
	return s.constant(arg - constantBit)
}

// hasKey tells whether an argument, register or constant, is a key.
func (s *site) hasKey(arg int, key lua.LValue) bool {
	if arg >= constantBit {
		i := arg - constantBit
		return i < len(s.proto.Constants) && s.proto.Constants[i] == key
	}
	name, value := s.l.GetLocal(s.frame, arg+1)
	return name == "" || value == key
}

// indexed finds instructions that read or write a key.
func indexed(key lua.LValue, write bool) func(*site, int) (operand, int, bool) {
	return func(s *site, pc int) (operand, int, bool) {
		inst := s.proto.Code[pc]
		switch opcode(inst) {
		case lua.OP_GETTABLE, lua.OP_GETTABLEKS, lua.OP_SELF:
			return operandB, 0, !write && s.hasKey(argC(inst), key)
		case lua.OP_SETTABLE, lua.OP_SETTABLEKS:
			return operandA, 0, write && s.hasKey(argB(inst), key)
		}
		return 0, 0, false
	}
}

// called finds calls that are not those of the hidden functions.
func called(s *site, pc int) (operand, int, bool) {
	inst := s.proto.Code[pc]
	if op := opcode(inst); op != lua.OP_CALL && op != lua.OP_TAILCALL {
		return 0, 0, false
	}
	return operandA, 0, !s.isHiddenCall(pc)
}

func (s *site) isHiddenCall(pc int) bool {
	name := s.nameOf(argA(s.proto.Code[pc]), pc, 0)
	return len(name) > len("global '") && name[len("global '")] == hiddenPrefix[0]
}

// measured finds the operator "#".
func measured(s *site, pc int) (operand, int, bool) {
	return operandB, 0, opcode(s.proto.Code[pc]) == lua.OP_LEN
}

// calculated finds arithmetic operators, of which the left or the right operand failed.
func calculated(left bool, unary bool) func(*site, int) (operand, int, bool) {
	return func(s *site, pc int) (operand, int, bool) {
		switch op := opcode(s.proto.Code[pc]); {
		case op == lua.OP_UNM:
			return operandB, 0, unary
		case op < lua.OP_ADD || op > lua.OP_POW || unary:
			return 0, 0, false
		}
		if left {
			return operandB, 0, true
		}
		return operandC, 0, true
	}
}

// concatenated finds calls of the hidden concatenation, of which operand i failed.
func concatenated(i int) func(*site, int) (operand, int, bool) {
	return func(s *site, pc int) (operand, int, bool) {
		return operandConcat, i, opcode(s.proto.Code[pc]) == lua.OP_CALL &&
			s.nameOf(argA(s.proto.Code[pc]), pc, 0) == "global '"+hiddenConcat+"'"
	}
}
