package lualib

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// sorter is the quicksort of Lua 5.1. Equal elements end where Lua would put them: scripts
// whose order function is not total get the same result.
type sorter struct {
	env *Env
	l   *lua.LState
	t   *lua.LTable
	f   lua.LValue
	n   int // comparisons since the last interrupt
}

func (e *Env) tableSort(l *lua.LState) int {
	t := auxlib.CheckTable(l, 1)
	f := l.Get(2)
	if f != lua.LNil {
		auxlib.CheckFunction(l, 2)
	}
	n := t.Len()
	if n < 2 {
		return 0
	}
	s := sorter{env: e, l: l, t: t, f: f}
	s.sort(1, n)
	return 0
}

func (s *sorter) get(i int) lua.LValue    { return s.t.RawGetInt(i) }
func (s *sorter) set(i int, v lua.LValue) { s.t.RawSetInt(i, v) }
func (s *sorter) swap(i, j int)           { a, b := s.get(i), s.get(j); s.set(i, b); s.set(j, a) }
func (s *sorter) lessAt(i, j int) bool    { return s.less(s.get(i), s.get(j)) }
func (s *sorter) order(i, j int) (did bool) {
	if did = s.lessAt(j, i); did {
		s.swap(i, j)
	}
	return did
}

func (s *sorter) less(a, b lua.LValue) bool {
	if s.n++; s.n >= interruptSteps {
		s.n = 0
		s.env.interrupt(s.l)
	}
	if s.f == lua.LNil {
		x, okX := a.(lua.LNumber)
		y, okY := b.(lua.LNumber)
		if okX && okY {
			return x < y
		}
		return s.lessValue(a, b)
	}
	l := s.l
	s.env.enter(l)
	l.Push(s.f)
	l.Push(a)
	l.Push(b)
	l.Call(2, 1)
	s.env.leave()
	result := l.Get(-1)
	l.Pop(1)
	return lua.LVAsBool(result)
}

func (s *sorter) lessValue(a, b lua.LValue) bool {
	x, okX := a.(lua.LString)
	y, okY := b.(lua.LString)
	if okX && okY {
		return x < y
	}
	kind, other := a.Type(), b.Type()
	if kind != other {
		auxlib.Error(s.l, "attempt to compare "+kind.String()+" with "+other.String())
	}
	if f := s.l.GetMetaField(a, "__lt"); f == lua.LNil || f != s.l.GetMetaField(b, "__lt") {
		auxlib.Error(s.l, "attempt to compare two "+kind.String()+" values")
	}
	return s.l.LessThan(a, b)
}

// sort orders the elements from low to high. The smaller part is sorted by recursion, so
// its depth is logarithmic.
func (s *sorter) sort(low, high int) {
	for low < high {
		s.order(low, high)
		if high-low == 1 {
			return
		}
		middle := int(uint(low+high) / 2)
		if !s.order(low, middle) {
			s.order(middle, high)
		}
		if high-low == 2 {
			return
		}
		pivot := s.get(middle)
		s.swap(middle, high-1)
		split := s.partition(low, high, pivot)
		s.swap(high-1, split)
		if split-low < high-split {
			s.sort(low, split-1)
			low = split + 1
		} else {
			s.sort(split+1, high)
			high = split - 1
		}
	}
}

// partition moves what is less than pivot to the left, and returns where pivot belongs. An
// order function without sense leads out of the range, which is an error.
func (s *sorter) partition(low, high int, pivot lua.LValue) int {
	i, j := low, high-1
	for {
		for i++; s.less(s.get(i), pivot); i++ {
			if i > high {
				auxlib.Errorf(s.l, "invalid order function for sorting")
			}
		}
		for j--; s.less(pivot, s.get(j)); j-- {
			if j < low {
				auxlib.Errorf(s.l, "invalid order function for sorting")
			}
		}
		if j < i {
			return i
		}
		s.swap(i, j)
	}
}
