package lualib

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/shoaldb/shoal/script/lualib/auxlib"
)

// rand48 is the generator of POSIX drand48: x' = a*x + c modulo 2^48.
type rand48 uint64

const (
	rand48Multiplier = 0x5DEECE66D
	rand48Increment  = 0xB
	rand48Mask       = 1<<48 - 1
	rand48Low        = 0x330E                     // the low 16 bits of a seeded state
	rand48Start      = 0x1234ABCD<<16 | rand48Low // before a seed is set
)

func (r *rand48) seed(seed int32) { *r = rand48(uint64(uint32(seed))<<16 | rand48Low) }

// next returns 31 random bits.
func (r *rand48) next() int32 {
	*r = (*r*rand48Multiplier + rand48Increment) & rand48Mask
	return int32(*r >> 17)
}

func (e *Env) openMath() {
	t := e.main.NewTable()
	for name, f := range map[string]func(float64) float64{
		"abs": math.Abs, "acos": math.Acos, "asin": math.Asin, "atan": math.Atan,
		"ceil": math.Ceil, "cos": math.Cos, "cosh": math.Cosh, "exp": math.Exp,
		"floor": math.Floor, "log": ofPositive(math.Log), "log10": ofPositive(math.Log10), "sin": math.Sin,
		"sinh": math.Sinh, "sqrt": math.Sqrt, "tan": math.Tan, "tanh": math.Tanh,
		"deg": func(x float64) float64 { return x / (math.Pi / 180) },
		"rad": func(x float64) float64 { return x * (math.Pi / 180) },
	} {
		t.RawSetString(name, e.main.NewFunction(func(l *lua.LState) int {
			l.Push(lua.LNumber(f(auxlib.CheckNumber(l, 1))))
			return 1
		}))
	}
	for name, f := range map[string]func(x, y float64) float64{
		"atan2": math.Atan2, "fmod": fmod, "mod": fmod, "pow": math.Pow,
	} {
		t.RawSetString(name, e.main.NewFunction(func(l *lua.LState) int {
			x := auxlib.CheckNumber(l, 1)
			l.Push(lua.LNumber(f(x, auxlib.CheckNumber(l, 2))))
			return 1
		}))
	}
	setFunctions(e.main, t, map[string]lua.LGFunction{
		"frexp": frexp, "ldexp": ldexp, "max": mathMax, "min": mathMin, "modf": modf,
		"random": e.mathRandom, "randomseed": e.mathRandomSeed,
	})
	t.RawSetString("pi", lua.LNumber(math.Pi))
	t.RawSetString("huge", lua.LNumber(math.Inf(1)))
	e.Globals.RawSetString("math", e.Protect(t))
}

// ofPositive gives f C's result for negative numbers, NaN with a sign.
func ofPositive(f func(float64) float64) func(float64) float64 {
	return func(x float64) float64 {
		if x < 0 {
			return math.Copysign(math.NaN(), -1)
		}
		return f(x)
	}
}

// fmod is math.Mod, with C's sign of NaN on x86.
func fmod(x, y float64) float64 {
	r := math.Mod(x, y)
	if math.IsNaN(r) && !math.IsNaN(x) && !math.IsNaN(y) {
		return math.Copysign(r, -1)
	}
	return r
}

func frexp(l *lua.LState) int {
	fraction, exponent := math.Frexp(auxlib.CheckNumber(l, 1))
	l.Push(lua.LNumber(fraction))
	l.Push(lua.LNumber(exponent))
	return 2
}

func ldexp(l *lua.LState) int {
	x := auxlib.CheckNumber(l, 1)
	l.Push(lua.LNumber(math.Ldexp(x, auxlib.CheckInt(l, 2))))
	return 1
}

func mathMax(l *lua.LState) int {
	m := auxlib.CheckNumber(l, 1)
	for i := 2; i <= l.GetTop(); i++ {
		if x := auxlib.CheckNumber(l, i); x > m {
			m = x
		}
	}
	l.Push(lua.LNumber(m))
	return 1
}

func mathMin(l *lua.LState) int {
	m := auxlib.CheckNumber(l, 1)
	for i := 2; i <= l.GetTop(); i++ {
		if x := auxlib.CheckNumber(l, i); x < m {
			m = x
		}
	}
	l.Push(lua.LNumber(m))
	return 1
}

func modf(l *lua.LState) int {
	x := auxlib.CheckNumber(l, 1)
	whole, fraction := math.Trunc(x), math.Copysign(0, x)
	if !math.IsInf(x, 0) {
		fraction = math.Copysign(x-whole, x)
	}
	l.Push(lua.LNumber(whole))
	l.Push(lua.LNumber(fraction))
	return 2
}

// mathRandom is redis' math.random: the same numbers for the same seed everywhere. Like
// redis, one script goes on where the last one left the generator.
func (e *Env) mathRandom(l *lua.LState) int {
	r := float64(e.random.next()%math.MaxInt32) / math.MaxInt32
	switch l.GetTop() {
	case 0:
		l.Push(lua.LNumber(r))
	case 1:
		high := auxlib.CheckInt(l, 1)
		if high < 1 {
			auxlib.ArgError(l, 1, "interval is empty")
		}
		l.Push(lua.LNumber(math.Floor(r*float64(high)) + 1))
	case 2:
		low := auxlib.CheckInt(l, 1)
		high := auxlib.CheckInt(l, 2)
		if low > high {
			auxlib.ArgError(l, 2, "interval is empty")
		}
		l.Push(lua.LNumber(math.Floor(r*float64(int32(high-low+1))) + float64(low)))
	default:
		auxlib.Errorf(l, "wrong number of arguments")
	}
	return 1
}

func (e *Env) mathRandomSeed(l *lua.LState) int {
	e.random.seed(int32(auxlib.CheckInt(l, 1)))
	return 0
}
