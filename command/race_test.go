//go:build race

package command

// raceDetector makes pools of scratch memory forget at random.
const raceDetector = true
