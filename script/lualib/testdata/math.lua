return tostring(math.pi)
    "3.1415926535898"
return tostring(math.huge)
    "inf"
return tostring(math.abs(-5.5))
    "5.5"
return tostring(math.ceil(1.2))
    "2"
return tostring(math.floor(-1.2))
    "-2"
return tostring(math.sqrt(2))
    "1.4142135623731"
return tostring(math.sqrt(-1))
    "-nan"
return tostring(math.exp(1))
    "2.718281828459"
return tostring(math.log(10))
    "2.302585092994"
return tostring(math.log(0))
    "-inf"
return tostring(math.log(-1))
    "-nan"
return tostring(math.log10(1000))
    "3"
return tostring(math.sin(1))
    "0.8414709848079"
return tostring(math.cos(1))
    "0.54030230586814"
return tostring(math.tan(1))
    "1.5574077246549"
return tostring(math.asin(1))
    "1.5707963267949"
return tostring(math.acos(0.5))
    "1.0471975511966"
return tostring(math.acos(2))
    "nan"
return tostring(math.atan(1))
    "0.78539816339745"
return tostring(math.atan2(1,-1))
    "2.3561944901923"
return tostring(math.sinh(1))
    "1.1752011936438"
return tostring(math.cosh(1))
    "1.5430806348152"
return tostring(math.tanh(1))
    "0.76159415595576"
return tostring(math.deg(math.pi))
    "180"
return tostring(math.rad(180))
    "3.1415926535898"
return tostring(math.pow(2,0.5))
    "1.4142135623731"
return tostring(math.pow(2,-1))
    "0.5"
return tostring(math.fmod(5,3))
    "2"
return tostring(math.fmod(-5,3))
    "-2"
return tostring(math.fmod(5,0))
    "-nan"
return tostring(math.fmod(5,math.huge))
    "5"
return tostring(math.mod(7,4))
    "3"
return {math.frexp(10)}
    [:0, :4]
return tostring(math.frexp(10))
    "0.625"
return tostring(math.ldexp(0.5,4))
    "8"
return tostring(math.ldexp(1,2000))
    "inf"
return {tostring(math.modf(3.7)),tostring(select(2,math.modf(3.5)))}
    ["3", "0.5"]
return {tostring(math.modf(-3.5)),tostring(select(2,math.modf(-3.5)))}
    ["-3", "-0.5"]
return {tostring(math.modf(math.huge)),tostring(select(2,math.modf(math.huge)))}
    ["inf", "0"]
return {tostring(math.modf(-math.huge)),tostring(select(2,math.modf(-math.huge)))}
    ["-inf", "-0"]
return {tostring(math.modf(5)),tostring(select(2,math.modf(5)))}
    ["5", "0"]
return math.max(1,5,3)
    :5
return math.max()
    -ERR user_script:1: bad argument #1 to 'max' (number expected, got no value)
return math.max("10",9)
    :10
return math.max(1,"x")
    -ERR user_script:1: bad argument #2 to 'max' (number expected, got string)
return math.min(4,2,8)
    :2
return math.min()
    -ERR user_script:1: bad argument #1 to 'min' (number expected, got no value)
return tostring(math.max(0/0,1))
    "-nan"
return tostring(math.max(1,0/0))
    "1"
return math.abs("-5")
    :5
return math.abs("x")
    -ERR user_script:1: bad argument #1 to 'abs' (number expected, got string)
return math.abs()
    -ERR user_script:1: bad argument #1 to 'abs' (number expected, got no value)
return math.floor(nil)
    -ERR user_script:1: bad argument #1 to 'floor' (number expected, got nil)
return tostring(math.random())
    "0.39646477363839"
return {math.random(10),math.random(10),math.random(10),math.random(10)}
    [:9, :4, :5, :4]
return {math.random(5,10),math.random(5,10),math.random(-5,5)}
    [:10, :5, :1]
math.randomseed(42) return {math.random(1000),math.random(1000),math.random(1000)}
    [:745, :343, :112]
math.randomseed(-1) return {math.random(1000),math.random(1000),math.random(1000)}
    [:301, :46, :358]
math.randomseed(1e10) return {math.random(1000),math.random(1000),math.random(1000)}
    [:827, :187, :530]
math.randomseed(123456789) local t={} for i=1,20 do t[i]=math.random(0,2^30) end return t
    *20
      :56337587
      :27320519
      :106592507
      :468291106
      :351908328
      :881759253
      :601824975
      :19496068
      :937116322
      :700611817
      :261642658
      :865488864
      :782211407
      :637736305
      :842703640
      :177355848
      :697946574
      :14416631
      :813371755
      :111154227
math.randomseed("7") return math.random(100)
    :27
math.randomseed()
    -ERR user_script:1: bad argument #1 to 'randomseed' (number expected, got no value)
math.randomseed("x")
    -ERR user_script:1: bad argument #1 to 'randomseed' (number expected, got string)
return math.random(0)
    -ERR user_script:1: bad argument #1 to 'random' (interval is empty)
return math.random(5,1)
    -ERR user_script:1: bad argument #2 to 'random' (interval is empty)
return math.random(1,2,3)
    -ERR user_script:1: wrong number of arguments
return math.random("x")
    -ERR user_script:1: bad argument #1 to 'random' (number expected, got string)
return math.random(1.9)
    :1
return math.random(2^31-1)
    :343515132
return math.random(2^31)
    -ERR user_script:1: bad argument #1 to 'random' (interval is empty)
return math.random(-2^31,2^31-1)
    :-2147483648
return tostring(math.floor(2^53))
    "9.007199254741e+15"
return tostring(math.floor(1e300))
    "1e+300"
return math.nosuch
    (nil)
math.pi=3
    -ERR user_script:1: Attempt to modify a readonly table
return type(math.random)
    "function"
local t={} for i=1,5 do t[i]=tostring(math.random()) end return t
    ["0.093344876120493", "0.78218823009272", "0.89104651282125", "0.53276182037441", "0.88783332141481"]
return bit.tobit(0xffffffff)
    :-1
return bit.tobit(0xffffffff+1)
    :0
return bit.tobit(2^40+1234)
    :1234
return bit.tobit(-1)
    :-1
return bit.tobit(1.5)
    :2
return bit.tobit(2.5)
    :2
return bit.tobit(-1.5)
    :-2
return bit.tobit(1e15)
    :-1530494976
return bit.tobit(2^53)
    :0
return bit.tobit(1e300)
    :-2013235812
return bit.tobit(0/0)
    :0
return bit.tobit(1/0)
    :0
return bit.tobit("5")
    :5
return bit.tobit("0xff")
    :255
return bit.tobit("x")
    -ERR user_script:1: bad argument #1 to 'tobit' (number expected, got string)
return bit.tobit()
    -ERR user_script:1: bad argument #1 to 'tobit' (number expected, got no value)
return bit.tobit(nil)
    -ERR user_script:1: bad argument #1 to 'tobit' (number expected, got nil)
return bit.tobit({})
    -ERR user_script:1: bad argument #1 to 'tobit' (number expected, got table)
return bit.tobit(true)
    -ERR user_script:1: bad argument #1 to 'tobit' (number expected, got boolean)
return bit.bnot(0)
    :-1
return bit.bnot(0x12345678)
    :-305419897
return bit.band(0x12345678,0xff)
    :120
return bit.band(1)
    :1
return bit.band()
    -ERR user_script:1: bad argument #1 to 'band' (number expected, got no value)
return bit.band(7,3,2)
    :2
return bit.bor(1,2,4,8)
    :15
return bit.bxor(0xa5a5f0f0,0xaa55ff00)
    :267390960
return bit.bor(1,"x")
    -ERR user_script:1: bad argument #2 to 'bor' (number expected, got string)
return bit.bor(1,nil)
    -ERR user_script:1: bad argument #2 to 'bor' (number expected, got nil)
return bit.lshift(1,0)
    :1
return bit.lshift(1,8)
    :256
return bit.lshift(1,40)
    :256
return bit.lshift(0x87654321,12)
    :1412567040
return bit.lshift(1,-1)
    :-2147483648
return bit.lshift(1)
    -ERR user_script:1: bad argument #2 to 'lshift' (number expected, got no value)
return bit.rshift(256,8)
    :1
return bit.rshift(-256,8)
    :16777215
return bit.arshift(256,8)
    :1
return bit.arshift(-256,8)
    :-1
return bit.rol(0x12345678,12)
    :1164411171
return bit.ror(0x12345678,12)
    :1736516421
return bit.rol(0x12345678,0)
    :305419896
return bit.ror(0x12345678,32)
    :305419896
return bit.bswap(0x12345678)
    :2018915346
return bit.tohex(1)
    "00000001"
return bit.tohex(-1)
    "ffffffff"
return bit.tohex(0xffffffff)
    "ffffffff"
return bit.tohex(-1,-8)
    "FFFFFFFF"
return bit.tohex(0x21,4)
    "0021"
return bit.tohex(0x87654321,4)
    "4321"
return bit.tohex(0x87654321,0)
    ""
return bit.tohex(0x87654321,100)
    "87654321"
return bit.tohex(0x87654321,-100)
    "87654321"
return bit.tohex(0x87654321,-2^31)
    "87654321"
return bit.tohex()
    -ERR user_script:1: bad argument #1 to 'tohex' (number expected, got no value)
return bit.tohex(1,nil)
    -ERR user_script:1: bad argument #2 to 'tohex' (number expected, got nil)
return bit.tohex(1,"x")
    -ERR user_script:1: bad argument #2 to 'tohex' (number expected, got string)
return bit.nosuch
    (nil)
bit.x=1
    -ERR user_script:1: Attempt to modify a readonly table
