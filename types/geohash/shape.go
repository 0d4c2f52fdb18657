package geohash

import "math"

// Shape is what is searched: a circle, or a rectangle whose sides run along the meridians and parallels.
type Shape struct {
	Center        Point
	Unit          float64 // metres
	Radius        float64 // units; of a circle
	IsBox         bool
	Width, Height float64 // units; of a box
}

// Matcher tells which points are in a shape, of which it keeps what all comparisons need.
type Matcher struct {
	shape    *Shape
	lon, lat float64 // of the centre, radians
	cosLat   float64
	most     float64 // metres: radius, or half of the height
	haverMax float64 // beyond this haversine a point is outside of the circle for sure
}

// Matcher returns the matcher of s, which must not change meanwhile.
func (s *Shape) Matcher() Matcher {
	m := Matcher{shape: s, lon: radians(s.Center.Lon), lat: radians(s.Center.Lat), most: s.Radius * s.Unit}
	m.cosLat = math.Cos(m.lat)
	if s.IsBox {
		m.most = s.Height * s.Unit / 2
	}
	m.haverMax = math.Inf(1)
	if half := m.most / (2 * earthRadius); half < math.Pi/2 {
		m.haverMax = math.Pow(math.Sin(half), 2) * margin
	}
	return m
}

// margin is far more than what rounding can make of a distance or haversine, relatively.
const margin = 1 + 1e-9

// Contains tells whether p is within the shape, and how many metres it is from the centre if so.
func (m *Matcher) Contains(p Point) (distance float64, ok bool) {
	lat := radians(p.Lat)
	if m.shape.IsBox {
		if earthRadius*math.Abs(m.lat-lat) > m.most || !m.isNear(p) {
			return 0, false
		}
		return m.distance(p, lat, math.Inf(1))
	}
	if earthRadius*math.Abs(m.lat-lat) > m.most*margin {
		return 0, false
	}
	distance, ok = m.distance(p, lat, m.haverMax)
	return distance, ok && !(distance > m.most)
}

// isNear tells whether p is within half of the width of the box, along its parallel.
func (m *Matcher) isNear(p Point) bool {
	return !(Distance(p, Point{m.shape.Center.Lon, p.Lat}) > m.shape.Width*m.shape.Unit/2)
}

// distance is [Distance] from the centre; ok is false if the haversine is more than most.
func (m *Matcher) distance(p Point, lat, most float64) (distance float64, ok bool) {
	v := math.Sin((radians(p.Lon) - m.lon) / 2)
	if v == 0 {
		return earthRadius * math.Abs(lat-m.lat), true
	}
	h := haversine(math.Sin((lat-m.lat)/2), v, m.cosLat, math.Cos(lat))
	if h > most {
		return 0, false
	}
	return arc(h), true
}

// Range is the scores from Min up to, but not including, Max.
type Range struct{ Min, Max float64 }

// Ranges appends the ranges of scores that hold all points of s, in the order in which Redis searches them: that of the
// centre, and those around it as far as they are needed, nine at most.
func (s *Shape) Ranges(dst []Range) []Range {
	var cells [9]cell
	s.cells(&cells)
	last := 0
	for i, c := range cells {
		// Where cells are so large that there are only two in a row, the one in the west is the one in the east.
		if c == (cell{}) || last != 0 && c == cells[last] {
			continue
		}
		shift := 2 * (steps - c.step)
		dst = append(dst, Range{float64(c.bits << shift), float64((c.bits + 1) << shift)})
		last = i
	}
	return dst
}

// bounds returns the box around s, for the cells to cover.
func (s *Shape) bounds() area {
	height, width := s.Unit*s.Radius, s.Unit*s.Radius
	if s.IsBox {
		height, width = s.Unit*(s.Height/2), s.Unit*(s.Width/2)
	}
	lon, lat := s.Center.Lon, s.Center.Lat
	dLat := degrees(height / earthRadius)
	far := lat + dLat // the parallel on which s covers the most longitudes
	if lat < 0 {
		far = lat - dLat
	}
	dLon := degrees(width / earthRadius / math.Cos(radians(far)))
	return area{lon - dLon, lon + dLon, lat - dLat, lat + dLat}
}

// cells fills in the cells that cover s; a zero one is not needed.
func (s *Shape) cells(cells *[9]cell) {
	b := s.bounds()
	step := s.step()
	center := mercator.cell(s.Center, step)
	if step > 1 && !covers(center, b) {
		step--
		center = mercator.cell(s.Center, step)
	}
	*cells = [9]cell{
		center, center.move(0, 1), center.move(0, -1), center.move(1, 0), center.move(-1, 0),
		center.move(1, 1), center.move(-1, 1), center.move(1, -1), center.move(-1, -1),
	}
	if step < 2 {
		return
	}
	const north, south, east, west, northEast, northWest, southEast, southWest = 1, 2, 3, 4, 5, 6, 7, 8
	a := mercator.area(center)
	drop := func(needless bool, list ...int) {
		for _, i := range list {
			if needless {
				cells[i] = cell{}
			}
		}
	}
	drop(a.minLat < b.minLat, south, southWest, southEast)
	drop(a.maxLat > b.maxLat, north, northEast, northWest)
	drop(a.minLon < b.minLon, west, southWest, northWest)
	drop(a.maxLon > b.maxLon, east, southEast, northEast)
}

// covers tells whether c and the cells around it reach as far as b.
func covers(c cell, b area) bool {
	return !(mercator.area(c.move(0, 1)).maxLat < b.maxLat ||
		mercator.area(c.move(0, -1)).minLat > b.minLat ||
		mercator.area(c.move(1, 0)).maxLon < b.maxLon ||
		mercator.area(c.move(-1, 0)).minLon > b.minLon)
}

// step returns how fine the cells may be for three in a row to hold s.
func (s *Shape) step() int {
	reach := s.Radius
	if s.IsBox {
		w, h := s.Width/2, s.Height/2
		reach = math.Sqrt(float64(w*w) + float64(h*h))
	}
	reach *= s.Unit
	if reach == 0 {
		return steps
	}
	const mercatorMax = 20037726.37 // half of the equator, in metres
	n := 1
	for ; reach < mercatorMax; n++ {
		reach *= 2
	}
	n -= 2
	switch lat := math.Abs(s.Center.Lat); { // cells are narrower towards the poles
	case lat > 80:
		n -= 2
	case lat > 66:
		n--
	}
	return min(max(n, 1), steps)
}
