return cjson.encode({})
    "{}"
return cjson.encode({1,2,3})
    "[1,2,3]"
return cjson.encode({a=1})
    "{\"a\":1}"
return cjson.encode({[1]=1,[2]=2})
    "[1,2]"
return cjson.encode({[1]=1,[3]=3})
    "[1,null,3]"
return cjson.encode({[1]=1,[10]=3})
    "[1,null,null,null,null,null,null,null,null,3]"
return cjson.encode({[1]=1,[11]=3})
    -ERR user_script:1: Cannot serialise table: excessively sparse array
return cjson.encode({[100]=1})
    -ERR user_script:1: Cannot serialise table: excessively sparse array
return cjson.encode({[5]=1})
    "[null,null,null,null,1]"
return cjson.encode({[0]=1})
    "{\"0\":1}"
return cjson.encode({[-1]=1})
    "{\"-1\":1}"
return cjson.encode({[1.5]=1})
    "{\"1.5\":1}"
return cjson.encode({["1"]=1})
    "{\"1\":1}"
return cjson.encode({[true]=1})
    -ERR user_script:1: Cannot serialise boolean: table key must be a number or string
return cjson.encode({[{}]=1})
    -ERR user_script:1: Cannot serialise table: table key must be a number or string
return cjson.encode("a")
    "\"a\""
return cjson.encode("")
    "\"\""
return cjson.encode("a\"b\\c/d\b\f\n\r\t\0\1\31\127é")
    "\"a\\\"b\\\\c\\/d\\b\\f\\n\\r\\t\\u0000\\u0001\\u001f\\u007f\xc3\xa9\""
return cjson.encode("\128\255")
    "\"\x80\xff\""
return cjson.encode(1)
    "1"
return cjson.encode(1.5)
    "1.5"
return cjson.encode(-0)
    "-0"
return cjson.encode(1e14)
    "1e+14"
return cjson.encode(1e15)
    "1e+15"
return cjson.encode(123456789012345678)
    "1.2345678901235e+17"
return cjson.encode(0.1)
    "0.1"
return cjson.encode(1/3)
    "0.33333333333333"
return cjson.encode(1e100)
    "1e+100"
return cjson.encode(1e-7)
    "1e-07"
return cjson.encode(0/0)
    -ERR user_script:1: Cannot serialise number: must not be NaN or Inf
return cjson.encode(1/0)
    -ERR user_script:1: Cannot serialise number: must not be NaN or Inf
return cjson.encode(-1/0)
    -ERR user_script:1: Cannot serialise number: must not be NaN or Inf
return cjson.encode({0/0})
    -ERR user_script:1: Cannot serialise number: must not be NaN or Inf
return cjson.encode(true)
    "true"
return cjson.encode(false)
    "false"
return cjson.encode(nil)
    "null"
return cjson.encode(cjson.null)
    "null"
return cjson.encode({1,cjson.null,3})
    "[1,null,3]"
return cjson.encode({1,nil,3})
    "[1,null,3]"
return cjson.encode({nil,nil,3})
    "[null,null,3]"
return cjson.encode(type)
    -ERR user_script:1: Cannot serialise function: type not supported
return cjson.encode({type})
    -ERR user_script:1: Cannot serialise function: type not supported
return cjson.encode({a=type})
    -ERR user_script:1: Cannot serialise function: type not supported
return cjson.encode(coroutine.create(function() end))
    -ERR user_script:1: Cannot serialise thread: type not supported
return cjson.encode()
    -ERR user_script:1: bad argument #1 to 'encode' (expected 1 argument)
return cjson.encode(1,2)
    -ERR user_script:1: bad argument #1 to 'encode' (expected 1 argument)
return cjson.encode({{},{{}},{1,{2}}})
    "[{},[{}],[1,[2]]]"
return cjson.encode({a={b={c={1,2,{d=true}}}}})
    "{\"a\":{\"b\":{\"c\":[1,2,{\"d\":true}]}}}"
return cjson.encode({{a=1},{a=2}})
    "[{\"a\":1},{\"a\":2}]"
return cjson.encode({"x","y"})
    "[\"x\",\"y\"]"
return cjson.encode({1.0,2.50})
    "[1,2.5]"
local t={} t[1]=t return cjson.encode(t)
    -ERR user_script:1: Cannot serialise, excessive nesting (1001)
local t={} t.a=t return cjson.encode(t)
    -ERR user_script:1: Cannot serialise, excessive nesting (1001)
local t={} for i=1,999 do t={t} end return #cjson.encode(t)
    :2000
local t={} for i=1,1000 do t={t} end return #cjson.encode(t)
    -ERR user_script:1: Cannot serialise, excessive nesting (1001)
local t={} for i=1,1001 do t={t} end return #cjson.encode(t)
    -ERR user_script:1: Cannot serialise, excessive nesting (1001)
local t={} for i=1,100 do t[i]=i end return cjson.encode(t)
    "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64,65,66,67,68,69,70,71,72,73,74,75,76,77,78,79,80,81,82,83,84,85,86,87,88,89,90,91,92,93,94,95,96,97,98,99,100]"
local t={} for i=1,100 do t[i]=i end t[200]=1 return #cjson.encode(t)
    :790
local t={} for i=1,100 do t[i]=i end t[301]=1 return #cjson.encode(t)
    -ERR user_script:1: Cannot serialise table: excessively sparse array
return cjson.encode(setmetatable({1},{__index={2,3}}))
    "[1]"
return cjson.encode({["a/b"]="</script>"})
    "{\"a\\/b\":\"<\\/script>\"}"
return cjson.encode(redis.nosuch)
    "null"
return cjson.encode_number_precision()
    :14
return cjson.encode_number_precision(3)..cjson.encode(1/3)
    "30.333"
cjson.encode_number_precision(14) return cjson.encode(1/3)
    "0.33333333333333"
return cjson.encode_number_precision(15)
    -ERR user_script:1: bad argument #1 to 'encode_number_precision' (expected integer between 1 and 14)
return cjson.encode_number_precision(0)
    -ERR user_script:1: bad argument #1 to 'encode_number_precision' (expected integer between 1 and 14)
return cjson.encode_number_precision("x")
    -ERR user_script:1: bad argument #1 to 'encode_number_precision' (number expected, got string)
return cjson.encode_number_precision(1,2)
    -ERR user_script:1: bad argument #2 to 'encode_number_precision' (found too many arguments)
cjson.encode_number_precision(5) local r=cjson.encode({123456,0.000012345678,100000,1e5,99999}) cjson.encode_number_precision(14) return r
    "[1.2346e+05,1.2346e-05,1e+05,1e+05,99999]"
return cjson.encode_max_depth()
    :1000
cjson.encode_max_depth(2) local ok,e=pcall(cjson.encode,{{{}}}) cjson.encode_max_depth(1000) return e
    "Cannot serialise, excessive nesting (3)"
cjson.encode_max_depth(3) local e=cjson.encode({{{}}}) cjson.encode_max_depth(1000) return e
    "[[{}]]"
return cjson.encode_max_depth(0)
    -ERR user_script:1: bad argument #1 to 'encode_max_depth' (expected integer between 1 and 2147483647)
return cjson.encode_max_depth(-1)
    -ERR user_script:1: bad argument #1 to 'encode_max_depth' (expected integer between 1 and 2147483647)
return cjson.encode_max_depth("5x")
    -ERR user_script:1: bad argument #1 to 'encode_max_depth' (number expected, got string)
return cjson.decode_max_depth()
    :1000
cjson.decode_max_depth(2) local ok,e=pcall(cjson.decode,"[[[]]]") cjson.decode_max_depth(1000) return e
    "Found too many nested data structures (3) at character 3"
cjson.decode_max_depth(2) local ok,e=pcall(cjson.decode,'{"a":{"b":{}}}') cjson.decode_max_depth(1000) return e
    "Found too many nested data structures (3) at character 11"
return {tostring(cjson.encode_sparse_array())}
    ["false"]
local a,b,c=cjson.encode_sparse_array() return {tostring(a),b,c}
    ["false", :2, :10]
cjson.encode_sparse_array(true) local r=cjson.encode({[100]=1}) cjson.encode_sparse_array(false) return r
    "{\"100\":1}"
cjson.encode_sparse_array(true,2,3) local r=cjson.encode({[7]=1}) cjson.encode_sparse_array(false,2,10) return r
    "{\"7\":1}"
cjson.encode_sparse_array(false,0) local r=#cjson.encode({[1000]=1}) cjson.encode_sparse_array(false,2,10) return r
    :4998
cjson.encode_sparse_array(false,1,2) local ok,e=pcall(cjson.encode,{[1]=1,[3]=2}) cjson.encode_sparse_array(false,2,10) return e
    "Cannot serialise table: excessively sparse array"
return cjson.encode_sparse_array("x")
    -ERR user_script:1: bad argument #1 to 'encode_sparse_array' (invalid option 'x')
return cjson.encode_sparse_array(1,2,3,4)
    -ERR user_script:1: bad argument #4 to 'encode_sparse_array' (found too many arguments)
return cjson.encode_sparse_array(true,-1)
    -ERR user_script:1: bad argument #1 to 'encode_sparse_array' (expected integer between 0 and 2147483647)
return tostring(cjson.encode_sparse_array("off"))
    "false"
return tostring(cjson.encode_invalid_numbers())
    "false"
cjson.encode_invalid_numbers(true) local r=cjson.encode({0/0,1/0,-1/0}) cjson.encode_invalid_numbers(false) return r
    "[nan,inf,-inf]"
cjson.encode_invalid_numbers("null") local r=cjson.encode({0/0,1/0,-1/0}) cjson.encode_invalid_numbers("off") return r
    "[null,null,null]"
local r=cjson.encode_invalid_numbers("null") cjson.encode_invalid_numbers("off") return r
    "null"
local r=cjson.encode_invalid_numbers("on") cjson.encode_invalid_numbers("off") return tostring(r)
    "true"
return cjson.encode_invalid_numbers("x")
    -ERR user_script:1: bad argument #1 to 'encode_invalid_numbers' (invalid option 'x')
return cjson.encode_invalid_numbers(5)
    -ERR user_script:1: bad argument #1 to 'encode_invalid_numbers' (invalid option '5')
return tostring(cjson.decode_invalid_numbers())
    "true"
cjson.decode_invalid_numbers(false) local ok,e=pcall(cjson.decode,"[0x10]") cjson.decode_invalid_numbers(true) return e
    "Expected value but found invalid number at character 2"
cjson.decode_invalid_numbers(false) local ok,e=pcall(cjson.decode,"[inf]") cjson.decode_invalid_numbers(true) return e
    "Expected value but found invalid token at character 2"
cjson.decode_invalid_numbers(false) local ok,e=pcall(cjson.decode,"[+1]") cjson.decode_invalid_numbers(true) return e
    "Expected value but found invalid token at character 2"
cjson.decode_invalid_numbers(false) local ok,e=pcall(cjson.decode,"[01]") cjson.decode_invalid_numbers(true) return e
    "Expected value but found invalid number at character 2"
cjson.decode_invalid_numbers(false) local ok,e=pcall(cjson.decode,"[-nan]") cjson.decode_invalid_numbers(true) return e
    "Expected value but found invalid number at character 2"
cjson.decode_invalid_numbers(false) local e=cjson.decode("[1.5,-2,0,1e3]") cjson.decode_invalid_numbers(true) return {tostring(e[1]),e[2],e[3],e[4]}
    ["1.5", :-2, :0, :1000]
return tostring(cjson.encode_keep_buffer())
    "true"
cjson.encode_keep_buffer(false) local r=cjson.encode({1,2}) cjson.encode_keep_buffer(true) return r
    "[1,2]"
return cjson._NAME
    "cjson"
return cjson._VERSION
    "2.1.0"
return type(cjson.null)
    "userdata"
return tostring(cjson.null==cjson.decode("null"))
    "true"
return type(cjson.new)
    "function"
return type(cjson.new())
    "table"
local c=cjson.new() c.encode_max_depth(1) local ok,e=pcall(c.encode,{{}}) return {e,cjson.encode({{}})}
    ["Cannot serialise, excessive nesting (2)", "[{}]"]
local c=cjson.new() c.x=1 return c.x
    :1
local c=cjson.new() return tostring(c.null==cjson.null)
    "true"
cjson.x=1
    -ERR user_script:1: Attempt to modify a readonly table
cjson.encode=nil
    -ERR user_script:1: Attempt to modify a readonly table
return cjson.decode("[1,2,3]")
    [:1, :2, :3]
return cjson.decode('{"a":1}').a
    :1
return cjson.decode('{"a":{"b":[1,{"c":"d"}]}}').a.b[2].c
    "d"
return cjson.decode("  [ 1 , 2 ]  ")
    [:1, :2]
return cjson.decode('"abc"')
    "abc"
return cjson.decode("1")
    :1
return tostring(cjson.decode("1.5"))
    "1.5"
return tostring(cjson.decode("-1.5e3"))
    "-1500"
return tostring(cjson.decode("1E5"))
    "100000"
return tostring(cjson.decode("true"))
    "true"
return tostring(cjson.decode("false"))
    "false"
return tostring(cjson.decode("null"))
    "userdata: (nil)"
return tostring(cjson.decode("0x10"))
    "16"
return tostring(cjson.decode("0x1p3"))
    "8"
return tostring(cjson.decode("0x"))
    -ERR user_script:1: Expected the end but found invalid token at character 2
return tostring(cjson.decode("inf"))
    "inf"
return tostring(cjson.decode("-inf"))
    "-inf"
return tostring(cjson.decode("Infinity"))
    "inf"
return tostring(cjson.decode("nan"))
    "nan"
return tostring(cjson.decode("NaN"))
    "nan"
return tostring(cjson.decode("-nan"))
    "-nan"
return tostring(cjson.decode("nan(x)"))
    "nan"
return tostring(cjson.decode("+5"))
    "5"
return tostring(cjson.decode("+"))
    -ERR user_script:1: Expected value but found invalid number at character 1
return tostring(cjson.decode("-"))
    -ERR user_script:1: Expected value but found invalid number at character 1
return tostring(cjson.decode("01"))
    "1"
return tostring(cjson.decode("1."))
    "1"
return tostring(cjson.decode(".5"))
    -ERR user_script:1: Expected value but found invalid token at character 1
return tostring(cjson.decode("1e"))
    -ERR user_script:1: Expected the end but found invalid token at character 2
return tostring(cjson.decode("1e+"))
    -ERR user_script:1: Expected the end but found invalid token at character 2
return tostring(cjson.decode("1e400"))
    "inf"
return tostring(cjson.decode("12345678901234567890"))
    "1.2345678901235e+19"
return tostring(cjson.decode("123456789012345678901234567890123456789012345678901234567890"))
    "1.2345678901235e+59"
return tostring(cjson.decode("1x"))
    -ERR user_script:1: Expected the end but found invalid token at character 2
return cjson.decode("")
    -ERR user_script:1: Expected value but found T_END at character 1
return cjson.decode(" ")
    -ERR user_script:1: Expected value but found T_END at character 2
return cjson.decode("[")
    -ERR user_script:1: Expected value but found T_END at character 2
return cjson.decode("]")
    -ERR user_script:1: Expected value but found T_ARR_END at character 1
return cjson.decode("[1")
    -ERR user_script:1: Expected comma or array end but found T_END at character 3
return cjson.decode("[1,")
    -ERR user_script:1: Expected value but found T_END at character 4
return cjson.decode("[1,]")
    -ERR user_script:1: Expected value but found T_ARR_END at character 4
return cjson.decode("[,1]")
    -ERR user_script:1: Expected value but found T_COMMA at character 2
return cjson.decode("[1 2]")
    -ERR user_script:1: Expected comma or array end but found T_NUMBER at character 4
return cjson.decode("[1}")
    -ERR user_script:1: Expected comma or array end but found T_OBJ_END at character 3
return cjson.decode("{")
    -ERR user_script:1: Expected object key string but found T_END at character 2
return cjson.decode("}")
    -ERR user_script:1: Expected value but found T_OBJ_END at character 1
return cjson.decode('{"a"')
    -ERR user_script:1: Expected colon but found T_END at character 5
return cjson.decode('{"a":')
    -ERR user_script:1: Expected value but found T_END at character 6
return cjson.decode('{"a":1')
    -ERR user_script:1: Expected comma or object end but found T_END at character 7
return cjson.decode('{"a":1,')
    -ERR user_script:1: Expected object key string but found T_END at character 8
return cjson.decode('{"a":1,}')
    -ERR user_script:1: Expected object key string but found T_OBJ_END at character 8
return cjson.decode('{"a" 1}')
    -ERR user_script:1: Expected colon but found T_NUMBER at character 6
return cjson.decode('{"a":}')
    -ERR user_script:1: Expected value but found T_OBJ_END at character 6
return cjson.decode('{a:1}')
    -ERR user_script:1: Expected object key string but found invalid token at character 2
return cjson.decode('{1:1}')
    -ERR user_script:1: Expected object key string but found T_NUMBER at character 2
return cjson.decode('{"a":1]')
    -ERR user_script:1: Expected comma or object end but found T_ARR_END at character 7
return cjson.decode('{,}')
    -ERR user_script:1: Expected object key string but found T_COMMA at character 2
return cjson.decode('[1]x')
    -ERR user_script:1: Expected the end but found invalid token at character 4
return cjson.decode('[1] [2]')
    -ERR user_script:1: Expected the end but found T_ARR_BEGIN at character 5
return cjson.decode('tru')
    -ERR user_script:1: Expected value but found invalid token at character 1
return cjson.decode('truex')
    -ERR user_script:1: Expected the end but found invalid token at character 5
return cjson.decode('nul')
    -ERR user_script:1: Expected value but found invalid token at character 1
return cjson.decode('True')
    -ERR user_script:1: Expected value but found invalid token at character 1
return cjson.decode('xyz')
    -ERR user_script:1: Expected value but found invalid token at character 1
return cjson.decode('"abc')
    -ERR user_script:1: Expected value but found unexpected end of string at character 5
return cjson.decode('"a\nb"')
    "a\nb"
return cjson.decode('"a\\')
    -ERR user_script:1: Expected value but found invalid escape code at character 3
return cjson.decode('"a\\qb"')
    -ERR user_script:1: Expected value but found invalid escape code at character 3
return cjson.decode('"\\u0041\\u00e9\\u20ac"')
    "A\xc3\xa9\xe2\x82\xac"
return cjson.decode('"\\ud83d\\ude00"')
    "\xf0\x9f\x98\x80"
return cjson.decode('"\\ud83d"')
    -ERR user_script:1: Expected value but found invalid unicode escape code at character 2
return cjson.decode('"\\ud83dx"')
    -ERR user_script:1: Expected value but found invalid unicode escape code at character 2
return cjson.decode('"\\ude00"')
    -ERR user_script:1: Expected value but found invalid unicode escape code at character 2
return cjson.decode('"\\ud83d\\u0041"')
    -ERR user_script:1: Expected value but found invalid unicode escape code at character 2
return cjson.decode('"\\ud83d\\ud83d"')
    -ERR user_script:1: Expected value but found invalid unicode escape code at character 2
return cjson.decode('"\\u00"')
    -ERR user_script:1: Expected value but found invalid unicode escape code at character 2
return cjson.decode('"\\u00zz"')
    -ERR user_script:1: Expected value but found invalid unicode escape code at character 2
return cjson.decode('"\\u+123"')
    -ERR user_script:1: Expected value but found invalid unicode escape code at character 2
return #cjson.decode('"\\u0000"')
    :1
return cjson.decode('"\\"\\\\\\/\\b\\f\\n\\r\\t"')
    "\"\\/\b\x0c\n\r\t"
return cjson.decode("'a'")
    -ERR user_script:1: Expected value but found invalid token at character 1
return cjson.decode('[1]\0')
    [:1]
return cjson.decode('[1]\0garbage')
    [:1]
return cjson.decode('"a\0b"')
    -ERR user_script:1: Expected value but found unexpected end of string at character 3
return cjson.decode('\0')
    -ERR user_script:1: Expected value but found T_END at character 1
return cjson.decode('1\0')
    -ERR user_script:1: JSON parser does not support UTF-16 or UTF-32
return cjson.decode('\0001')
    -ERR user_script:1: JSON parser does not support UTF-16 or UTF-32
return cjson.decode("[true,false,null,1,\"x\",[],{}]")
    *7
      :1
      (nil)
      (nil)
      :1
      "x"
      []
      []
return #cjson.decode("[1,null,3]")
    :3
return cjson.decode("[]")
    []
return cjson.decode("{}")
    []
return cjson.decode('{"a":1,"a":2}').a
    :2
return cjson.decode('{"":1}')[""]
    :1
return cjson.decode('{"1":"x"}')["1"]
    "x"
return cjson.decode(5)
    :5
return cjson.decode({})
    -ERR user_script:1: bad argument #1 to 'decode' (string expected, got table)
return cjson.decode(nil)
    -ERR user_script:1: bad argument #1 to 'decode' (string expected, got nil)
return cjson.decode()
    -ERR user_script:1: bad argument #1 to 'decode' (expected 1 argument)
return cjson.decode("1","2")
    -ERR user_script:1: bad argument #1 to 'decode' (expected 1 argument)
return #cjson.decode(("["):rep(1000)..("]"):rep(1000))
    :1
return cjson.decode(("["):rep(1001)..("]"):rep(1001))
    -ERR user_script:1: Found too many nested data structures (1001) at character 1001
return cjson.decode(("["):rep(100000))
    -ERR user_script:1: Found too many nested data structures (1001) at character 1001
return cjson.decode(('{"a":'):rep(1001))
    -ERR user_script:1: Found too many nested data structures (1001) at character 5001
return cjson.encode(cjson.decode('[1,2.5,"x",null,true,{"a":[]}]'))
    "[1,2.5,\"x\",null,true,{\"a\":{}}]"
return cjson.encode(cjson.decode('{"a":{}}'))
    "{\"a\":{}}"
return cjson.decode("/")
    -ERR user_script:1: Expected value but found invalid token at character 1
return cjson.decode("[1,2,3,4,5,x]")
    -ERR user_script:1: Expected value but found invalid token at character 12
return cjson.decode("\t\r\n[1]\v")
    -ERR user_script:1: Expected the end but found invalid token at character 7
return cjson.nosuch
    (nil)
