return struct.pack("b",1)
    "\x01"
return struct.pack("bB",-1,255)
    "\xff\xff"
return struct.pack("hH",-2,65534)
    "\xfe\xff\xfe\xff"
return struct.pack(">hH",-2,65534)
    "\xff\xfe\xff\xfe"
return struct.pack("lL",-3,3)
    "\xfd\xff\xff\xff\xff\xff\xff\xff\x03\x00\x00\x00\x00\x00\x00\x00"
return struct.pack(">lL",-3,3)
    "\xff\xff\xff\xff\xff\xff\xff\xfd\x00\x00\x00\x00\x00\x00\x00\x03"
return struct.pack("T",5)
    "\x05\x00\x00\x00\x00\x00\x00\x00"
return struct.pack("iI",-4,4)
    "\xfc\xff\xff\xff\x04\x00\x00\x00"
return struct.pack("i1i2i3i4i8",1,2,3,4,5)
    "\x01\x02\x00\x03\x00\x00\x04\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00"
return struct.pack(">i3",0x010203)
    "\x01\x02\x03"
return struct.pack("i16",-1)
    "\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"
return struct.pack("I16",1)
    "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
return struct.pack(">I16",1)
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01"
return struct.pack("i32",5)
    "\x05""\x00"*31
return struct.pack("i33",5)
    -ERR user_script:1: integral size 33 is larger than limit of 32
return struct.pack("i0",5)
    ""
return struct.pack("i99999999999",5)
    -ERR user_script:1: integral size overflow
return struct.pack("f",1.5)
    "\x00\x00\xc0?"
return struct.pack(">f",1.5)
    "?\xc0\x00\x00"
return struct.pack("d",1.5)
    "\x00\x00\x00\x00\x00\x00\xf8?"
return struct.pack(">d",-0.1)
    "\xbf\xb9\x99\x99\x99\x99\x99\x9a"
return struct.pack("f",1e300)
    "\x00\x00\x80\x7f"
return struct.pack("s","abc")
    "abc\x00"
return struct.pack("ss","abc","")
    "abc\x00\x00"
return struct.pack("s","a\0b")
    "a\x00b\x00"
return struct.pack("c3","abcdef")
    "abc"
return struct.pack("c0","abcdef")
    "abcdef"
return struct.pack("c","abcdef")
    "a"
return struct.pack("c10","abc")
    -ERR user_script:1: bad argument #3 to 'pack' (string too short)
return struct.pack("x")
    "\x00"
return struct.pack("bxb",1,2)
    "\x01\x00\x02"
return struct.pack("!4bi",1,2)
    "\x01\x00\x00\x00\x02\x00\x00\x00"
return struct.pack("!bd",1,2)
    "\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00@"
return struct.pack("!8bi2i4i8",1,2,3,4)
    "\x01\x00\x02\x00\x03\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00"
return struct.pack("!1bi",1,2)
    "\x01\x02\x00\x00\x00"
return struct.pack("!2bi",1,2)
    "\x01\x00\x02\x00\x00\x00"
return struct.pack("!3bi",1,2)
    -ERR user_script:1: alignment 3 is not a power of 2
return struct.pack("!0bi",1,2)
    -ERR user_script:1: alignment 0 is not a power of 2
return struct.pack("!4bi3",1,2)
    "\x01\x00\x00\x02\x00\x00"
return struct.pack("> b < h > h",1,2,3)
    "\x01\x02\x00\x00\x03"
return struct.pack("y",1)
    -ERR user_script:1: bad argument #1 to 'pack' (invalid format option 'y')
return struct.pack("b")
    -ERR user_script:1: bad argument #2 to 'pack' (number expected, got nil)
return struct.pack("b","x")
    -ERR user_script:1: bad argument #2 to 'pack' (number expected, got string)
return struct.pack("b","5")
    "\x05"
return struct.pack("b",{})
    -ERR user_script:1: bad argument #2 to 'pack' (number expected, got table)
return struct.pack("s",{})
    -ERR user_script:1: bad argument #2 to 'pack' (string expected, got table)
return struct.pack("s")
    -ERR user_script:1: bad argument #2 to 'pack' (string expected, got nil)
return struct.pack("s",5)
    "5\x00"
return struct.pack()
    -ERR user_script:1: bad argument #1 to 'pack' (string expected, got no value)
return struct.pack("")
    ""
return struct.pack("b",300)
    ","
return struct.pack("b",1.9)
    "\x01"
return struct.pack("b",-1.9)
    "\xff"
return struct.pack("L",2^64)
    "\x00\x00\x00\x00\x00\x00\x00\x00"
return struct.pack("L",2^63)
    "\x00\x00\x00\x00\x00\x00\x00\x80"
return struct.pack("l",1e300)
    "\x00\x00\x00\x00\x00\x00\x00\x00"
return struct.pack("l",-1e300)
    "\x00\x00\x00\x00\x00\x00\x00\x80"
return struct.pack("l",0/0)
    "\x00\x00\x00\x00\x00\x00\x00\x80"
return {struct.unpack("b","\255")}
    [:-1, :2]
return {struct.unpack("B","\255")}
    [:255, :2]
return {struct.unpack("hH","\254\255\254\255")}
    [:-2, :65534, :5]
return {struct.unpack(">hH","\255\254\255\254")}
    [:-2, :65534, :5]
return {struct.unpack("i","\1\2\3\4")}
    [:67305985, :5]
return {struct.unpack(">i","\1\2\3\4")}
    [:16909060, :5]
return {struct.unpack("i3","\1\2\3")}
    [:197121, :4]
return {struct.unpack("i3","\1\2\255")}
    [:-65023, :4]
return {struct.unpack("I3","\1\2\255")}
    [:16712193, :4]
return {tostring(struct.unpack("L","\255\255\255\255\255\255\255\255"))}
    ["1.844674407371e+19"]
return {tostring(struct.unpack("l","\255\255\255\255\255\255\255\255"))}
    ["-1"]
return {tostring(struct.unpack("i16",("\255"):rep(16)))}
    ["-1"]
return {tostring(struct.unpack("I16",("\255"):rep(16)))}
    ["1.844674407371e+19"]
return {tostring(struct.unpack(">i16",("\0"):rep(15).."\5"))}
    ["5"]
return {struct.unpack("i0","")}
    [:0, :1]
return {tostring(struct.unpack("f","\0\0\192\63"))}
    ["1.5"]
return {tostring(struct.unpack(">f","\63\192\0\0"))}
    ["1.5"]
return {tostring(struct.unpack("d","\0\0\0\0\0\0\248\63"))}
    ["1.5"]
return {struct.unpack("s","abc\0def")}
    ["abc", :5]
return {struct.unpack("ss","abc\0def\0")}
    ["abc", "def", :9]
return {struct.unpack("s","abc")}
    -ERR user_script:1: unfinished string in data
return {struct.unpack("c3","abcdef")}
    ["abc", :4]
return {struct.unpack("c10","abc")}
    -ERR user_script:1: bad argument #2 to 'unpack' (data string too short)
return {struct.unpack("Bc0","\3abcdef")}
    ["abc", :5]
return {struct.unpack("Bc0","\9abc")}
    -ERR user_script:1: bad argument #2 to 'unpack' (data string too short)
return {struct.unpack("c0","abc")}
    -ERR user_script:1: format 'c0' needs a previous size
return {struct.unpack("sc0","x\0abc")}
    -ERR user_script:1: format 'c0' needs a previous size
return {struct.unpack("sc0","2\0abc")}
    ["ab", :5]
return {struct.unpack("b","")}
    -ERR user_script:1: bad argument #2 to 'unpack' (data string too short)
return {struct.unpack("b","ab",2)}
    [:98, :3]
return {struct.unpack("b","ab",3)}
    -ERR user_script:1: bad argument #2 to 'unpack' (data string too short)
return {struct.unpack("b","ab",0)}
    -ERR user_script:1: bad argument #3 to 'unpack' (offset must be 1 or greater)
return {struct.unpack("b","ab",-1)}
    -ERR user_script:1: bad argument #2 to 'unpack' (data string too short)
return {struct.unpack("","ab",2)}
    [:2]
return {struct.unpack("","ab",100)}
    [:100]
return {struct.unpack("x","ab")}
    [:2]
return {struct.unpack("!4bi","\1\0\0\0\2\0\0\0")}
    [:1, :2, :9]
return {struct.unpack("y","ab")}
    -ERR user_script:1: bad argument #1 to 'unpack' (invalid format option 'y')
return {struct.unpack("b")}
    -ERR user_script:1: bad argument #2 to 'unpack' (string expected, got no value)
return {struct.unpack()}
    -ERR user_script:1: bad argument #1 to 'unpack' (string expected, got no value)
return {struct.unpack("b",{})}
    -ERR user_script:1: bad argument #2 to 'unpack' (string expected, got table)
return {struct.unpack("i33","x")}
    -ERR user_script:1: integral size 33 is larger than limit of 32
return select('#',struct.unpack(("b"):rep(100),("x"):rep(100)))
    :101
return select('#',struct.unpack(("b"):rep(10000),("x"):rep(10000)))
    -ERR user_script:1: stack overflow (too many results)
return {struct.unpack("c2147483647","x")}
    -ERR user_script:1: bad argument #2 to 'unpack' (data string too short)
return {struct.unpack("c2147483648","x")}
    -ERR user_script:1: integral size overflow
return {struct.unpack("Lc0","\255\255\255\255\255\255\255\255x")}
    ["", :9]
return {struct.unpack("dc0",struct.pack("d",2).."abc")}
    ["ab", :11]
return struct.size("b")
    :1
return struct.size("bhild")
    :23
return struct.size("!8bhild")
    :24
return struct.size("!bi")
    :8
return struct.size("s")
    -ERR user_script:1: bad argument #1 to 'size' (option 's' has no fixed size)
return struct.size("c0")
    -ERR user_script:1: bad argument #1 to 'size' (option 'c0' has no fixed size)
return struct.size("c5")
    :5
return struct.size("y")
    :0
return struct.size("xx")
    :2
return struct.size(" > < ")
    :0
return struct.size("i3i5")
    :8
return struct.size("i33")
    -ERR user_script:1: integral size 33 is larger than limit of 32
return struct.size("")
    :0
return struct.size()
    -ERR user_script:1: bad argument #1 to 'size' (string expected, got no value)
return struct.size("c2147483647c2147483647")
    :4294967294
return struct.size("!3")
    -ERR user_script:1: alignment 3 is not a power of 2
return struct.size("f!16d")
    :16
return {struct.unpack(">I2I4",struct.pack(">I2I4",513,67305985))}
    [:513, :67305985, :7]
return struct.nosuch
    (nil)
struct.x=1
    -ERR user_script:1: Attempt to modify a readonly table
