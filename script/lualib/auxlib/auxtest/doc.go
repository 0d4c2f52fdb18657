// Package auxtest calls the functions of a library of Lua from tests.
package auxtest
