// Package test tests whole servers from outside: it starts shoal-server, talks to it over sockets as clients do, and
// compares it with redis-server and with itself in other shapes (engines, numbers of shards and reactors).
//
//	scripts_test.go       recorded scripts of command/testdata
//	differential_test.go  random command streams on Shoal and redis-server
//	metamorphic_test.go   random command streams on Shoal in many shapes
//	watch_test.go         which keys commands touch for clients that watch them, beside redis-server
//	linearizable_test.go  concurrent clients, whose history porcupine checks
//	badinput_test.go      what is not RESP, or too large, or never read
//	connections_test.go   limits, many clients, authentication, sockets
//	process_test.go       command line, configuration, signals, logs
//	tools_test.go         redis-cli, redis-benchmark, go-redis
//	goclients_test.go     go-redis and rueidis: transactions, scripts, pub/sub, streams, client-side caching
//	clients_test.go       programs of test/clients on BullMQ, ioredis, node-redis, rate-limiter-flexible, redis-py
//
// Environment, beside that of package oracle:
//
//	SHOAL_ENGINES   the engines to test, "io_uring gnet" if unset
package test
