error("x")
    -ERR user_script:1: x
error("x",0)
    -ERR x
error("x",1)
    -ERR user_script:1: x
error("x",2)
    -ERR x
error({err="a"})
    -a
error({err="My Err"},2)
    -My Err
local a=nil; a.b=1
    -ERR user_script:1: attempt to index local 'a' (a nil value)
local a=nil; return a.b.c
    -ERR user_script:1: attempt to index local 'a' (a nil value)
return 1 ..{}
    -ERR user_script:1: attempt to concatenate a table value
local a return a..'x'
    -ERR user_script:1: attempt to concatenate local 'a' (a nil value)
local a={} return a.x..'x'
    -ERR user_script:1: attempt to concatenate field 'x' (a nil value)
local a return a+1
    -ERR user_script:1: attempt to perform arithmetic on local 'a' (a nil value)
local a={} return a.b+1
    -ERR user_script:1: attempt to perform arithmetic on field 'b' (a nil value)
local a={} a.b()
    -ERR user_script:1: attempt to call field 'b' (a nil value)
local a={} a:b()
    -ERR user_script:1: attempt to call method 'b' (a nil value)
local a a()
    -ERR user_script:1: attempt to call local 'a' (a nil value)
foo()
    -ERR user_script:1: Script attempted to access nonexistent global variable 'foo'
("x")()
    -ERR user_script:1: attempt to call a string value
return #nil
    -ERR user_script:1: attempt to get length of a nil value
local a return #a
    -ERR user_script:1: attempt to get length of local 'a' (a nil value)
return {}<{}
    -ERR user_script:1: attempt to compare two table values
return {}<1
    -ERR user_script:1: attempt to compare table with number
return 1<"1"
    -ERR user_script:1: attempt to compare number with string
return nil<1
    -ERR user_script:1: attempt to compare nil with number
return {}<={}
    -ERR user_script:1: attempt to compare two table values
return 1<="x"
    -ERR user_script:1: attempt to compare number with string
return true<false
    -ERR user_script:1: attempt to compare two boolean values
return {}>{}
    -ERR user_script:1: attempt to compare two table values
local f=function() end return f<f
    -ERR user_script:1: attempt to compare two function values
for i='a',1 do end
    -ERR user_script:1: 'for' initial value must be a number
for i=1,'a' do end
    -ERR user_script:1: 'for' limit must be a number
for i=1,1,{} do end
    -ERR user_script:1: 'for' step must be a number
return -{}
    -ERR user_script:1: attempt to perform arithmetic on a table value
return -"a"
    -ERR user_script:1: attempt to perform arithmetic on a string value
return {}+{}
    -ERR user_script:1: attempt to perform arithmetic on a table value
return {}+1
    -ERR user_script:1: attempt to perform arithmetic on a table value
return 1+{}
    -ERR user_script:1: attempt to perform arithmetic on a table value
return nil+1
    -ERR user_script:1: attempt to perform arithmetic on a nil value
return "a"+1
    -ERR user_script:1: attempt to perform arithmetic on a string value
return 1+"a"
    -ERR user_script:1: attempt to perform arithmetic on a string value
return true*2
    -ERR user_script:1: attempt to perform arithmetic on a boolean value
return print
    -ERR user_script:1: Script attempted to access nonexistent global variable 'print'
return x
    -ERR user_script:1: Script attempted to access nonexistent global variable 'x'
x=1
    -ERR user_script:1: Attempt to modify a readonly table
_G.x=1
    -ERR user_script:1: Attempt to modify a readonly table
string.foo=1
    -ERR user_script:1: Attempt to modify a readonly table
string.format=1
    -ERR user_script:1: Attempt to modify a readonly table
return string.foo
    (nil)
local t=string t.x=1
    -ERR user_script:1: Attempt to modify a readonly table
return getmetatable("").__index==string
    :1
getmetatable("").__index=1
    -ERR user_script:1: Attempt to modify a readonly table
return rawset(_G,"a",1)
    -ERR Attempt to modify a readonly table
return setmetatable(_G,{})
    -ERR Attempt to modify a readonly table
return type(getmetatable(_G))
    "table"
return type(getmetatable(_G).__index)
    "function"
getmetatable(_G).__index=nil
    -ERR user_script:1: Attempt to modify a readonly table
return type(getmetatable(string))
    "nil"
table.insert(_G,1)
    -ERR Attempt to modify a readonly table
table.insert(string,1)
    -ERR Attempt to modify a readonly table
table.sort(string)
    (nil)
table.remove(string)
    (nil)
return _G[1]
    -ERR user_script:1: Script attempted to access nonexistent global variable '1'
return _G[{}]
    -ERR user_script:1: Second argument to luaProtectedTableError must be a string or number
return _G[true]
    -ERR user_script:1: Second argument to luaProtectedTableError must be a string or number
return _G.foo
    -ERR user_script:1: Script attempted to access nonexistent global variable 'foo'
x=x
    -ERR user_script:1: Script attempted to access nonexistent global variable 'x'
function foo() end
    -ERR user_script:1: Attempt to modify a readonly table
function string.foo() end
    -ERR user_script:1: Attempt to modify a readonly table
function string:foo() end
    -ERR user_script:1: Attempt to modify a readonly table
local function foo() end return type(foo)
    "function"
arg=1
    -ERR user_script:1: Attempt to modify a readonly table
local function f(...) arg=1 return arg end return f()
    :1
local function f() arg=1 return arg end return f()
    -ERR user_script:1: Attempt to modify a readonly table
return arg
    -ERR user_script:1: Script attempted to access nonexistent global variable 'arg'
local function f(...) return arg.n end return f(1,2,3)
    :3
self=1
    -ERR user_script:1: Attempt to modify a readonly table
local t={} function t:f() self=1 return self end return t:f()
    :1
for i=1,2 do i=3 end return i
    -ERR user_script:1: Script attempted to access nonexistent global variable 'i'
for k in pairs({1}) do k=5 end return k
    -ERR user_script:1: Script attempted to access nonexistent global variable 'k'
repeat local z=1 until z==1 return z
    -ERR user_script:1: Script attempted to access nonexistent global variable 'z'
do local q=1 end q=2
    -ERR user_script:1: Attempt to modify a readonly table
local q; do q=1 end return q
    :1
while true do local q=1 q=2 break end return q
    -ERR user_script:1: Script attempted to access nonexistent global variable 'q'
local f; f=function() return f end return type(f())
    "function"
local ok,e=pcall(function() error("x") end) return e
    "user_script:1: x"
local ok,e=pcall(function() error("x",2) end) return e
    "x"
local ok,e=pcall(function() error({1,2}) end) return e
    [:1, :2]
local ok,e=pcall(error) return tostring(e)
    "nil"
local ok,e=pcall(error,nil) return tostring(e)
    "nil"
local ok,e=pcall(error,"x") return e
    "x"
local ok,e=pcall(function() local a; a() end) return tostring(e)
    "user_script:1: attempt to call local 'a' (a nil value)"
local ok,e=pcall(nil) return tostring(e)
    "attempt to call a nil value"
local ok,e=pcall({}) return tostring(e)
    "attempt to call a table value"
local ok,e=pcall() return tostring(e)
    "attempt to call a boolean value"
return {pcall(function(...) return ... end,1,2,3)}
    [:1, :1, :2, :3]
return {select('#',pcall(function() return nil,nil end))}
    [:3]
local n=0 local function inc() n=n+1 end pcall(error,"x") inc() return n
    :1
local n=0 local function inc() n=n+1 end pcall(function() local a a.b=1 end) inc() inc() return n
    :2
local r={} for i=1,3 do local x=i r[i]=function() x=x+1 return x end end pcall(error) return {r[1](),r[1](),r[2](),r[3]()}
    [:2, :3, :3, :4]
local f pcall(function() local x=1 f=function() x=x+1 return x end error('e') end) return {f(),f()}
    [:2, :3]
local ok,e=xpcall(function() error("x") end,function(m) return "h:"..m end) return e
    "h:user_script:1: x"
local ok,e=xpcall(function() return 1 end,function(m) return "h:"..m end) return {tostring(ok),e}
    ["true", :1]
local ok,e=xpcall(function() error("x") end,function(m) error("y") end) return {tostring(ok),tostring(e)}
    ["false", "error in error handling"]
local ok,e=xpcall(function() local a=1 a.b.c=1 end,function(m) return m end) return e
    "user_script:1: attempt to index local 'a' (a number value)"
return tostring(xpcall(nil,function(m) return m end))
    "false"
return xpcall(error)
    -ERR user_script:1: bad argument #2 to 'xpcall' (value expected)
local ok,e=pcall(string.rep) return e
    "bad argument #1 to '?' (string expected, got no value)"
string.rep()
    -ERR user_script:1: bad argument #1 to 'rep' (string expected, got no value)
return string.rep()
    -ERR user_script:1: bad argument #1 to 'rep' (string expected, got no value)
("x"):rep()
    -ERR user_script:1: bad argument #1 to 'rep' (number expected, got no value)
("x").rep()
    -ERR user_script:1: bad argument #1 to 'rep' (string expected, got no value)
local s="x" return s:rep({})
    -ERR user_script:1: bad argument #1 to 'rep' (number expected, got table)
local rep=string.rep return rep()
    -ERR user_script:1: bad argument #1 to 'rep' (string expected, got no value)
local t={s=string} return t.s.rep(nil,1)
    -ERR user_script:1: bad argument #1 to 'rep' (string expected, got nil)
string.rep("x",{})
    -ERR user_script:1: bad argument #2 to 'rep' (number expected, got table)
return assert(false)
    -ERR user_script:1: assertion failed!
return assert(nil,"msg")
    -ERR user_script:1: msg
return assert(false,{1})
    -ERR user_script:1: bad argument #2 to 'assert' (string expected, got table)
return assert(1,"msg")
    :1
return assert()
    -ERR user_script:1: bad argument #1 to 'assert' (value expected)
return {assert(1,2,3)}
    [:1, :2, :3]
local function f() return 1+f() end return f()
    -ERR user_script:1: stack overflow
local function f() return 1+f() end local ok,e=pcall(f) return e
    "user_script:1: stack overflow"
local t=setmetatable({},{__index=function(t,k) return t[k+1] end}) local ok,e=pcall(function() return t[1] end) return type(e)
    "string"
return tostring(loadstring("a b"))
    "nil"
local a,b=loadstring("return foo", "@foo") return {tostring(pcall(a))}
    ["false"]
local a,b=loadstring("return foo") local x,y=pcall(a) return y
    "[string \"return foo\"]:1: Script attempted to access nonexistent global variable 'foo'"
local a,b=loadstring("\n\nreturn foo", "some long code here which is quite a bit longer than usual, indeed longer than sixty bytes\nline") local x,y=pcall(a) return y
    "[string \"some long code here which is quite a bit lo...\"]:3: Script attempted to access nonexistent global variable 'foo'"
local a,b=loadstring("return foo", "=my chunk") local x,y=pcall(a) return y
    "my chunk:1: Script attempted to access nonexistent global variable 'foo'"
local a,b=loadstring("error('x')","@a/very/long/file/name/that/goes/on/and/on/and/never/stops/until/here.lua") local x,y=pcall(a) return y
    "...e/that/goes/on/and/on/and/never/stops/until/here.lua:1: x"
local a,b=loadstring("x=1") local x,y=pcall(a) return y
    "[string \"x=1\"]:1: Attempt to modify a readonly table"
return loadstring("return 1")()
    :1
return loadstring("return ...")(1,2)
    :1
return {loadstring("\27Lua")}
    []
return load(function() return nil end)()
    (nil)
local n=0 return load(function() n=n+1 return ({"return ","1","+2"})[n] end)()
    :3
return pcall(load,function() return {} end)
    :1
load("return 1")
    -ERR user_script:1: bad argument #1 to 'load' (function expected, got string)
return type(string.dump)
    "function"
return collectgarbage("count")>0
    :1
return collectgarbage()
    :0
return collectgarbage("step")
    (nil)
return collectgarbage("setpause",100)
    :200
return collectgarbage("foo")
    -ERR user_script:1: bad argument #1 to 'collectgarbage' (invalid option 'foo')
return gcinfo()>0
    :1
return tostring(_VERSION)
    "Lua 5.1"
return tostring(_G==_G._G)
    "true"
return #_G
    :0
return type(next(_G))
    "string"
return rawget(_G,"print")
    (nil)
return rawget(_G,"string")==string
    :1
return rawequal(string,string)
    :1
return rawlen
    -ERR user_script:1: Script attempted to access nonexistent global variable 'rawlen'
return unpack({1,2,3})
    :1
return {unpack({1,2,3},2)}
    [:2, :3]
return {unpack({1,2,3},2,3)}
    [:2, :3]
return {unpack({1,2,3},-1,1)}
    []
return {unpack({},1,3)}
    []
return select('#',unpack({},1,7000))
    :7000
return select('#',unpack({},1,1e7))
    -ERR user_script:1: too many results to unpack
return unpack()
    -ERR user_script:1: bad argument #1 to 'unpack' (table expected, got no value)
return {select(2,'a','b','c')}
    ["b", "c"]
return {select(-1,'a','b','c')}
    ["c"]
return select(0)
    -ERR user_script:1: bad argument #1 to 'select' (index out of range)
return select(-5,1)
    -ERR user_script:1: bad argument #1 to 'select' (index out of range)
return select('#')
    :0
return select('#',nil,nil)
    :2
return select('x')
    -ERR user_script:1: bad argument #1 to 'select' (number expected, got string)
return select()
    -ERR user_script:1: bad argument #1 to 'select' (number expected, got no value)
return type()
    -ERR user_script:1: bad argument #1 to 'type' (value expected)
return type(nil)
    "nil"
return type(print)
    -ERR user_script:1: Script attempted to access nonexistent global variable 'print'
return tostring()
    -ERR user_script:1: bad argument #1 to 'tostring' (value expected)
return tostring(nil)
    "nil"
return tostring(true)
    "true"
return tostring(setmetatable({},{__tostring=function() return "ts" end}))
    "ts"
return tostring(setmetatable({},{__tostring=function() return 5 end}))
    :5
return (tostring({}):match("^table: 0x%x+$")~=nil)
    :1
return (tostring(type):match("^function: 0x%x+$")~=nil)
    :1
return (tostring(function() end):match("^function: 0x%x+$")~=nil)
    :1
return tostring(cjson.null)
    "userdata: (nil)"
return type(cjson.null)
    "userdata"
return setmetatable({},1)
    -ERR user_script:1: bad argument #2 to 'setmetatable' (nil or table expected)
return setmetatable(1,{})
    -ERR user_script:1: bad argument #1 to 'setmetatable' (table expected, got number)
return setmetatable({})
    -ERR user_script:1: bad argument #2 to 'setmetatable' (nil or table expected)
return type(setmetatable({},nil))
    "table"
return getmetatable(setmetatable({},{__metatable="x"}))
    "x"
return setmetatable(setmetatable({},{__metatable="x"}),{})
    -ERR user_script:1: cannot change a protected metatable
return getmetatable({})
    (nil)
return getmetatable(1)
    (nil)
return getmetatable()
    -ERR user_script:1: bad argument #1 to 'getmetatable' (value expected)
return rawget({},1)
    (nil)
return rawget(1,1)
    -ERR user_script:1: bad argument #1 to 'rawget' (table expected, got number)
return rawset({},1,2)[1]
    :2
return rawset({},nil,2)
    -ERR table index is nil
local t={} t[nil]=1
    -ERR user_script:1: table index is nil
local t={} t[0/0]=1
    -ERR user_script:1: table index is NaN
return ({})[nil]
    (nil)
return next({})
    (nil)
return {next({5})}
    [:1, :5]
return next(1)
    -ERR user_script:1: bad argument #1 to 'next' (table expected, got number)
return ipairs()
    -ERR user_script:1: bad argument #1 to 'ipairs' (table expected, got no value)
return pairs(nil)
    -ERR user_script:1: bad argument #1 to 'pairs' (table expected, got nil)
for i,v in ipairs({1,2,nil,4}) do if i>2 then return i end end return 0
    :0
for k,v in nil do end
    -ERR user_script:1: attempt to call a nil value
local t=setmetatable({},{__index=function(t,k) return k*2 end}) return t[4]
    :8
local t=setmetatable({},{__newindex=function(t,k,v) rawset(t,k,v+1) end}) t.x=1 return t.x
    :2
local t=setmetatable({},{__call=function(self,a,b) return a+b end}) return t(1,2)
    :3
local t=setmetatable({},{__concat=function(a,b) return "cat" end}) return {t..1,1 ..t,"a"..t,t..t,"a".."b"..t,t.."a".."b"}
    ["cat", "cat", "cat", "cat", "acat", "cat"]
local t=setmetatable({},{__concat=function(a,b) return type(a)..type(b) end}) return {"a".."b"..t.."c".."d",1 ..t..2}
    ["abtablestring", "1tablenumber"]
local t=setmetatable({},{__unm=function() return 42 end}) return -t
    :42
local t=setmetatable({},{__add=function(a,b) return 42 end}) return {t+1,1+t,t+t,"a"+t}
    [:42, :42, :42, :42]
local t=setmetatable({},{__eq=function() return true end}) return t==setmetatable({},getmetatable(t))
    :1
local m={__lt=function() return true end} local a,b=setmetatable({},m),setmetatable({},m) return {tostring(a<b),tostring(a>b),tostring(a<=b)}
    ["true", "true", "false"]
local m={__le=function() return false end} local a,b=setmetatable({},m),setmetatable({},m) return {tostring(a<=b)}
    ["false"]
local function f(a,b,...) return select('#',...) end return f(1,2,3,4)
    :2
return (function(...) return select('#',...) end)(nil,nil)
    :2
local a,b,c=(function() return 1,2,3 end)() return {a,b,c}
    [:1, :2, :3]
local t={(function() return 1,2,3 end)(),(function() return 1,2,3 end)()} return #t
    :4
return ((function() return 1,2,3 end)())
    :1
return "a".."b"
    "ab"
return "a"..1 ..2
    "a12"
return 1 ..2
    "12"
return ""..1.5
    "1.5"
return ""..-0
    "-0"
return ""..2^63
    "9.2233720368548e+18"
return 2^53 ..""
    "9.007199254741e+15"
return ""..1e100
    "1e+100"
return ""..(0/0)
    "-nan"
return ""..1/0 ..-1/0
    "inf-inf"
return 'a'..'b'..'c'..'d'..'e'..1 ..2 ..3
    "abcde123"
local f=function() return 1,2 end return "x"..f()
    "x1"
return ("x"..1):rep(2)
    "x1x1"
return #("x"..1)
    :2
local s="" for i=1,100 do s=s..i end return #s
    :192
return "a"..nil
    -ERR user_script:1: attempt to concatenate a nil value
return nil.."a"
    -ERR user_script:1: attempt to concatenate a nil value
return true.."a"
    -ERR user_script:1: attempt to concatenate a boolean value
return "a"..{}
    -ERR user_script:1: attempt to concatenate a table value
return "a"..function() end
    -ERR user_script:1: attempt to concatenate a function value
return 010
    :10
return 0010.5
    :10
return 0x10
    :16
return 1e3
    :1000
return .5*10
    :5
return 3 .. 4
    "34"
return tostring(0x7fffffffffffffff)
    "9.2233720368548e+18"
return tostring(1e308*10)
    "inf"
return '\65\066\x'
    "ABx"
return "\q\'\"\\\n"
    "q'\"\\\n"
return [==[a]]b]==]
    "a]]b"
return #"\0a\0"
    :3
return 5 % 3
    :2
return -5 % 3
    :1
return 5 % -3
    :-1
return tostring(0/0 == 0/0)
    "false"
return tostring(5.5 % 2)
    "1.5"
return tostring(-5.5 % 2)
    "0.5"
return 2^10
    :1024
return tostring(2^0.5)
    "1.4142135623731"
return -2^2
    :-4
return not nil
    :1
return 1 and 2
    :2
return nil or 3
    :3
return tostring(1==1.0)
    "true"
return tostring("1"==1)
    "false"
return "10"+5
    :15
return "0x10"+5
    :21
return "010"+5
    :15
return "0b1"+5
    -ERR user_script:1: attempt to perform arithmetic on a string value
return "1_0"+5
    -ERR user_script:1: attempt to perform arithmetic on a string value
return " 5 "*"2"
    :10
return tostring("1e1"/4)
    "2.5"
return "3" % 2
    :1
return -"3"
    :-3
return "2"^"3"
    :8
return 10-"-3"
    :13
return tostring("a" < "b")
    "true"
return tostring("a" < "B")
    "false"
return tostring("" < "a")
    "true"
return tostring("a\0b" < "a\0c")
    "true"
for i=1,3 do local x=i end return 1
    :1
local s=0 for i=10,1,-3 do s=s+i end return s
    :22
local s=0 for i=1,0 do s=s+i end return s
    :0
local s=0 for i="1","3" do s=s+i end return s
    :6
local s=0 for i=1,"3" do s=s+i end return s
    :6
local n=0 for i=1,2,0.5 do n=n+1 end return n
    :3
local t={10,20,30} t[#t+1]=40 return #t
    :4
local t={1,2,3,nil,5} return t[5]
    :5
local t={} t[1]=1 t[2]=2 t[4]=4 return #t
    :4
local t={n=1,[1]=2,[2.5]=3,["x"]=4} return t[2.5]
    :3
local t={} t[1e15]=1 return t[1e15]
    :1
local t={} t[50000000]=7 return t[50000000]
    :7
local t={} t[-1]=1 t[0]=2 return t[-1]+t[0]
    :3
local t={} t["1"]=1 t[1]=2 return t["1"]
    :1
return #"abc"
    :3
return ({1,2,3})[2]
    :2
return {1,2,{3,{4}}}
    *3
      :1
      :2
      *2
        :3
        [:4]
return {1,nil,3}
    [:1]
return 3.99
    :3
return -3.99
    :-3
return true
    :1
return false
    (nil)
return nil
    (nil)
return
    (nil)
return {"x".. (function(...) return ... end)(1,2)}
    ["x1"]
local f=function(...) return "x".. ... end return f(1,2)
    "x1"
local t={} return t.a.b
    -ERR user_script:1: attempt to index field 'a' (a nil value)
local t={} t.a.b=1
    -ERR user_script:1: attempt to index field 'a' (a nil value)
local t={} return t.x.y.z
    -ERR user_script:1: attempt to index field 'x' (a nil value)
local t={} local k="x" return t[k].y
    -ERR user_script:1: attempt to index field '?' (a nil value)
local t={{}} return t[1].a.b
    -ERR user_script:1: attempt to index field 'a' (a nil value)
local up={} local function f() return up.x.y end return f()
    -ERR user_script:1: attempt to index field 'x' (a nil value)
local up local function f() return up.x end return f()
    -ERR user_script:1: attempt to index upvalue 'up' (a nil value)
local up local function f() up() end f()
    -ERR user_script:1: attempt to call upvalue 'up' (a nil value)
redis.nosuch.x=1
    -ERR user_script:1: attempt to index field 'nosuch' (a nil value)
redis.nosuch()
    -ERR user_script:1: attempt to call field 'nosuch' (a nil value)
string.nosuch()
    -ERR user_script:1: attempt to call field 'nosuch' (a nil value)
return ("x"):nosuch()
    -ERR user_script:1: attempt to call method 'nosuch' (a nil value)
local a,b={},nil return a.x, b.x
    -ERR user_script:1: attempt to index local 'b' (a nil value)
local a,b return a+b
    -ERR user_script:1: attempt to perform arithmetic on local 'a' (a nil value)
local a,b=1 return a+b
    -ERR user_script:1: attempt to perform arithmetic on local 'b' (a nil value)
local a,b=1 return b+a
    -ERR user_script:1: attempt to perform arithmetic on local 'b' (a nil value)
local a={} return a.x+a.y
    -ERR user_script:1: attempt to perform arithmetic on field 'x' (a nil value)
local a={} return a.x*2+1
    -ERR user_script:1: attempt to perform arithmetic on field 'x' (a nil value)
local a return -a
    -ERR user_script:1: attempt to perform arithmetic on local 'a' (a nil value)
local a={} return -a.x
    -ERR user_script:1: attempt to perform arithmetic on field 'x' (a nil value)
local a={} return #a.x
    -ERR user_script:1: attempt to get length of field 'x' (a nil value)
local a={} return a.x..a.y
    -ERR user_script:1: attempt to concatenate field 'x' (a nil value)
local a={y="k"} return a.y..a.x
    -ERR user_script:1: attempt to concatenate field 'x' (a nil value)
local a={y="k"} return "p"..a.y..a.x.."q"
    -ERR user_script:1: attempt to concatenate field 'x' (a nil value)
local a return "p"..a.."q"
    -ERR user_script:1: attempt to concatenate local 'a' (a nil value)
local a return a.."q"..1
    -ERR user_script:1: attempt to concatenate local 'a' (a nil value)
local a=true return a.b
    -ERR user_script:1: attempt to index local 'a' (a boolean value)
local a=5 return a.b.c
    -ERR user_script:1: attempt to index local 'a' (a number value)
local a=5 return a:b()
    -ERR user_script:1: attempt to index local 'a' (a number value)
local a=5 a.b=1
    -ERR user_script:1: attempt to index local 'a' (a number value)
local a=print
    -ERR user_script:1: Script attempted to access nonexistent global variable 'print'
local a=type a.b=1
    -ERR user_script:1: attempt to index local 'a' (a function value)
local a=type return a.b
    -ERR user_script:1: attempt to index local 'a' (a function value)
local a=function() end return a.b
    -ERR user_script:1: attempt to index local 'a' (a function value)
local a=coroutine.create(function() end) return a.b
    -ERR user_script:1: attempt to index local 'a' (a thread value)
return (nil).x
    -ERR user_script:1: attempt to index a nil value
return (1).x
    -ERR user_script:1: attempt to index a number value
return ({}).x.y
    -ERR user_script:1: attempt to index field 'x' (a nil value)
local t={} t.f()
    -ERR user_script:1: attempt to call field 'f' (a nil value)
local t={} t.x.f()
    -ERR user_script:1: attempt to index field 'x' (a nil value)
local t={f=5} t.f()
    -ERR user_script:1: attempt to call field 'f' (a number value)
local t={} t[1]()
    -ERR user_script:1: attempt to call field '?' (a nil value)
local t={} t:f()
    -ERR user_script:1: attempt to call method 'f' (a nil value)
local t={x={}} t.x:f()
    -ERR user_script:1: attempt to call method 'f' (a nil value)
(function() end)().x=1
    -ERR user_script:1: attempt to index a nil value
local f=5 f()
    -ERR user_script:1: attempt to call local 'f' (a number value)
local function f() end f().x=1
    -ERR user_script:1: attempt to index a nil value
local function f() local x return x.y end return f()
    -ERR user_script:1: attempt to index local 'x' (a nil value)
local ok,e=pcall(function() local x return x.y end) return e
    "user_script:1: attempt to index local 'x' (a nil value)"
for k,v in nil do end
    -ERR user_script:1: attempt to call a nil value
for k,v in pairs(nil) do end
    -ERR user_script:1: bad argument #1 to 'pairs' (table expected, got nil)
local t t[1]=5
    -ERR user_script:1: attempt to index local 't' (a nil value)
local t t.x=5
    -ERR user_script:1: attempt to index local 't' (a nil value)
local i,t=1 t[i]=5
    -ERR user_script:1: attempt to index local 't' (a nil value)
local s="x" s.y=1
    -ERR user_script:1: attempt to index local 's' (a string value)
local s="x" return s.y.z
    -ERR user_script:1: attempt to index field 'y' (a nil value)
local s="x" s()
    -ERR user_script:1: attempt to call local 's' (a string value)
local t={} return t<5
    -ERR user_script:1: attempt to compare table with number
local t={} return t..5
    -ERR user_script:1: attempt to concatenate local 't' (a table value)
local a={} return a.b.c.d
    -ERR user_script:1: attempt to index field 'b' (a nil value)
local x={} return x.a.b or x.c.d
    -ERR user_script:1: attempt to index field 'a' (a nil value)
local x={a={}} return x.a.b.c or x.c.d
    -ERR user_script:1: attempt to index field 'b' (a nil value)
KEYS.x.y=1
    -ERR user_script:1: attempt to index field 'x' (a nil value)
local n=nil; for i=1,n do end
    -ERR user_script:1: 'for' limit must be a number
local n=nil; for i=n,1 do end
    -ERR user_script:1: 'for' initial value must be a number
for i=1,10,"x" do end
    -ERR user_script:1: 'for' step must be a number
local r={} for i="1","3" do r[#r+1]=i end return r
    [:1, :2, :3]
local r={} for i=1,"0x3" do r[#r+1]=i end return r
    [:1, :2, :3]
return math.floor({})
    -ERR user_script:1: bad argument #1 to 'floor' (number expected, got table)
return math.floor()
    -ERR user_script:1: bad argument #1 to 'floor' (number expected, got no value)
return math.floor("x")
    -ERR user_script:1: bad argument #1 to 'floor' (number expected, got string)
return ("x"):format()
    "x"
local a = 1
    (nil)
