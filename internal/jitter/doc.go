// Jitter finds what depends on who is first. It runs tests with a server that pauses at statements at which goroutines and
// processes meet: locks, atomics, channels, messages between reactors, lines of log, files.
//
//	go run ./internal/jitter -tests TestScheduledSave -count 20 ./test
//
// The statements get their calls of delay.At in copies of the sources, which "go build -overlay" takes in their place. Each of
// the count runs has a seed, which says what few statements pause (package delay) and is printed when a run fails; -seed repeats
// it. The pauses depend on the schedule as well, so a repeated run fails more often than others, but not always.
//
// A failure is real: no test may count on an order or a time that nothing guarantees, and no client may be shown what does not
// fit together. The exception are deadlines of minutes, which a pause in a hot loop may use up.
package main
