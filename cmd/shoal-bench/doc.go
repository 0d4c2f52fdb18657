// Command shoal-bench measures servers that speak the Redis protocol.
//
// Called with flags it is a load generator that takes redis-benchmark's flags and prints what
// redis-benchmark prints, so that scripts written for that keep working, and can do more: an open loop
// free of coordinated omission (--rate), the server's CPU time per operation (--server-cpu), Zipf keys,
// mixes of commands, HDR histograms, JSON.
//
//	shoal-bench -t get,set -n 1000000 -r 1000000 -P 16 -q
//	shoal-bench --rate 50000 --duration 10s --keys 1000000 -t get
//
// Called as "shoal-bench vs" or "shoal-bench report" it starts servers itself and compares them; see
// package bench.
package main
