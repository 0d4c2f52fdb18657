return table.concat({1,2,3})
    "123"
return table.concat({1,2,3},",")
    "1,2,3"
return table.concat({1,2,3},",",2)
    "2,3"
return table.concat({1,2,3},",",2,3)
    "2,3"
return table.concat({1,2,3},",",3,2)
    ""
return table.concat({1,2,3},",",1,5)
    -ERR user_script:1: invalid value (nil) at index 4 in table for 'concat'
return table.concat({1,{},3})
    -ERR user_script:1: invalid value (table) at index 2 in table for 'concat'
return table.concat({1,true,3})
    -ERR user_script:1: invalid value (boolean) at index 2 in table for 'concat'
return table.concat({1,nil,3})
    -ERR user_script:1: invalid value (nil) at index 2 in table for 'concat'
return table.concat({},",")
    ""
return table.concat({1.5,"x",1e20},"-")
    "1.5-x-1e+20"
return table.concat({"a"},5)
    "a"
return table.concat()
    -ERR user_script:1: bad argument #1 to 'concat' (table expected, got no value)
return table.concat("x")
    -ERR user_script:1: bad argument #1 to 'concat' (table expected, got string)
return table.concat({},{})
    -ERR user_script:1: bad argument #2 to 'concat' (string expected, got table)
return table.concat({1,2},",",nil,1)
    "1"
return table.concat({[-1]="a",[0]="b",[1]="c"},",",-1,1)
    "a,b,c"
return table.concat(string)
    ""
local t={1,2} table.insert(t,3) return t
    [:1, :2, :3]
local t={1,2} table.insert(t,1,0) return t
    [:0, :1, :2]
local t={1,2} table.insert(t,2,9) return t
    [:1, :9, :2]
local t={1,2} table.insert(t,3,9) return t
    [:1, :2, :9]
local t={1,2} table.insert(t,0,9) return {t[0],t[1],t[2],t[3]}
    [:9]
local t={1,2} table.insert(t,-1,9) return {t[-1],t[0],t[1],t[2],t[3]}
    [:9]
local t={1,2} table.insert(t,"2",9) return t
    [:1, :9, :2]
local t={1,2} table.insert(t,1.9,9) return t
    [:9, :1, :2]
table.insert({})
    -ERR user_script:1: wrong number of arguments to 'insert'
table.insert({},1,2,3)
    -ERR user_script:1: wrong number of arguments to 'insert'
table.insert(nil,1)
    -ERR user_script:1: bad argument #1 to 'insert' (table expected, got nil)
table.insert({},"x",1)
    -ERR user_script:1: bad argument #2 to 'insert' (number expected, got string)
table.insert()
    -ERR user_script:1: bad argument #1 to 'insert' (table expected, got no value)
local t={} table.insert(t,nil) return #t
    :0
local t={1} table.insert(t,nil) return #t
    :1
local t={1,2,3} return {table.remove(t),#t}
    [:3, :2]
local t={1,2,3} return {table.remove(t,1),t[1],#t}
    [:1, :2, :2]
local t={1,2,3} return {table.remove(t,2),t[2],#t}
    [:2, :3, :2]
local t={1,2,3} return select('#',table.remove(t,4))
    :0
local t={1,2,3} return select('#',table.remove(t,0))
    :0
local t={} return select('#',table.remove(t))
    :0
local t={} return select('#',table.remove(t,1))
    :0
local t={1,2,3} table.remove(t,1) table.remove(t) table.insert(t,5) return t
    [:2, :5]
table.remove()
    -ERR user_script:1: bad argument #1 to 'remove' (table expected, got no value)
table.remove({},"x")
    -ERR user_script:1: bad argument #2 to 'remove' (number expected, got string)
local t={3,1,2} table.sort(t) return t
    [:1, :2, :3]
local t={"b","a","C"} table.sort(t) return t
    ["C", "a", "b"]
local t={3,1,2} table.sort(t,function(a,b) return a>b end) return t
    [:3, :2, :1]
local t={5,3,8,1,9,2,7,4,6,0} table.sort(t) return t
    [:0, :1, :2, :3, :4, :5, :6, :7, :8, :9]
local t={} for i=1,100 do t[i]=(i*37)%101 end table.sort(t) return table.concat(t,",")
    "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64,65,66,67,68,69,70,71,72,73,74,75,76,77,78,79,80,81,82,83,84,85,86,87,88,89,90,91,92,93,94,95,96,97,98,99,100"
local t={} for i=1,50 do t[i]={k=i%5,i=i} end table.sort(t,function(a,b) return a.k<b.k end) local r={} for i=1,50 do r[i]=t[i].i end return table.concat(r,",")
    "50,30,20,15,35,45,40,10,25,5,31,26,21,36,46,41,6,1,11,16,12,32,37,42,27,7,2,47,17,22,43,38,13,28,18,23,48,33,3,8,44,34,4,49,24,39,29,14,9,19"
local t={} for i=1,200 do t[i]={k=(i*7)%11,i=i} end table.sort(t,function(a,b) return a.k>b.k end) local r={} for i=1,200 do r[i]=t[i].i end return table.concat(r,",")
    "25,58,179,80,47,113,14,168,91,135,36,3,146,69,124,157,190,102,116,149,39,61,127,138,28,160,6,94,83,193,72,182,171,50,105,17,108,53,97,42,119,86,31,64,174,9,196,185,130,75,20,141,163,152,78,1,133,199,166,177,188,89,155,122,144,111,67,100,56,23,12,45,34,92,48,103,15,158,114,37,180,147,26,125,136,169,81,59,191,4,70,106,150,18,161,73,40,194,183,117,62,29,7,95,84,128,172,139,51,65,153,120,131,142,197,43,87,76,54,175,186,10,32,98,164,21,109,178,24,2,189,13,145,167,156,200,134,123,79,112,101,90,35,57,68,46,137,104,16,49,5,60,181,170,82,93,159,192,126,38,27,71,148,115,85,173,52,96,140,30,129,63,151,19,162,184,118,8,41,107,74,195,77,198,187,33,11,154,22,121,132,143,88,44,165,55,110,176,99,66"
local t={1,2,3,4,5} table.sort(t,function(a,b) return true end) return #t
    -ERR user_script:1: invalid order function for sorting
local t={1,2,3} table.sort(t,function(a,b) return true end) return t
    [:2, :3, :1]
local t={1,"a"} table.sort(t)
    -ERR attempt to compare string with number
local t={{},{}} table.sort(t)
    -ERR attempt to compare two table values
local t={true,false} table.sort(t)
    -ERR attempt to compare two boolean values
local t={3,nil,1} return #t>=0
    :1
local t={1,2} table.sort(t,5)
    -ERR user_script:1: bad argument #2 to 'sort' (function expected, got number)
local t={1,2} table.sort(t,nil) return t
    [:1, :2]
table.sort()
    -ERR user_script:1: bad argument #1 to 'sort' (table expected, got no value)
local t={1,2,3} table.sort(t,function(a,b) error("cmp") end)
    -ERR user_script:1: cmp
local m={__lt=function(a,b) return a.v<b.v end} local t={} for i=1,5 do t[i]=setmetatable({v=-i},m) end table.sort(t) return t[1].v
    :-5
return table.getn({1,2,3})
    :3
return table.getn({})
    :0
return table.getn()
    -ERR user_script:1: bad argument #1 to 'getn' (table expected, got no value)
return table.getn({n=5})
    :0
table.setn({},1)
    -ERR user_script:1: 'setn' is obsolete
return table.maxn({1,2,3})
    :3
return table.maxn({[10]=1,[2.5]=2})
    :10
return tostring(table.maxn({[10.5]=1}))
    "10.5"
return table.maxn({x=1})
    :0
return table.maxn({[-5]=1})
    :0
return table.maxn()
    -ERR user_script:1: bad argument #1 to 'maxn' (table expected, got no value)
local r={} table.foreach({10,20},function(k,v) r[#r+1]=k r[#r+1]=v end) return r
    [:1, :10, :2, :20]
return table.foreach({10,20},function(k,v) return v end)
    :10
return table.foreach({},function(k,v) return v end)
    (nil)
local r={} table.foreachi({10,20},function(k,v) r[#r+1]=k r[#r+1]=v end) return r
    [:1, :10, :2, :20]
return table.foreachi({10,20},function(k,v) if k==2 then return "x" end end)
    "x"
table.foreach({})
    -ERR user_script:1: bad argument #2 to 'foreach' (function expected, got no value)
table.foreach({},5)
    -ERR user_script:1: bad argument #2 to 'foreach' (function expected, got number)
return table.unpack
    (nil)
return table.pack
    (nil)
return table.nosuch
    (nil)
local t={10,20,30,nil} return #t
    :3
local t={n=1} return #t
    :0
local t={} t[1]=1 t[2]=2 t[3]=3 t[3]=nil return #t
    :2
local t={1,2,3} t[#t]=nil return #t
    :2
local t={1,2,3} for i=#t,1,-1 do t[i]=nil end return #t
    :0
local t={} for i=1,1000 do t[i]=i end for i=1,990 do table.remove(t,1) end return t
    [:991, :992, :993, :994, :995, :996, :997, :998, :999, :1000]
local t={1,2,3} for k in pairs(t) do t[k]=nil end return #t
    :0
local t={a=1,b=2} for k in pairs(t) do t[k]=nil end return next(t)==nil
    :1
local n=0 for k,v in pairs({1,2,3,x=1,y=2}) do n=n+1 end return n
    :5
local n=0 for k,v in next,{1,2,3} do n=n+v end return n
    :6
local t={} for i=1,10 do t[i]=i end local s=0 for i,v in ipairs(t) do s=s+v end return s
    :55
local n=0 for k in pairs(string) do n=n+1 end return n
    :15
local n=0 for k in pairs(math) do n=n+1 end return n
    :31
local n=0 for k in pairs(table) do n=n+1 end return n
    :9
local n=0 for k in pairs(bit) do n=n+1 end return n
    :12
local n=0 for k in pairs(cjson) do n=n+1 end return n
    :13
local n=0 for k in pairs(struct) do n=n+1 end return n
    :3
local n=0 for k in pairs(cmsgpack) do n=n+1 end return n
    :8
local n=0 for k in pairs(coroutine) do n=n+1 end return n
    :6
return unpack(string)
    (nil)
return #string
    :0
return ipairs(string)(string,0)
    (nil)
local t={1,2,3} t[#t]=nil t[#t]=nil return {#t,t[1],t[2] or 'none'}
    [:1, :1, "none"]
local t={1,2,3} for i=3,1,-1 do t[i]=nil end t[#t+1]='x' return {#t,t[1]}
    [:1, "x"]
local t={1,2,3,a=4} local n=0 for k in pairs(t) do t[k]=nil n=n+1 end return {n,#t,next(t) or 'none'}
    [:4, :0, "none"]
local t={1,2,3,a=4} local n=0 for k in pairs(t) do t[#t]=nil n=n+1 if n==2 then t.a=nil end end return {#t,next(t) or 'none'}
    [:1, :1]
local t={} for i=1,100 do t[i]=i end local s=0 for k,v in pairs(t) do t[k]=nil s=s+v end return {s,#t}
    [:5050, :0]
local t={} for i=1,100 do t[i]=i end for i=1,100 do t[i]=nil end return {#t,next(t) or 'none'}
    [:0, "none"]
local t={} for i=1,100 do t[i]=i end for i=100,51,-1 do t[i]=nil end t[51]='a' t[52]='b' return {#t,t[51],t[52],t[50],t[53] or 'none'}
    [:52, "a", "b", :50, "none"]
local self={items={1,2,3}} self.items[#self.items]=nil return self.items
    [:1, :2]
local t={1,nil,3} t[3]=nil return {#t,t[1],t[3] or 'none'}
    [:1, :1, "none"]
local t={} t[#t]=nil return #t
    :0
local t=setmetatable({},{__newindex=function(t,k,v) rawset(t,k,'set') end}) local k=1 t[k]=nil return t
    ["set"]
local t,k={1,2},'x' t[k]=nil return t
    [:1, :2]
local t,k={1,2},1.5 t[k]=nil return t
    [:1, :2]
local t=nil local k=1 t[k]=nil
    -ERR user_script:1: attempt to index local 't' (a nil value)
local t,k={},nil t[k]=nil
    -ERR user_script:1: table index is nil
local k=1 string[k]=nil
    -ERR user_script:1: Attempt to modify a readonly table
local a=0 local t={1,2,3} local function f() a=a+1 return t end f()[3]=nil return {a,#t}
    [:1, :2]
local t={} for i=1,200000 do t[#t+1]=i end for i=1,200000 do t[#t]=nil end return #t
    :0
local t={} for i=1,200000 do t[i]=i end local s=0 while #t>0 do local n=#t s=s+t[n] t[n]=nil end return s
    :20000100000
