//go:build race

package resp

// raceEnabled: sync.Pool then drops what it is given now and then, so pooled
// paths allocate.
const raceEnabled = true
