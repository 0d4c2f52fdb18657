// Package load generates load for servers that speak RESP and measures what comes back.
//
// A Generator holds connections; Run drives one Workload over them and returns a Result. Two
// disciplines exist:
//
//   - Closed loop (Workload.Rate is 0): a connection sends a batch of Pipeline requests, waits for
//     all replies, and sends the next. This is what redis-benchmark does. It finds throughput; its
//     latencies leave out what would have been sent while the server stalled.
//   - Open loop: batches are due at fixed times, dealt round robin to the connections, and are
//     sent when due whether or not earlier ones were answered. Latency runs from the time a
//     batch was due, so that a stall shows up in every request that should have been sent during
//     it (no coordinated omission).
//
// # Shape
//
//	Generator ── pass (one Run: budget, clock, abort)
//	   └─ worker, one per thread, on a locked OS thread (epoll), or one per connection (portable)
//	        ├─ batcher   fills one shared buffer with requests; keys are patched in place
//	        ├─ tally     histogram, counts, the first error
//	        └─ session   per connection: reply scanner, batches in flight
//
// The generator usually shares a small machine with the server, so a worker neither allocates nor
// parses more than it must: a fixed command is formatted once and only the digits of its keys are
// rewritten, replies are counted rather than decoded. A worker that runs one command at 100 requests a
// batch spends less than 0.2 µs on each, kernel included.
//
// On Linux a worker owns an epoll instance; elsewhere (or with Options.Portable or Options.TLS) a connection is a
// goroutine using package net, which costs more and in open loop never has two batches in flight on
// one connection.
package load
