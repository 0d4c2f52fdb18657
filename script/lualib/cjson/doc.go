// Package cjson is the library cjson of scripts: the functions, options, limits and error
// messages of lua-cjson 2.1.0 (https://kyne.com.au/~mark/software/lua-cjson-manual.html).
//
// A table whose keys are all positive integers is an array, any other one an object; an
// empty table is "{}". Keys of objects are written in the order of next. JSON's null is
// cjson.null, a userdata. Text is taken and given as bytes; only \u escapes know Unicode.
package cjson
