package geohash

import "math"

// Sines of twice the precision, of which the nearest float64 is taken. The sines of package math may be off by one in
// the last digit, and those of C libraries hardly ever are: what is stored of a distance should be the same.

// ExactDistance is [Distance], as near as float64 comes to it. It takes some microseconds.
func ExactDistance(a, b Point) float64 {
	v, _ := sinCos((radians(b.Lon) - radians(a.Lon)) / 2)
	if v.high == 0 {
		return latDistance(a.Lat, b.Lat)
	}
	lat1, lat2 := radians(a.Lat), radians(b.Lat)
	u, _ := sinCos((lat2 - lat1) / 2)
	_, cosLat1 := sinCos(lat1)
	_, cosLat2 := sinCos(lat2)
	return 2 * earthRadius * arcSin(math.Sqrt(haversine(u.high, v.high, cosLat1.high, cosLat2.high)))
}

// wide is the sum of two numbers, of which high is the float64 next to it: some 106 bits.
type wide struct{ high, low float64 }

// sumOf returns a+b, exactly.
func sumOf(a, b float64) wide {
	high := a + b
	of := high - a
	return wide{high, (a - (high - of)) + (b - of)}
}

// productOf returns a*b, exactly.
func productOf(a, b float64) wide {
	high := float64(a * b)
	return wide{high, math.FMA(a, b, -high)}
}

func (w wide) plus(x wide) wide {
	s := sumOf(w.high, x.high)
	return sumOf(s.high, s.low+(w.low+x.low))
}

func (w wide) minus(x wide) wide { return w.plus(wide{-x.high, -x.low}) }

func (w wide) times(x wide) wide {
	p := productOf(w.high, x.high)
	return sumOf(p.high, p.low+(float64(w.high*x.low)+float64(w.low*x.high)))
}

func (w wide) over(d float64) wide {
	q := w.high / d
	p := productOf(q, d)
	return sumOf(q, ((w.high-p.high)-p.low+w.low)/d)
}

// doublings is how often sinCos doubles the angle of which it has the series.
const doublings = 4

// sinCos returns sine and cosine of x, which is between -π and π, to some 1e-31.
func sinCos(x float64) (sin, cos wide) {
	part := wide{high: x / (1 << doublings)}
	square := part.times(part)
	sin, cos = part, wide{high: 1}
	power := part // part^n / n!
	for n := 2.0; n <= 21; n += 2 {
		even := power.times(part).over(n) // of the cosine
		power = power.times(square).over(n).over(n + 1)
		if int(n)%4 == 2 {
			cos, sin = cos.minus(even), sin.minus(power)
		} else {
			cos, sin = cos.plus(even), sin.plus(power)
		}
	}
	for range doublings {
		both := sin.times(cos)
		sin, cos = both.plus(both), cos.times(cos).minus(sin.times(sin))
	}
	return sin, cos
}

// arcSin returns the arc sine of z, which is between 0 and 1: that of package math, corrected by a step of Newton's method.
func arcSin(z float64) float64 {
	near := math.Asin(z)
	if z == 1 { // where the curve is upright
		return near
	}
	sin, cos := sinCos(near)
	return near + wide{high: z}.minus(sin).high/cos.high
}
