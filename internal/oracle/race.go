//go:build race

package oracle

// RaceDetector tells whether the tests run under the race detector: several times slower, and with pools of scratch
// memory that forget at random. Tests whose many cases all run the same code take some of them then.
const RaceDetector = true
