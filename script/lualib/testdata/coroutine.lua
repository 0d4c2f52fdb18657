local c=coroutine.create(function(a,b) local x=coroutine.yield(a+b) return x*2 end) local r={coroutine.resume(c,1,2)} local s={coroutine.resume(c,10)} return {r[2],s[2],coroutine.status(c)}
    [:3, :20, "dead"]
local c=coroutine.create(function() error("x") end) return {tostring(coroutine.resume(c)),select(2,coroutine.resume(c)),coroutine.status(c)}
    ["false", "cannot resume dead coroutine", "dead"]
local c=coroutine.create(function() error("x") end) return select(2,coroutine.resume(c))
    "user_script:1: x"
local c=coroutine.create(function() error({err="t"}) end) local ok,e=coroutine.resume(c) return e.err
    "t"
local c=coroutine.create(function() local a a.b=1 end) return select(2,coroutine.resume(c))
    "user_script:1: attempt to index local 'a' (a nil value)"
local c=coroutine.create(function() return x end) return select(2,coroutine.resume(c))
    "user_script:1: Script attempted to access nonexistent global variable 'x'"
local c=coroutine.create(function() return 1,2,3 end) return {coroutine.resume(c)}
    [:1, :1, :2, :3]
local c=coroutine.create(function() coroutine.yield() end) return select('#',coroutine.resume(c))
    :1
local c=coroutine.create(function() return end) return select('#',coroutine.resume(c))
    :1
local f=coroutine.wrap(function() for i=1,3 do coroutine.yield(i) end end) return {f(),f(),f()}
    [:1, :2, :3]
local r={} for v in coroutine.wrap(function() for i=1,3 do coroutine.yield(i) end end) do r[#r+1]=v end return r
    [:1, :2, :3]
local f=coroutine.wrap(function() error("x") end) f()
    -ERR user_script:1: user_script:1: x
local f=coroutine.wrap(function() error("x") end) local ok,e=pcall(f) return e
    "user_script:1: x"
local f=coroutine.wrap(function() error({err="E t"}) end) f()
    -E t
local f=coroutine.wrap(function() end) f() f()
    -ERR user_script:1: cannot resume dead coroutine
coroutine.yield(1)
    -ERR attempt to yield across metamethod/C-call boundary
return pcall(coroutine.yield,1)
    (nil)
local ok,e=pcall(coroutine.yield,1) return e
    "attempt to yield across metamethod/C-call boundary"
local f=coroutine.wrap(function() return pcall(coroutine.yield,1) end) return {tostring(f())}
    ["false"]
local f=coroutine.wrap(function() local ok,e=pcall(function() coroutine.yield(5) end) return e end) return f()
    "attempt to yield across metamethod/C-call boundary"
local f=coroutine.wrap(function() return (string.gsub("x","x",function() coroutine.yield("y") end)) end) local ok,e=pcall(f) return e
    "attempt to yield across metamethod/C-call boundary"
local f=coroutine.wrap(function() table.sort({3,2,1},function(a,b) coroutine.yield("y") end) end) local ok,e=pcall(f) return e
    "attempt to yield across metamethod/C-call boundary"
return tostring(coroutine.running())
    "nil"
local c c=coroutine.create(function() return coroutine.running()==c end) return select(2,coroutine.resume(c))
    :1
local c c=coroutine.create(function() return coroutine.status(c) end) return select(2,coroutine.resume(c))
    "running"
local c c=coroutine.create(function() return coroutine.resume(c) end) return {tostring(select(2,coroutine.resume(c))),(select(3,coroutine.resume(c)))}
    ["false"]
local c c=coroutine.create(function() return select(2,coroutine.resume(c)) end) return select(2,coroutine.resume(c))
    "cannot resume running coroutine"
local c1,c2 c1=coroutine.create(function() return coroutine.resume(c2) end) c2=coroutine.create(function() return coroutine.status(c1) end) return select(3,coroutine.resume(c1))
    "normal"
local c1,c2 c1=coroutine.create(function() return coroutine.resume(c2) end) c2=coroutine.create(function() return coroutine.resume(c1) end) return {tostring(select(3,coroutine.resume(c1)))}
    ["false"]
local c1,c2 c1=coroutine.create(function() return coroutine.resume(c2) end) c2=coroutine.create(function() return select(2,coroutine.resume(c1)) end) return {select(3,coroutine.resume(c1))}
    ["cannot resume normal coroutine"]
local c=coroutine.create(function() coroutine.yield() end) local s=coroutine.status(c) coroutine.resume(c) local s2=coroutine.status(c) coroutine.resume(c) return {s,s2,coroutine.status(c)}
    ["suspended", "suspended", "dead"]
local c=coroutine.create(function() end) coroutine.resume(c) return {select(2,coroutine.resume(c))}
    ["cannot resume dead coroutine"]
coroutine.create()
    -ERR user_script:1: bad argument #1 to 'create' (Lua function expected)
coroutine.create(5)
    -ERR user_script:1: bad argument #1 to 'create' (Lua function expected)
coroutine.create(print)
    -ERR user_script:1: Script attempted to access nonexistent global variable 'print'
coroutine.resume()
    -ERR user_script:1: bad argument #1 to 'resume' (coroutine expected)
coroutine.resume(5)
    -ERR user_script:1: bad argument #1 to 'resume' (coroutine expected)
coroutine.status(5)
    -ERR user_script:1: bad argument #1 to 'status' (coroutine expected)
coroutine.wrap(5)
    -ERR user_script:1: bad argument #1 to 'wrap' (Lua function expected)
return type(coroutine.create(function() end))
    "thread"
return type(coroutine.wrap(function() end))
    "function"
return (tostring(coroutine.create(function() end)):match("^thread: 0x%x+$")~=nil)
    :1
local c=coroutine.wrap(function(...) local t={...} while true do t={coroutine.yield(unpack(t))} end end) return {c(1,2,3),c(4),select('#',c())}
    [:1, :4, :0]
local function gen(n) return coroutine.wrap(function() for i=1,n do coroutine.yield(i) end end) end local s=0 for a in gen(3) do for b in gen(a) do s=s+b end end return s
    :10
local function tree(d) if d>0 then tree(d-1) coroutine.yield(d) tree(d-1) end end local r={} for d in coroutine.wrap(function() tree(4) end) do r[#r+1]=d end return r
    [:1, :2, :1, :3, :1, :2, :1, :4, :1, :2, :1, :3, :1, :2, :1]
local n=0 local c=coroutine.wrap(function() n=n+1 pcall(error,"x") n=n+1 coroutine.yield() n=n+1 end) c() c() return n
    :3
local c=coroutine.create(function() local x=1 local f=function() x=x+1 return x end coroutine.yield(f) error("e") end) local _,f=coroutine.resume(c) f() coroutine.resume(c) return f()
    :3
local function f(n) if n==0 then return "deep" end return (coroutine.wrap(f)(n-1)) end return f(50)
    "deep"
return coroutine.nosuch
    (nil)
coroutine.x=1
    -ERR user_script:1: Attempt to modify a readonly table
return coroutine.isyieldable
    (nil)
return coroutine.close
    (nil)
