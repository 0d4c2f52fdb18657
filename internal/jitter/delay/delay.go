// Package delay pauses at some of the statements that the program jitter puts calls of At before.
//
//	SHOAL_JITTER_SEED    which statements pause; without it the clock says so, and the seed goes to standard error
//	SHOAL_JITTER_SHARE   what part of all statements do, 0.05 unless it is set
package delay

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

const maxSites = 1 << 14 // as in the program

// site is a statement.
type site struct {
	pauses bool
	passed atomic.Uint32
}

var sites = draw()

// draw chooses the sites that pause.
func draw() *[maxSites]site {
	seed, err := strconv.ParseUint(os.Getenv("SHOAL_JITTER_SEED"), 10, 64)
	if err != nil {
		seed = uint64(time.Now().UnixNano())
		fmt.Fprintf(os.Stderr, "SHOAL_JITTER_SEED=%d\n", seed)
	}
	share, err := strconv.ParseFloat(os.Getenv("SHOAL_JITTER_SHARE"), 64)
	if err != nil {
		share = 0.05
	}
	r := rand.New(rand.NewPCG(seed, 0))
	all := new([maxSites]site)
	for i := range all {
		all[i].pauses = r.Float64() < share
	}
	return all
}

// At pauses for up to 20 ms, one time in ten for up to 100 ms: at first at every other call, then the more rarely the more there
// were, and no longer than 2 ms from the hundredth on, so that loops come to an end.
func At(number int) {
	s := &sites[number]
	if !s.pauses {
		return
	}
	passed := s.passed.Add(1)
	if rand.Uint32N(passed/4+2) != 0 {
		return
	}
	most := 20 * time.Millisecond
	switch {
	case passed > 100:
		most = 2 * time.Millisecond
	case rand.Uint32N(10) == 0:
		most = 100 * time.Millisecond
	}
	time.Sleep(rand.N(most))
}
