// Package alloc is the memory of the shards. It lies outside the Go heap, so the garbage
// collector neither sees it nor slows down with it, and it is addressed by Refs of 4 bytes.
//
// # Layout
//
// A [Heap] serves the whole process. It maps chunks of 2 MiB, aligned to their size so that a
// huge page can back each, and hands out runs of 16 KiB pages. An [Arena] serves one shard. It
// gives the pages it holds numbers of its own and cuts them into spans:
//
//	Heap    | chunk 2 MiB           | chunk               | chunk               | ...
//	        | 128 pages of 16 KiB   |                     |                     |
//	            |     |      \________
//	Arena       p1    p5      p2 p3 p4      any page may belong to any arena
//	            |     |       |______|
//	            span  span    one span: its pages have consecutive numbers and addresses,
//	            |                       so a block may straddle them
//	            | slot | slot | slot | ... | rest, some %
//
//	Ref     31               11 10                 0
//	        +------------------+--------------------+
//	        | page number (21) | granule of 8 B (11) |     32 GiB per arena; 0 is nil
//	        +------------------+--------------------+
//
// A span holds slots of one size class: multiples of 8 up to 128 bytes, then eight classes
// per doubling up to 128 KiB. Beyond, a block is a span of its own, of whole pages. Blocks
// have no header: Free is told the size again, and finds the span through its page number.
//
// Per page an arena keeps 40 bytes in two slices without pointers: the page table (address by
// page number) and the span descriptors (free list, live count, list of its class). A free
// slot begins with the Ref of the next free one.
//
//	a.spans[page]  addr | free -> slot -> slot -> 0 | fresh: first slot never used
//	               next, prev: spans of this class that are about as full
//
// A class allocates from one current span until that is full, then from the fullest other one: the emptiest spans are
// left alone and empty out. An empty span is kept as the spare one of its length, or goes back to the heap, which joins
// free pages and returns them to the operating system in [Heap.Scavenge]. Huge pages are asked for once 8 MiB are in
// use, so that a small process stays small.
//
// # Invariants of use
//
//   - No Go pointer is stored off-heap: the garbage collector would not see it. T of [At] and
//     [PtrAt] has none.
//   - A Ref dies at Free, and every slice or pointer made of it: copy before freeing.
//   - Free gets the size that Alloc was asked for, or that Resize noted last.
//   - Blocks are aligned to 8 bytes, no more. Blocks of 16 KiB and of multiples of it are
//     aligned to 16 KiB beyond 128 KiB; a block of 2^k <= 16 KiB is aligned to its size.
//   - A view lies inside what its block was asked for, the whole struct, even if only its
//     first fields are touched.
//   - An arena belongs to one shard and is used under the shard's lock. Heap, Arena.Addr,
//     Arena.ApproxAllocated and the prefetches need none.
//   - Arena memory stays mapped and readable for ever, so a peek without the lock through
//     Addr never faults. It may read garbage, at most 16 KiB of it from an address, and must
//     not write. A [Large] is unmapped when released and is not to be peeked at.
//
// The race detector sees only the Go heap: it checks the tables of this package but not what
// is stored in blocks. The invariants build stands in for it. There every block's size is
// shadowed, freed blocks are poisoned with 0xDB and checked for writes when they are used
// again, new blocks are filled with 0xCD, views of dead blocks or past their end panic, and so
// do a double Free, a Free of another size, and two goroutines in one arena.
package alloc
