// Package netio is an event loop per core: reactors, their conns, and the buffers between them and the kernel.
package netio
