return cmsgpack.pack(1)
    "\x01"
return cmsgpack.pack(0,127,128,255,256,65535,65536,4294967295,4294967296)
    "\x00\x7f\xcc\x80\xcc\xff\xcd\x01\x00\xcd\xff\xff\xce\x00\x01\x00\x00\xce\xff\xff\xff\xff\xcf\x00\x00\x00\x01\x00\x00\x00\x00"
return cmsgpack.pack(-1,-32,-33,-128,-129,-32768,-32769,-2147483648,-2147483649)
    "\xff\xe0\xd0\xdf\xd0\x80\xd1\xff\x7f\xd1\x80\x00\xd2\xff\xff\x7f\xff\xd2\x80\x00\x00\x00\xd3\xff\xff\xff\xff\x7f\xff\xff\xff"
return cmsgpack.pack(2^53,2^62,-2^63)
    "\xcf\x00 \x00\x00\x00\x00\x00\x00\xcf@\x00\x00\x00\x00\x00\x00\x00\xd3\x80\x00\x00\x00\x00\x00\x00\x00"
return cmsgpack.pack(2^63)
    "\xca_\x00\x00\x00"
return cmsgpack.pack(2^64)
    "\xca_\x80\x00\x00"
return cmsgpack.pack(1e300)
    "\xcb~7\xe4<\x88\x00u\x9c"
return cmsgpack.pack(1.5,0.1,-0.5,1e20)
    "\xca?\xc0\x00\x00\xcb?\xb9\x99\x99\x99\x99\x99\x9a\xca\xbf\x00\x00\x00\xcbD\x15\xaf\x1dx\xb5\x8c@"
return cmsgpack.pack(1/0,-1/0)
    "\xca\x7f\x80\x00\x00\xca\xff\x80\x00\x00"
return #cmsgpack.pack(0/0)
    :9
return cmsgpack.pack("")
    "\xa0"
return cmsgpack.pack("a")
    "\xa1a"
return #cmsgpack.pack(("x"):rep(31))
    :32
return #cmsgpack.pack(("x"):rep(32))
    :34
return #cmsgpack.pack(("x"):rep(255))
    :257
return #cmsgpack.pack(("x"):rep(256))
    :259
return #cmsgpack.pack(("x"):rep(65536))
    :65541
return cmsgpack.pack(("x"):rep(40))
    "\xd9(""x"*40
return cmsgpack.pack(true,false,nil)
    "\xc3\xc2\xc0"
return cmsgpack.pack(nil)
    "\xc0"
return cmsgpack.pack(type)
    "\xc0"
return cmsgpack.pack({})
    "\x90"
return cmsgpack.pack({1,2,3})
    "\x93\x01\x02\x03"
return cmsgpack.pack({a=1})
    "\x81\xa1a\x01"
return cmsgpack.pack({[1]=1,[3]=3})
    "\x82\x01\x01\x03\x03"
return cmsgpack.pack({[2]=1})
    "\x81\x02\x01"
return cmsgpack.pack({[0]=1})
    "\x81\x00\x01"
return cmsgpack.pack({[1.5]=1})
    "\x81\xca?\xc0\x00\x00\x01"
return cmsgpack.pack({1,2,nil,4})
    "\x83\x01\x01\x02\x02\x04\x04"
return cmsgpack.pack({{1},{a={}}})
    "\x92\x91\x01\x81\xa1a\x90"
return #cmsgpack.pack({1,2,3,4,5,6,7,8,9,10,11,12,13,14,15})
    :16
return cmsgpack.pack({1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16})
    "\xdc\x00\x10\x01\x02\x03\x04\x05\x06\a\b\t\n\x0b\x0c\r\x0e\x0f\x10"
local t={} for i=1,70000 do t[i]=1 end return #cmsgpack.pack(t)
    :70005
local t={} for i=1,20 do t["k"..i]=1 end return #cmsgpack.pack(t)
    :94
local t={} t[1]=t return cmsgpack.pack(t)
    "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0"
local t={} t.a=t return cmsgpack.pack(t)
    "\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\x81\xa1a\xc0"
local t=1 for i=1,16 do t={t} end return cmsgpack.pack(t)
    "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01"
local t=1 for i=1,17 do t={t} end return cmsgpack.pack(t)
    "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0"
return cmsgpack.pack()
    -ERR user_script:1: bad argument #0 to 'pack' (MessagePack pack needs input.)
return cmsgpack.pack({1},{2})
    "\x91\x01\x91\x02"
return cmsgpack.pack(cjson.null)
    "\xc0"
return cmsgpack.pack({[true]=1})
    "\x81\xc3\x01"
return cmsgpack.unpack(cmsgpack.pack({1,2,{3,"x"}}))
    *3
      :1
      :2
      [:3, "x"]
return {cmsgpack.unpack(cmsgpack.pack(1,2,3))}
    [:1, :2, :3]
return {cmsgpack.unpack("")}
    []
return cmsgpack.unpack(cmsgpack.pack({a={b=5}})).a.b
    :5
return {cmsgpack.unpack("\1\2\3")}
    [:1, :2, :3]
return tostring(cmsgpack.unpack("\192"))
    "nil"
return {tostring(cmsgpack.unpack("\194")),tostring(cmsgpack.unpack("\195"))}
    ["false", "true"]
return tostring(cmsgpack.unpack("\193"))
    -ERR user_script:1: Bad data format in input.
return tostring(cmsgpack.unpack("\196\1a"))
    -ERR user_script:1: Bad data format in input.
return tostring(cmsgpack.unpack("\199"))
    -ERR user_script:1: Bad data format in input.
return tostring(cmsgpack.unpack("\212"))
    -ERR user_script:1: Bad data format in input.
return tostring(cmsgpack.unpack("\204"))
    -ERR user_script:1: Missing bytes in input.
return tostring(cmsgpack.unpack("\204\255"))
    "255"
return tostring(cmsgpack.unpack("\205\255\254"))
    "65534"
return tostring(cmsgpack.unpack("\206\255\255\255\254"))
    "4294967294"
return tostring(cmsgpack.unpack("\207\255\255\255\255\255\255\255\255"))
    "-1"
return tostring(cmsgpack.unpack("\208\255"))
    "-1"
return tostring(cmsgpack.unpack("\209\255\254"))
    "-2"
return tostring(cmsgpack.unpack("\210\255\255\255\254"))
    "-2"
return tostring(cmsgpack.unpack("\211\255\255\255\255\255\255\255\254"))
    "-2"
return tostring(cmsgpack.unpack("\202\63\192\0\0"))
    "1.5"
return tostring(cmsgpack.unpack("\203\63\248\0\0\0\0\0\0"))
    "1.5"
return tostring(cmsgpack.unpack("\202\63"))
    -ERR user_script:1: Missing bytes in input.
return tostring(cmsgpack.unpack("\224"))
    "-32"
return tostring(cmsgpack.unpack("\255"))
    "-1"
return tostring(cmsgpack.unpack("\161x"))
    "x"
return tostring(cmsgpack.unpack("\161"))
    -ERR user_script:1: Missing bytes in input.
return tostring(cmsgpack.unpack("\217\3abc"))
    "abc"
return tostring(cmsgpack.unpack("\217\3ab"))
    -ERR user_script:1: Missing bytes in input.
return tostring(cmsgpack.unpack("\218\0\3abc"))
    "abc"
return tostring(cmsgpack.unpack("\219\0\0\0\3abc"))
    "abc"
return tostring(cmsgpack.unpack("\219\255\255\255\255abc"))
    -ERR user_script:1: Missing bytes in input.
return cmsgpack.unpack("\147\1\2\3")
    [:1, :2, :3]
return tostring(cmsgpack.unpack("\147\1\2"))
    -ERR user_script:1: Missing bytes in input.
return cmsgpack.unpack("\220\0\2\1\2")
    [:1, :2]
return tostring(cmsgpack.unpack("\220\255\255\1\2"))
    -ERR user_script:1: Missing bytes in input.
return tostring(cmsgpack.unpack("\221\255\255\255\255\1"))
    -ERR user_script:1: Missing bytes in input.
return cmsgpack.unpack("\129\161a\5").a
    :5
return tostring(cmsgpack.unpack("\129\161a"))
    -ERR user_script:1: Missing bytes in input.
return cmsgpack.unpack("\222\0\1\161a\5").a
    :5
return cmsgpack.unpack("\223\0\0\0\1\161a\5").a
    :5
return tostring(cmsgpack.unpack("\223\255\255\255\255\161a\5"))
    -ERR user_script:1: Missing bytes in input.
return tostring(cmsgpack.unpack("\129\192\5"))
    -ERR table index is nil
return tostring(cmsgpack.unpack("\129\203\127\248\0\0\0\0\0\0\5"))
    -ERR table index is NaN
return type(cmsgpack.unpack("\129\144\5"))
    "table"
return cmsgpack.unpack("\129\1\5")[1]
    :5
return pcall(cmsgpack.unpack,("\145"):rep(100000))
    (nil)
return pcall(cmsgpack.unpack,("\145"):rep(100000).."\1")
    (nil)
local ok,e=pcall(cmsgpack.unpack,("\145"):rep(100000).."\1") return e
    "stack overflow (in function mp_decode_to_lua_array)"
local ok,e=pcall(cmsgpack.unpack,("\129\161a"):rep(100000).."\1") return e
    "stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)"
return select('#',cmsgpack.unpack(("\1"):rep(100)))
    :100
return select('#',cmsgpack.unpack(("\1"):rep(7000)))
    :7000
local ok,e=pcall(cmsgpack.unpack,("\1"):rep(10000)) return e
    "stack overflow (too many return values at once; use unpack_one or unpack_limit instead.)"
return cmsgpack.unpack()
    -ERR user_script:1: bad argument #1 to 'unpack' (string expected, got no value)
return cmsgpack.unpack({})
    -ERR user_script:1: bad argument #1 to 'unpack' (string expected, got table)
return cmsgpack.unpack(5)
    :53
return {cmsgpack.unpack_one("\1\2\3")}
    [:1, :1]
return {cmsgpack.unpack_one("\1\2\3",1)}
    [:2, :2]
return {cmsgpack.unpack_one("\1\2\3",2)}
    [:-1, :3]
return {cmsgpack.unpack_one("\1\2\3",3)}
    [:-1]
return {cmsgpack.unpack_one("\1\2\3",4)}
    -ERR user_script:1: Start offset 4 greater than input length 3.
return {cmsgpack.unpack_one("\1\2\3",-1)}
    -ERR user_script:1: Invalid request to unpack with offset of -1 and limit of 3.
return {cmsgpack.unpack_one("")}
    [:-1]
return {cmsgpack.unpack_one("\1","x")}
    -ERR user_script:1: bad argument #2 to 'unpack_one' (number expected, got string)
return {cmsgpack.unpack_one("\193\1")}
    -ERR user_script:1: Bad data format in input.
return {cmsgpack.unpack_limit("\1\2\3",2)}
    [:2, :1, :2]
return {cmsgpack.unpack_limit("\1\2\3",2,1)}
    [:-1, :2, :3]
return {cmsgpack.unpack_limit("\1\2\3",10)}
    [:-1, :1, :2, :3]
return {cmsgpack.unpack_limit("\1\2\3",0)}
    [:1, :2, :3]
return {cmsgpack.unpack_limit("\1\2\3",0,1)}
    [:1]
return {cmsgpack.unpack_limit("\1\2\3",-1)}
    -ERR user_script:1: Invalid request to unpack with offset of 0 and limit of 3.
return {cmsgpack.unpack_limit("\1\2\3",1,-2)}
    -ERR user_script:1: Invalid request to unpack with offset of -2 and limit of 3.
return {cmsgpack.unpack_limit("\1\2\3")}
    -ERR user_script:1: bad argument #2 to 'unpack_limit' (number expected, got no value)
return {cmsgpack.unpack_limit("\1\2\3",1,4)}
    -ERR user_script:1: Start offset 4 greater than input length 3.
return {cmsgpack.unpack_limit("\1\2\3",1,"1")}
    [:2, :2]
return cmsgpack._NAME
    "cmsgpack"
return cmsgpack._VERSION
    "lua-cmsgpack 0.4.0"
return cmsgpack._COPYRIGHT
    "Copyright (C) 2012, Salvatore Sanfilippo"
return cmsgpack._DESCRIPTION
    "MessagePack C implementation for Lua"
return cmsgpack.nosuch
    (nil)
cmsgpack.x=1
    -ERR user_script:1: Attempt to modify a readonly table
return cmsgpack.safe
    (nil)
