return (
    -ERR user_script:1: unexpected symbol near '<eof>'
return )
    -ERR user_script:1: unexpected symbol near ')'
x x
    -ERR user_script:1: '=' expected near 'x'
x =
    -ERR user_script:1: unexpected symbol near '<eof>'
local = 1
    -ERR user_script:1: '<name>' expected near '='
if x then
    -ERR user_script:1: 'end' expected near '<eof>'
if x y
    -ERR user_script:1: 'then' expected near 'y'
for i=1 do end
    -ERR user_script:1: ',' expected near 'do'
for 1 in x do end
    -ERR user_script:1: '<name>' expected near '1'
for i in x
    -ERR user_script:1: 'do' expected near '<eof>'
return 1 2
    -ERR user_script:1: '<eof>' expected near '2'
return "abc
    -ERR user_script:1: unfinished string near '<eof>'
return [[abc
    -ERR user_script:1: unfinished long string near '<eof>'
return [==[abc]]
    -ERR user_script:1: unfinished long string near '<eof>'
return [=abc
    -ERR user_script:1: invalid long string delimiter near '[='
--[[ abc
    -ERR user_script:1: unfinished long comment near '<eof>'
return 0x
    -ERR user_script:1: malformed number near '0x'
return 1..2
    -ERR user_script:1: malformed number near '1..2'
return 1.2.3
    -ERR user_script:1: malformed number near '1.2.3'
return 3x
    -ERR user_script:1: malformed number near '3x'
return 1e
    -ERR user_script:1: malformed number near '1e'
return 1e+5x
    -ERR user_script:1: malformed number near '1e+5x'
return 0x1g
    -ERR user_script:1: malformed number near '0x1g'
return 1_0
    -ERR user_script:1: malformed number near '1_0'
local function (a) end
    -ERR user_script:1: '<name>' expected near '('
function f( a end
    -ERR user_script:1: ')' expected near 'end'
function f(a, ... , b) end
    -ERR user_script:1: ')' expected near ','
function f(a, 1) end
    -ERR user_script:1: <name> or '...' expected near '1'
t = {1, 2
    -ERR user_script:1: '}' expected near '<eof>'
t = {1 2}
    -ERR user_script:1: '}' expected near '2'
t = {[1] 2}
    -ERR user_script:1: '=' expected near '2'
t = {a b}
    -ERR user_script:1: '}' expected near 'b'
t = {a = 1 b = 2}
    -ERR user_script:1: '}' expected near 'b'
a.b:c = 1
    -ERR user_script:1: function arguments expected near '='
f(1
    -ERR user_script:1: ')' expected near '<eof>'
f
    -ERR user_script:1: '=' expected near '<eof>'
f.x
    -ERR user_script:1: '=' expected near '<eof>'
(a) = 1
    -ERR user_script:1: syntax error near '='
a, b
    -ERR user_script:1: '=' expected near '<eof>'
a, b = 
    -ERR user_script:1: unexpected symbol near '<eof>'
a, f() = 1
    -ERR user_script:1: syntax error near '='
a + 1
    -ERR user_script:1: '=' expected near '+'
break
    -ERR user_script:1: no loop to break near '<eof>'
while true do
    -ERR user_script:1: 'end' expected near '<eof>'
while x
    -ERR user_script:1: 'do' expected near '<eof>'
repeat
    -ERR user_script:1: 'until' expected near '<eof>'
repeat until
    -ERR user_script:1: unexpected symbol near '<eof>'
return @
    -ERR user_script:1: unexpected symbol near '@'
return a~b
    -ERR user_script:1: '<eof>' expected near '~'
return "\300"
    -ERR user_script:1: escape sequence too large near '"'
return 'x\999'
    -ERR user_script:1: escape sequence too large near ''x'
return "abc" "def"
    -ERR user_script:1: '<eof>' expected near '"def"'
return a "def" b
    -ERR user_script:1: '<eof>' expected near 'b'
do
    -ERR user_script:1: 'end' expected near '<eof>'
end
    -ERR user_script:1: '<eof>' expected near 'end'
else
    -ERR user_script:1: '<eof>' expected near 'else'
function f() return ... end
    -ERR user_script:1: cannot use '...' outside a vararg function near '...'
local x <const> = 1
    -ERR user_script:1: unexpected symbol near '<'
a = b c
    -ERR user_script:1: '=' expected near '<eof>'
for a.b in x do end
    -ERR user_script:1: '=' or 'in' expected near '.'
function a.b:c.d() end
    -ERR user_script:1: '(' expected near '.'
return {a=}
    -ERR user_script:1: unexpected symbol near '}'
x = function
    -ERR user_script:1: '(' expected near '<eof>'
return f{
    -ERR user_script:1: unexpected symbol near '<eof>'
return a.1
    -ERR user_script:1: '<eof>' expected near '.1'
return a:b
    -ERR user_script:1: function arguments expected near '<eof>'
return a.
    -ERR user_script:1: '<name>' expected near '<eof>'
return a[
    -ERR user_script:1: unexpected symbol near '<eof>'
return a[1
    -ERR user_script:1: ']' expected near '<eof>'
return not
    -ERR user_script:1: unexpected symbol near '<eof>'
return -
    -ERR user_script:1: unexpected symbol near '<eof>'
f() = 1
    -ERR user_script:1: unexpected symbol near '='
local a, = 1
    -ERR user_script:1: '<name>' expected near '='
if x then elseif y
    -ERR user_script:1: 'then' expected near '<eof>'
if x then else elseif
    -ERR user_script:1: 'end' expected near 'elseif'
return #
    -ERR user_script:1: unexpected symbol near '<eof>'
return 1 + 
    -ERR user_script:1: unexpected symbol near '<eof>'
and
    -ERR user_script:1: unexpected symbol near 'and'
local function f() break end
    -ERR user_script:1: no loop to break near 'end'
while true do local f = function() break end end
    -ERR user_script:1: no loop to break near 'end'
return a == = b
    -ERR user_script:1: unexpected symbol near '='
return $
    -ERR user_script:1: unexpected symbol near '$'
return `x`
    -ERR user_script:1: unexpected symbol near '`'
return ë
    -ERR user_script:1: unexpected symbol near '\xc3'
x = 5 = 6
    -ERR user_script:1: unexpected symbol near '='
for i=1,2,3,4 do end
    -ERR user_script:1: 'do' expected near ','
for i,j=1,2 do end
    -ERR user_script:1: 'in' expected near '='
function 1() end
    -ERR user_script:1: '<name>' expected near '1'
break x
    -ERR user_script:1: no loop to break near 'x'
local a; ; b
    -ERR user_script:1: unexpected symbol near ';'
;
    -ERR user_script:1: unexpected symbol near ';'
x = }
    -ERR user_script:1: unexpected symbol near '}'
if true then return 1 end end
    -ERR user_script:1: '<eof>' expected near 'end'
return ((((1))
    -ERR user_script:1: ')' expected near '<eof>'
return f(1,)
    -ERR user_script:1: unexpected symbol near ')'
return function() end end
    -ERR user_script:1: '<eof>' expected near 'end'
