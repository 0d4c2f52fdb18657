// Package bench drives whole servers: it starts them, loads them and compares what they cost.
//
//	Scenario   a workload: command, pipeline, connections, value size (scenarios.go)
//	Contender  a server to start: command line, CPUs (server.go)
//	Contest    two contenders on a list of scenarios, each with the ratio that is asked for (contests.go)
//	DataCase   what is saved and loaded, and what clients meet beside a snapshot (persistence.go)
//
// Machines that run benchmarks are seldom quiet, so throughput is a poor measure: whoever else runs takes
// from it. The main figure here is the CPU time that the server's process spent per operation, read from its
// CPU clock, while the load generator has a core of its own. Two contenders are alive at the same time, hold
// the same keys and take turns (A B B A A B...), so that what disturbs one disturbs the other; ratios are
// medians over pairs of neighbouring runs.
//
// Load comes from package load, in this process, pinned to the client's CPUs.
package bench
