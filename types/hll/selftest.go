package hll

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
)

// SelfTest checks the registers and the estimates of this package in steps, as PFSELFTEST does: random registers are read
// back, and the estimates of both representations are compared with the truth at powers of ten up to ten million elements.
type SelfTest struct {
	rand      *rand.Rand
	sparseMax int // bytes
	cycles    int // of the register test that are left

	dense, b   []byte
	seed       uint64
	added      uint64
	checkpoint uint64 // next number of elements at which the estimates are checked
}

const (
	selfTestCycles   = 1000
	selfTestElements = 10_000_000
	selfTestStep     = 10_000 // elements added in one step
)

// NewSelfTest begins a test. The sparse representation gives way beyond sparseMax bytes.
func NewSelfTest(seed uint64, sparseMax int) *SelfTest {
	s := &SelfTest{
		rand: rand.New(rand.NewPCG(seed, 0)), sparseMax: sparseMax, cycles: selfTestCycles,
		dense: make([]byte, DenseBytes), b: AppendEmpty(nil), checkpoint: 1,
	}
	s.seed = s.rand.Uint64()
	return s
}

// Step does a part of the test, which takes less than a millisecond. An error means that it has failed.
func (s *SelfTest) Step() (more bool, err error) {
	if s.cycles > 0 {
		s.cycles--
		return true, s.testRegisters()
	}
	for range selfTestStep {
		if s.added == selfTestElements {
			return false, nil
		}
		if err := s.addOne(); err != nil {
			return false, err
		}
	}
	return true, nil
}

func (s *SelfTest) testRegisters() error {
	var want [Registers]uint8
	for i := range want {
		want[i] = uint8(s.rand.Uint32() & maxRegister)
		setDense(s.dense, i, int(want[i]))
	}
	for i, w := range want {
		if got := denseRegister(s.dense, i); got != int(w) {
			return fmt.Errorf("Register %d should be %d but is %d", i, w, got)
		}
	}
	if s.cycles == 0 {
		clear(s.dense)
	}
	return nil
}

func (s *SelfTest) addOne() error {
	s.added++
	var elem [8]byte
	binary.LittleEndian.PutUint64(elem[:], s.added^s.seed)
	index, rank := Hash(elem[:])
	setDense(s.dense, index, max(rank, denseRegister(s.dense, index)))
	var err error
	if s.b, _, err = Set(s.b, index, rank, s.sparseMax); err != nil || s.added != s.checkpoint {
		return err
	}
	s.checkpoint *= 10
	return s.check()
}

func (s *SelfTest) check() error {
	if s.added < uint64(max(s.sparseMax, 0))/2 && IsDense(s.b) {
		return fmt.Errorf("sparse encoding not used")
	}
	n, err := Count(s.b)
	if err != nil {
		return err
	}
	if other, _ := Count(s.dense); n != other {
		return fmt.Errorf("dense/sparse disagree")
	}
	standard := 1.04 / math.Sqrt(Registers)
	most := math.Ceil(standard * 6 * float64(s.added))
	if off := math.Abs(float64(s.added) - float64(n)); off > most {
		return fmt.Errorf("Too big error. card:%d abserr:%.0f", s.added, off)
	}
	return nil
}
