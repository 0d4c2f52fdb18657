package hll

import "math"

// Count estimates how many different elements were added to b.
func Count(b []byte) (uint64, error) {
	var h histogram
	if IsDense(b) {
		h.addDense(b)
	} else if err := h.addSparse(b); err != nil {
		return 0, err
	}
	return h.estimate(), nil
}

// estimate is the improved raw estimator of Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches",
// arXiv:1702.01284, section 2. Products are rounded before they are added, so that every machine comes to the same number.
func (h *histogram) estimate() uint64 {
	const m = Registers
	z := float64(m * tau((m-float64(h[rankBits+1]))/m))
	for k := rankBits; k >= 1; k-- {
		z = (z + float64(h[k])) * 0.5
	}
	z += float64(m * sigma(float64(h[0])/m))
	const alphaInf = 0.721347520444481703680 // 1 / (2 ln 2)
	n := math.Round(alphaInf * m * m / z)
	if n >= math.MaxInt64 {
		return 1 << 63 // registers that no hash gives rise to; what Redis makes of infinity on x86
	}
	return uint64(n)
}

func sigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for {
		x *= x
		was := z
		z += float64(x * y)
		y += y
		if z == was {
			return z
		}
	}
}

func tau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		was := z
		y *= 0.5
		z -= float64(float64((1-x)*(1-x)) * y)
		if z == was {
			return z / 3
		}
	}
}
