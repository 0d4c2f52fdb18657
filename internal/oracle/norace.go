//go:build !race

package oracle

const RaceDetector = false
