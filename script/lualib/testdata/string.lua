return string.len("abc")
    :3
return string.len("a\0b")
    :3
return string.len(123)
    :3
return string.len()
    -ERR user_script:1: bad argument #1 to 'len' (string expected, got no value)
return string.len({})
    -ERR user_script:1: bad argument #1 to 'len' (string expected, got table)
return ("abc"):upper()
    "ABC"
return string.upper("aé1z")
    "A\xc3\xa91Z"
return string.lower("ABCz[")
    "abcz["
return string.reverse("abc")
    "cba"
return string.reverse("")
    ""
return string.sub("hello",2,3)
    "el"
return string.sub("hello",-3)
    "llo"
return string.sub("hello",2)
    "ello"
return string.sub("hello",0)
    "hello"
return string.sub("hello",-100,2)
    "he"
return string.sub("hello",3,2)
    ""
return string.sub("hello",2,100)
    "ello"
return string.sub("hello",-3,-2)
    "ll"
return string.sub("hello",1.9)
    "hello"
return string.sub("hello","2")
    "ello"
return string.sub("hello")
    -ERR user_script:1: bad argument #2 to 'sub' (number expected, got no value)
return string.sub("hello",nil)
    -ERR user_script:1: bad argument #2 to 'sub' (number expected, got nil)
return string.sub("hello",1e300)
    "hello"
return string.sub("hello",-1e300)
    "hello"
return string.byte("A")
    :65
return {string.byte("hello",1,-1)}
    [:104, :101, :108, :108, :111]
return {string.byte("hello",10)}
    []
return {string.byte("hello",0)}
    []
return {string.byte("hello",-2)}
    [:108]
return {string.byte("hello",2,3)}
    [:101, :108]
return select('#',string.byte(("x"):rep(7000),1,-1))
    :7000
return select('#',string.byte(("x"):rep(10000),1,-1))
    -ERR user_script:1: stack overflow (string slice too long)
return string.char(72,105)
    "Hi"
return string.char()
    ""
return string.char(256)
    -ERR user_script:1: bad argument #1 to 'char' (invalid value)
return string.char(-1)
    -ERR user_script:1: bad argument #1 to 'char' (invalid value)
return string.char("65")
    "A"
return string.char(65.9)
    "A"
return string.char({})
    -ERR user_script:1: bad argument #1 to 'char' (number expected, got table)
return string.rep("ab",3)
    "ababab"
return string.rep("ab",0)
    ""
return string.rep("ab",-1)
    ""
return string.rep("","1000000")
    ""
return string.rep(5,2)
    "55"
return string.rep("x","3")
    "xxx"
return string.rep("x","a")
    -ERR user_script:1: bad argument #2 to 'rep' (number expected, got string)
return #string.rep("x",2.9)
    :2
return string.format("%d","3.7")
    "3"
return string.format("%d",3.7)
    "3"
return string.format("%d",-3.7)
    "-3"
return string.format("%s")
    -ERR user_script:1: bad argument #2 to 'format' (no value)
return string.format("%s",nil)
    -ERR user_script:1: bad argument #2 to 'format' (string expected, got nil)
return string.format("%s",true)
    -ERR user_script:1: bad argument #2 to 'format' (string expected, got boolean)
return string.format("%s",{})
    -ERR user_script:1: bad argument #2 to 'format' (string expected, got table)
return string.format("%s",12)
    "12"
return string.format("%s",1.5)
    "1.5"
return string.format("%s %s","a","b")
    "a b"
return string.format("%%")
    "%"
return string.format("%")
    -ERR user_script:1: bad argument #2 to 'format' (no value)
return string.format("abc%")
    -ERR user_script:1: bad argument #2 to 'format' (no value)
return string.format("%y",1)
    -ERR user_script:1: invalid option '%y' to 'format'
return string.format("%q",'a\nb"c\0d\r\\')
    "\"a\\\nb\\\"c\\000d\\r\\\\\""
return string.format("%q",5)
    "\"5\""
return string.format("%10q",'a')
    "\"a\""
return string.format("%10.3s|","abcdef")
    "       abc|"
return string.format("%-10s|","abc")
    "abc       |"
return string.format("%10s|","abc")
    "       abc|"
return string.format("%.0s|","abc")
    "|"
return string.format("%.s|","abc")
    "|"
return string.format("%s|",("x"):rep(150))
    "x"*150"|"
return #string.format("%99s|",("x"):rep(120))
    :121
return #string.format("%99s|",("x"):rep(80))
    :100
return string.format("%5d|%-5d|%05d|%+d|% d|%x|%X|%#x|%o|%c|%e|%g|%G|%i|%u",1,2,3,4,5,255,255,255,8,65,1.5,1e20,1e-10,7,-1)
    "    1|2    |00003|+4| 5|ff|FF|0xff|10|A|1.500000e+00|1e+20|1E-10|7|18446744073709551615"
return string.format("%#o|%#X|%#x",8,255,0)
    "010|0XFF|0"
return string.format("%.5d|%8.5d|%-8.5d|%08.5d|%.0d|%+.3d",42,42,42,42,0,7)
    "00042|   00042|00042   |   00042||+007"
return string.format("%5.2f|%-8.3f|%08.2f|%+.1f|% f",3.14159,2.5,-1.5,2,1)
    " 3.14|2.500   |-0001.50|+2.0| 1.000000"
return string.format("%.20f",0.1)
    "0.10000000000000000555"
return string.format("%.3f",2.0005)
    "2.001"
return string.format("%.0f",0.5)
    "0"
return string.format("%.0f",1.5)
    "2"
return string.format("%#.0f",1)
    "1."
return string.format("%e|%.0e|%#.0e|%.10e|%E",12345.678,12345.678,12345.678,1/3,1e-300)
    "1.234568e+04|1e+04|1.e+04|3.3333333333e-01|1.000000E-300"
return string.format("%g|%g|%g|%g|%g|%g",100000,1000000,0.0001,0.00001,1e15,123456789)
    "100000|1e+06|0.0001|1e-05|1e+15|1.23457e+08"
return string.format("%.3g|%.10g|%.17g|%.14g|%.0g|%.1g",1234.5,1234.5,0.1,0.1,1234,0.05)
    "1.23e+03|1234.5|0.10000000000000001|0.1|1e+03|0.05"
return string.format("%#g|%#.3g|%#g|%#g",1,1,1e10,1e-10)
    "1.00000|1.00|1.00000e+10|1.00000e-10"
return string.format("%10g|%-10g|%010g|%+g",1.5,1.5,1.5,1.5)
    "       1.5|1.5       |00000001.5|+1.5"
return string.format("%f",1e15)
    "1000000000000000.000000"
return string.format("%f",1e300)
    "1000000000000000052504760255204420248704468581108159154915854115511802457988908195786371375080447864043704443832883878176942523235360430575644792184786706982848387200926575803737830233794788090059368953234970799945081119038967640880074652742780142494579258788820056842838115669472196386865459400540160.000000"
return string.format("%g|%f|%e|%G|%5g|%-6g|%06g",1/0,-1/0,1/0,1/0,1/0,1/0,1/0)
    "inf|-inf|inf|INF|  inf|inf   |   inf"
return string.format("%g",0/0)
    "-nan"
return string.format("%100d",1)
    -ERR user_script:1: invalid format (width or precision too long)
return string.format("%.100f",1)
    -ERR user_script:1: invalid format (width or precision too long)
return string.format("%.99f",1)
    "1.""0"*99
return string.format("%99.99f",1)
    "1.""0"*99
return string.format("%-+ #0-d",1)
    -ERR user_script:1: invalid format (repeated flags)
return string.format("%-+ #0d|",1)
    "+1|"
return string.format("%a",1)
    -ERR user_script:1: invalid option '%a' to 'format'
return string.format("%ld",1)
    -ERR user_script:1: invalid option '%l' to 'format'
return string.format("%p",1)
    -ERR user_script:1: invalid option '%p' to 'format'
return string.format("%x",-1)
    "ffffffffffffffff"
return string.format("%d",1e20)
    "-9223372036854775808"
return string.format("%d",-1e20)
    "-9223372036854775808"
return string.format("%d",2^53)
    "9007199254740992"
return string.format("%u",2^63)
    "9223372036854775808"
return string.format("%x",1e20)
    "0"
return string.format("%d",0/0)
    "-9223372036854775808"
return string.format("%d","x")
    -ERR user_script:1: bad argument #2 to 'format' (number expected, got string)
return string.format("%d",{})
    -ERR user_script:1: bad argument #2 to 'format' (number expected, got table)
return string.format("%d",nil)
    -ERR user_script:1: bad argument #2 to 'format' (number expected, got nil)
return string.format("%c",0)
    ""
return string.format("%c%c",65,66)
    "AB"
return string.format("%5c|%-5c|",65,66)
    "    A|B    |"
return string.format(5)
    "5"
return string.format()
    -ERR user_script:1: bad argument #1 to 'format' (string expected, got no value)
return string.format("%s","a\0b")
    "a"
return string.format("%5s","a\0b")
    "    a"
return string.format("%d%d",1)
    -ERR user_script:1: bad argument #3 to 'format' (no value)
return string.format("%i",5)
    "5"
return tostring(1e15)
    "1e+15"
return tostring(1e14)
    "1e+14"
return tostring(99999999999999)
    "99999999999999"
return tostring(123456789012345678)
    "1.2345678901235e+17"
return tostring(0.1)
    "0.1"
return tostring(1/3)
    "0.33333333333333"
return tostring(100/3)
    "33.333333333333"
return tostring(-0)
    "-0"
return tostring(0/0)
    "-nan"
return tostring(-(0/0))
    "nan"
return tostring(1/0)
    "inf"
return tostring(-1/0)
    "-inf"
return tostring(3.14159265358979)
    "3.1415926535898"
return tostring(1e-5)
    "1e-05"
return tostring(0.0001)
    "0.0001"
return tostring(5e-324)
    "4.9406564584125e-324"
return tostring(1.7976931348623157e308)
    "1.7976931348623e+308"
return tostring(2^31)
    "2147483648"
return tostring(2^53)
    "9.007199254741e+15"
return tostring(tonumber('0x10'))
    "16"
return tostring(tonumber('0x'))
    "nil"
return tostring(tonumber('0xg'))
    "nil"
return tostring(tonumber('1e1'))
    "10"
return tostring(tonumber(' 10 '))
    "10"
return tostring(tonumber('10a'))
    "nil"
return tostring(tonumber('ff',16))
    "255"
return tostring(tonumber('0xff',16))
    "255"
return tostring(tonumber('zz',36))
    "1295"
return tostring(tonumber('8',8))
    "nil"
return tostring(tonumber('',10))
    "nil"
return tostring(tonumber('',16))
    "nil"
return tostring(tonumber(' ',16))
    "nil"
return tostring(tonumber(' ff ',16))
    "255"
return tostring(tonumber('-ff',16))
    "1.844674407371e+19"
return tostring(tonumber('+7',8))
    "7"
return tostring(tonumber('99999999999999999999999',16))
    "1.844674407371e+19"
return tostring(tonumber('1.5',10))
    "1.5"
return tostring(tonumber('1.5',9))
    "nil"
return tostring(tonumber('inf'))
    "inf"
return tostring(tonumber('-inf'))
    "-inf"
return tostring(tonumber('infinity'))
    "inf"
return tostring(tonumber('nan'))
    "nan"
return tostring(tonumber('-nan'))
    "-nan"
return tostring(tonumber('0x1p4'))
    "16"
return tostring(tonumber('0x.8'))
    "0.5"
return tostring(tonumber('0x1.8p1'))
    "3"
return tostring(tonumber('1_000'))
    "nil"
return tostring(tonumber('1',99))
    -ERR user_script:1: bad argument #2 to 'tonumber' (base out of range)
return tostring(tonumber('1',1))
    -ERR user_script:1: bad argument #2 to 'tonumber' (base out of range)
return tostring(tonumber())
    -ERR user_script:1: bad argument #1 to 'tonumber' (value expected)
return tostring(tonumber(nil))
    "nil"
return tostring(tonumber({}))
    "nil"
return tostring(tonumber(true))
    "nil"
return tostring(tonumber(5,16))
    "5"
return tostring(tonumber({},16))
    -ERR user_script:1: bad argument #1 to 'tonumber' (string expected, got table)
return tostring(tonumber('\v1'))
    "1"
return tostring(tonumber('.5'))
    "0.5"
return tostring(tonumber('5.'))
    "5"
return tostring(tonumber('.'))
    "nil"
return tostring(tonumber('1e'))
    "nil"
return tostring(tonumber('1e400'))
    "inf"
return tostring(tonumber('-1e400'))
    "-inf"
return tostring(tonumber('1e-400'))
    "0"
return tostring(tonumber('0b1'))
    "nil"
return tostring(tonumber('010'))
    "10"
return tostring(tonumber('- 1'))
    "nil"
return tostring(tonumber('--1'))
    "nil"
return tostring(tonumber('+-1'))
    "nil"
return tostring(tonumber('+1'))
    "1"
return tostring(tonumber('1\0'))
    "1"
return tostring(tonumber(''))
    "nil"
return tostring(tonumber(' '))
    "nil"
return tostring(tonumber('123456789012345678901234567890'))
    "1.2345678901235e+29"
return {string.find("hello","l")}
    [:3, :3]
return {string.find("hello","xyz")}
    []
return {string.find("hello","")}
    [:1, :0]
return {string.find("hello","",10)}
    [:6, :5]
return {string.find("hello","",6)}
    [:6, :5]
return {string.find("hello","l",-2)}
    [:4, :4]
return {string.find("hello","(l)(l)")}
    [:3, :4, "l", "l"]
return {string.find("a.b",".",1,true)}
    [:2, :2]
return {string.find("a.b","%.")}
    [:2, :2]
return {string.find("a+b","+",1,true)}
    [:2, :2]
return {string.find("abc","b",-10)}
    [:2, :2]
return {string.find("a\0b","\0b")}
    [:2, :3]
return {string.find("a\0b","%z")}
    [:2, :2]
return {string.find("abc","^b")}
    []
return {string.find("abc","^b",2)}
    [:2, :2]
return {string.find("abc","c$")}
    [:3, :3]
return {string.find("abc","b$")}
    []
return {string.find("a$b","a$b")}
    [:1, :3]
return {string.find("abc","()b()")}
    [:2, :2, :2, :3]
return {string.find("abc")}
    -ERR user_script:1: bad argument #2 to 'find' (string expected, got no value)
return {string.find("abc",nil)}
    -ERR user_script:1: bad argument #2 to 'find' (string expected, got nil)
return {string.find(123,2)}
    [:2, :2]
return {string.match("hello world","(%w+) (%w+)")}
    ["hello", "world"]
return string.match("key=value","=(.*)")
    "value"
return string.match("  trim  ","^%s*(.-)%s*$")
    "trim"
return {string.match("2024-01-02","(%d+)-(%d+)-(%d+)")}
    ["2024", "01", "02"]
return string.match("abc","[a-b]+")
    "ab"
return string.match("abc","[^a-b]+")
    "c"
return string.match("a-c","[a%-]+")
    "a-"
return string.match("a]c","[]a]+")
    "a]"
return string.match("a^c","[a^]+")
    "a^"
return string.match("x","[a-]")
    (nil)
return string.match("-","[a-]")
    "-"
return string.match("abc","[%a]+")
    "abc"
return string.match("abc123","%a+")
    "abc"
return string.match("abc123","%A+")
    "123"
return string.match("\1\2a","%c+")
    "\x01\x02"
return string.match("a.,b","%p+")
    ".,"
return string.match("ff0gz","%x+")
    "ff0"
return string.match("FooBar","%u%l+",2)
    "Bar"
return string.match("  \t\n x","%s+x")
    "  \t\n x"
return string.match("été","%a+")
    "t"
return string.match("f(a(b)c)d","%b()")
    "(a(b)c)"
return string.match("THE (quick) fox","%f[%a]%a+",5)
    "quick"
return string.gsub("THE (quick) fox","%f[%a]%a+","X")
    "X (X) X"
return string.match("hello","(h)(e)(l)%3")
    "h"
return string.match("hello","(h)%2")
    -ERR user_script:1: invalid capture index
return string.match("hello","%1")
    -ERR user_script:1: invalid capture index
return string.match("hello","(")
    -ERR user_script:1: unfinished capture
return string.match("hello",")")
    -ERR user_script:1: invalid pattern capture
return string.match("hello","(h")
    -ERR user_script:1: unfinished capture
return string.match("hello","[a")
    -ERR user_script:1: malformed pattern (missing ']')
return string.match("hello","[")
    -ERR user_script:1: malformed pattern (missing ']')
return string.match("hello","[^")
    -ERR user_script:1: malformed pattern (missing ']')
return string.match("hello","[%")
    -ERR user_script:1: malformed pattern (missing ']')
return string.match("hello","%")
    -ERR user_script:1: malformed pattern (ends with '%')
return string.match("hello","%b")
    -ERR user_script:1: unbalanced pattern
return string.match("hello","%bx")
    -ERR user_script:1: unbalanced pattern
return string.match("hello","%f")
    -ERR user_script:1: missing '[' after '%f' in pattern
return string.match("hello",("(h"):rep(33))
    (nil)
return string.match("hello","h?e?x?l*")
    "hell"
return string.match("aaab","a-b")
    "aaab"
return string.match("aaab","a-")
    ""
return string.match("aaab","a+b")
    "aaab"
return string.match("aaa","a*?")
    (nil)
return string.match("a*b","a%*b")
    "a*b"
return string.match("aXb","a.b")
    "aXb"
return string.match("hello",".-(l+)(.*)")
    "ll"
return string.match("abc","",2)
    ""
return string.match("abc","^(.)")
    "a"
return string.match("äö","..")
    "\xc3\xa4"
return {string.gsub("hello","l","L")}
    ["heLLo", :2]
return {string.gsub("hello","l","L",1)}
    ["heLlo", :1]
return {string.gsub("hello","l","L",0)}
    ["hello", :0]
return {string.gsub("hello","l","L",-1)}
    ["hello", :0]
return {string.gsub("hello","","-")}
    ["-h-e-l-l-o-", :6]
return {string.gsub("hello",".","%0%0")}
    ["hheelllloo", :5]
return {string.gsub("hello world","(%w+) (%w+)","%2 %1")}
    ["world hello", :1]
return {string.gsub("hello","(l)(l)","%3")}
    -ERR user_script:1: invalid capture index
return {string.gsub("hello","l","%1")}
    ["hello", :2]
return {string.gsub("hello","l","%9")}
    -ERR user_script:1: invalid capture index
return {string.gsub("hello","l","%%")}
    ["he%%o", :2]
return {string.gsub("hello","l","%x")}
    ["hexxo", :2]
return {string.gsub("hello","l","a%")}
    ["hea\x00a\x00o", :2]
return {string.gsub("hello","l",{l="L"})}
    ["heLLo", :2]
return {string.gsub("hello","(.)(l)",{e="E"})}
    ["hElo", :1]
return {string.gsub("hello","l",{l=false})}
    ["hello", :2]
return {string.gsub("hello","l",{l=true})}
    -ERR user_script:1: invalid replacement value (a boolean)
return {string.gsub("hello","l",{l={}})}
    -ERR user_script:1: invalid replacement value (a table)
return {string.gsub("hello","l",{l=1.5})}
    ["he1.51.5o", :2]
return {string.gsub("hello","l",function(c) return c:upper() end)}
    ["heLLo", :2]
return {string.gsub("hello","(h)(e)",function(a,b) return b..a end)}
    ["ehllo", :1]
return {string.gsub("hello","l",function() end)}
    ["hello", :2]
return {string.gsub("hello","l",function() return false end)}
    ["hello", :2]
return {string.gsub("hello","l",function() return {} end)}
    -ERR user_script:1: invalid replacement value (a table)
return {string.gsub("hello","l",function() return 5 end)}
    ["he55o", :2]
return {string.gsub("hello","l",function() error("in") end)}
    -ERR user_script:1: in
return {string.gsub("hello","l",5)}
    ["he55o", :2]
return {string.gsub("hello","l")}
    -ERR user_script:1: bad argument #3 to 'gsub' (string/function/table expected)
return {string.gsub("hello","l",nil)}
    -ERR user_script:1: bad argument #3 to 'gsub' (string/function/table expected)
return {string.gsub("hello","l",true)}
    -ERR user_script:1: bad argument #3 to 'gsub' (string/function/table expected)
return {string.gsub("hello","^h","H")}
    ["Hello", :1]
return {string.gsub("hhh","^h","H")}
    ["Hhh", :1]
return {string.gsub("abc","$","x")}
    ["abcx", :1]
return {string.gsub("abc def","%w*","x")}
    ["xx xx", :4]
return {string.gsub("abc","b*","-")}
    ["-a--c-", :4]
return {string.gsub("a\0b","%z","0")}
    ["a0b", :1]
return {string.gsub("a\0b","\0","0")}
    ["0a0\x000b0", :4]
return {string.gsub("abc","(b","x")}
    ["axc", :1]
return {string.gsub("x","x",("ab"):rep(3))}
    ["ababab", :1]
return {string.gsub("hello",setmetatable({},{__tostring=function() return 'l' end}),"x")}
    -ERR user_script:1: bad argument #2 to 'gsub' (string expected, got table)
return {string.gsub("abc","%w",setmetatable({},{__index=function(t,k) return k.."!" end}))}
    ["a!b!c!", :3]
local r={} for k in string.gmatch("one two","%a+") do r[#r+1]=k end return r
    ["one", "two"]
local r={} for k,v in string.gmatch("a=1, b=2","(%w+)=(%w+)") do r[#r+1]=k..v end return r
    ["a1", "b2"]
local r={} for k in string.gmatch("abc","") do r[#r+1]=k end return #r
    :4
local r={} for k in string.gmatch("abc","^a") do r[#r+1]=k end return #r
    :0
local r={} for k in string.gmatch("a^a","^a") do r[#r+1]=k end return r
    ["^a"]
local r={} for k in string.gmatch("abab","a()") do r[#r+1]=k end return r
    [:2, :4]
return string.gmatch("a")
    -ERR user_script:1: bad argument #2 to 'gmatch' (string expected, got no value)
return type(string.gmatch("a","a"))
    "function"
return string.gfind("a","a")()
    "a"
local f=string.gmatch("ab","%w") return {f(),f(),f()}
    ["a", "b"]
return {string.gsub("abc","%w",string.gmatch("xyz","%w"))}
    ["xyz", :3]
return string.dump("x")
    -ERR user_script:1: bad argument #1 to 'dump' (function expected, got string)
return #string.rep("x",100000):gsub("x","yy")
    :200000
return string.rep("a",500):match(".-b")
    (nil)
return string.rep("a",500):match("a*b")
    (nil)
return #string.rep("a",100000):match(".*")
    :100000
return {("x"):find("x")}
    [:1, :1]
return ("%d"):format(5)
    "5"
return ("abc"):len()
    :3
return #"abc"
    :3
return ("x"):rep(3)
    "xxx"
return string["format"]("%s","x")
    "x"
return ("a,b,,c"):gsub(",",";")
    "a;b;;c"
return table.concat({("a,b"):match("([^,]*),([^,]*)")},"|")
    "a|b"
