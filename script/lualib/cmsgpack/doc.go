// Package cmsgpack is the library cmsgpack of scripts: values in the MessagePack format
// (https://github.com/msgpack/msgpack/blob/master/spec.md), with the choices of
// lua-cmsgpack 0.4.0.
//
// Numbers that are integers are packed as such, others as a float if that loses nothing,
// else as a double. A table whose keys are 1 to n is an array, any other one a map; tables
// nested deeper than 16 become nil. The types bin, ext and timestamp are not known.
package cmsgpack
