// Package alloc is the memory of the shards, off the Go heap.
package alloc
