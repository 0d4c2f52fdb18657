package geohash

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func randomPoint(rng *rand.Rand) Point {
	p := Point{rng.Float64()*360 - 180, rng.Float64()*2*MaxLat - MaxLat}
	switch rng.IntN(20) {
	case 0:
		p.Lon = math.Copysign(180, p.Lon)
	case 1:
		p.Lat = math.Copysign(MaxLat, p.Lat)
	case 2:
		p.Lon = math.Trunc(p.Lon)
	case 3:
		p.Lat = math.Trunc(p.Lat)
	}
	return p
}

// score is Score bit by bit: each coordinate is halved 26 times.
func slowScore(p Point) (bits uint64) {
	lon, lat := [2]float64{-MaxLon, MaxLon}, [2]float64{-MaxLat, MaxLat}
	half := func(x float64, r *[2]float64) uint64 {
		if middle := (r[0] + r[1]) / 2; x >= middle {
			r[0] = middle
			return 1
		} else {
			r[1] = middle
			return 0
		}
	}
	for range steps {
		bits = bits<<1 | half(p.Lon, &lon)
		bits = bits<<1 | half(p.Lat, &lat)
	}
	return bits
}

func TestScore(t *testing.T) {
	f := func(lon, lat float64, want uint64) {
		t.Helper()
		if got := (Point{lon, lat}).Score(); got != want {
			t.Errorf("%v %v: %d, not %d", lon, lat, got, want)
		}
	}
	f(13.361389, 38.115556, 3479099956230698) // Palermo and Catania, from the documentation of GEOADD
	f(15.087269, 37.502669, 3479447370796909)
	f(0, 0, 3<<50)
	f(-180, -MaxLat, 0)
	f(180, MaxLat, 3<<52)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100000 {
		p := randomPoint(rng)
		got, want := p.Score(), slowScore(p)
		if p.Lon == MaxLon || p.Lat == MaxLat {
			continue
		}
		if got != want {
			if q := FromScore(float64(want)); math.Abs(q.Lon-p.Lon) > 1e-5 || math.Abs(q.Lat-p.Lat) > 1e-5 {
				t.Fatalf("%v: %d, not %d", p, got, want)
			}
		}
		q := FromScore(float64(got))
		if Distance(p, q) > 0.6 || q.Score() != got {
			t.Fatalf("%v came back as %v", p, q)
		}
	}
}

func TestForeignScores(t *testing.T) {
	for _, score := range []float64{-1, 0, 1.5, 1 << 52, 1 << 60, 1 << 63, 1 << 64, 1e300, math.Inf(1), math.Inf(-1), -1e300} {
		if p := FromScore(score); !p.Valid() {
			t.Errorf("%v: %v", score, p)
		}
	}
}

func TestText(t *testing.T) {
	f := func(lon, lat float64, want string) {
		t.Helper()
		if text := (Point{lon, lat}).Text(); string(text[:]) != want {
			t.Errorf("%v %v: %s, not %s", lon, lat, text, want)
		}
	}
	f(-5.6, 42.6, "ezs42e44yx0") // the example of Wikipedia's article on geohashes, its first letters
	f(0, 0, "s0000000000")
	f(-180, -90, "00000000000")
}

func TestDistance(t *testing.T) {
	f := func(a, b Point, want float64) {
		t.Helper()
		if got := Distance(a, b); math.Abs(got-want) > want*1e-9+1e-8 {
			t.Errorf("%v to %v: %v, not %v", a, b, got, want)
		}
	}
	const round = 2 * math.Pi * earthRadius
	f(Point{}, Point{}, 0)
	f(Point{0, 10}, Point{0, -10}, round/18)
	f(Point{-90, 0}, Point{90, 0}, round/2)
	f(Point{-180, 0}, Point{180, 0}, 1e-8)
	f(Point{179, 0}, Point{-179, 0}, round/180)
	f(FromScore(3479099956230698), FromScore(3479447370796909), 166274.1516)
}

func TestMove(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		step := 1 + rng.IntN(steps)
		n := uint32(1) << step
		lon, lat := rng.Uint32()%n, rng.Uint32()%n
		if rng.IntN(3) == 0 {
			lon, lat = 0, n-1
		}
		dLon, dLat := rng.IntN(3)-1, rng.IntN(3)-1
		c := cell{spread(lat) | spread(lon)<<1, step}.move(dLon, dLat)
		if gotLon, gotLat := gather(c.bits>>1), gather(c.bits); gotLon != (lon+uint32(dLon))%n || gotLat != (lat+uint32(dLat))%n {
			t.Fatalf("step %d: %d,%d moved by %d,%d is %d,%d", step, lon, lat, dLon, dLat, gotLon, gotLat)
		}
	}
}

// TestRanges looks for points of shapes outside of their ranges of scores.
func TestRanges(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		s := Shape{Center: Point{rng.Float64()*300 - 150, rng.Float64()*120 - 60}, Unit: 1000}
		size := math.Pow(10, rng.Float64()*5-2)
		if s.IsBox = rng.IntN(2) == 0; s.IsBox {
			s.Width, s.Height = size, size*(0.1+rng.Float64())
		} else {
			s.Radius = size
		}
		m := s.Matcher()
		ranges := s.Ranges(nil)
		if len(ranges) == 0 || len(ranges) > 9 {
			t.Fatalf("%d ranges", len(ranges))
		}
		for range 100 {
			reach := 2.2 * size / 111
			p := Point{s.Center.Lon + (rng.Float64()-0.5)*2*reach, s.Center.Lat + (rng.Float64()-0.5)*reach}
			if !p.Valid() {
				continue
			}
			score := float64(p.Score())
			p = FromScore(score)
			d, ok := m.Contains(p)
			if ok != contains(&s, p) || ok && d != Distance(s.Center, p) {
				t.Fatalf("%v in %+v: %v, %v", p, s, d, ok)
			}
			if !ok {
				continue
			}
			found := 0
			for _, r := range ranges {
				if r.Min <= score && score < r.Max {
					found++
				}
			}
			if found != 1 {
				t.Fatalf("%v of %+v is in %d of %v", p, s, found, ranges)
			}
		}
	}
}

// contains is Matcher.Contains step by step.
func contains(s *Shape, p Point) bool {
	if !s.IsBox {
		return Distance(s.Center, p) <= s.Radius*s.Unit
	}
	return latDistance(s.Center.Lat, p.Lat) <= s.Height*s.Unit/2 &&
		Distance(p, Point{s.Center.Lon, p.Lat}) <= s.Width*s.Unit/2
}

func FuzzShape(f *testing.F) {
	f.Add(0.0, 0.0, 1000.0, 1.0, 2.0, false)
	f.Add(180.0, MaxLat, math.Inf(1), 0.0, math.Inf(1), true)
	f.Fuzz(func(t *testing.T, lon, lat, a, b, score float64, box bool) {
		s := Shape{Center: Point{lon, lat}, Unit: 0.3048, IsBox: box, Radius: math.Abs(a), Width: math.Abs(a), Height: math.Abs(b)}
		if !s.Center.Valid() || math.IsNaN(a+b) || math.IsNaN(score) {
			return
		}
		m := s.Matcher()
		p := FromScore(score)
		if _, ok := m.Contains(p); ok != contains(&s, p) {
			t.Errorf("%v in %+v: %v", p, s, ok)
		}
		for _, r := range s.Ranges(nil) {
			if r.Min >= r.Max {
				t.Errorf("%+v", r)
			}
		}
	})
}

func BenchmarkContains(b *testing.B) {
	s := Shape{Center: Point{10, 50}, Unit: 1000, Radius: 100}
	m := s.Matcher()
	for _, p := range []Point{{10.5, 50.4}, {10.5, 50.9}, {12, 50.1}} {
		b.Run(fmt.Sprintf("km=%.0f", Distance(s.Center, p)/1000), func(b *testing.B) {
			for b.Loop() {
				m.Contains(p)
			}
		})
	}
}
