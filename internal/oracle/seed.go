package oracle

import (
	"os"
	"strconv"
	"testing"
	"time"
)

// Seed returns the seed of a test's random inputs, and prints it: 1, so that a run can be repeated, or what SHOAL_SEED names; 0
// stands for the clock's.
func Seed(t testing.TB) uint64 {
	seed := uint64(1)
	if text := os.Getenv("SHOAL_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 0, 64)
		if err != nil {
			t.Fatalf("SHOAL_SEED: %v", err)
		}
		seed = n
	}
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("again with: SHOAL_SEED=%d", seed)
	return seed
}
