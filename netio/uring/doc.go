// Package uring speaks io_uring to the Linux kernel: set-up, the two rings, a ring of provided buffers,
// and the few requests that a network server needs. See io_uring(7) and the pages it names. It knows
// nothing of conns and reactors.
//
// # The rings
//
//	       our thread                       the kernel
//	SQE() -> [ | | | ] sqes   --Enter-->    carries out the requests
//	        tail    head
//	CQE   <- [ | | | ] cqes   <--------     posts one or more completions for each
//	        head    tail
//
// One side writes a ring's tail and the other its head, each with release and acquire order (sync/atomic gives more).
// A Ring belongs to one locked OS thread: the one that called New. SINGLE_ISSUER makes the kernel insist on it.
//
// # The buffer ring
//
//	 offset 0                  8     12    14    16
//	        +------------------+-----+-----+-----+
//	slot 0  | address          | len | bid | TAIL|   the 16-bit tail lies in slot 0's unused field
//	        +------------------+-----+-----+-----+
//	slot 1  | address          | len | bid |  -  |
//	        +------------------+-----+-----+-----+
//
// Buffers that the kernel may fill lie in the slots from its own head up to the tail. A completion names the
// buffer it used by its bid; BufRing.Put gives it back. The tail shares a 32-bit word with slot 0's bid, so it is
// published by one store of both.
//
// # Memory
//
// The kernel reads and writes through addresses that the garbage collector does not see. Whoever queues a
// request keeps its buffer referenced, untouched and off every goroutine's stack (which may move) until
// the request's last completion. Unsafe pointers are confined to this package: all of them lead into the ring
// mappings or are turned into a request's or a system call's address.
package uring
