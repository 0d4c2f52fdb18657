// Package random makes random command streams, runs them on several servers, compares the replies, and shrinks a stream
// whose replies differ to the few commands that matter.
//
// Commands are written as templates in families.go:
//
//	SET <key> <value> [NX|XX] [GET] [EX <sec>|PXAT <future>|KEEPTTL]
//
// where <x> is a random value (values.go), [a|b] one of the alternatives or none, (a|b) one of them, (a)+ one to five
// times that, and ";" separates commands that belong together. A few commands are then damaged: an argument less, one too
// many, or nonsense in its place.
//
// A stream is cut into sessions, each on empty databases and new connections: RESP2, RESP3, and inline commands. Commands
// are pipelined in batches of random sizes, written in pieces cut at random bytes. Batches follow each other strictly, so
// that all servers see one order. Everything derives from a seed and the session's number.
//
// Times are either long past or so far in the future, and so far apart, that no reply depends on the speed of the machine.
package random
