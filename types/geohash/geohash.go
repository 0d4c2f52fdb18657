package geohash

// Limits of coordinates, in degrees.
const (
	MaxLon = 180
	MaxLat = 85.05112878
)

// steps is how often each coordinate is halved in a score.
const steps = 26

// Point is a place on the earth, in degrees.
type Point struct{ Lon, Lat float64 }

// Valid tells whether p is within the limits.
func (p Point) Valid() bool {
	return p.Lon >= -MaxLon && p.Lon <= MaxLon && p.Lat >= -MaxLat && p.Lat <= MaxLat
}

// Score returns the score of p, which is valid.
func (p Point) Score() uint64 { return mercator.cell(p, steps).bits }

// FromScore returns the point in the middle of the cell that score names.
func FromScore(score float64) Point {
	a := mercator.area(cell{toBits(score), steps})
	return Point{
		Lon: min(max((a.minLon+a.maxLon)/2, -MaxLon), MaxLon),
		Lat: min(max((a.minLat+a.maxLat)/2, -MaxLat), MaxLat),
	}
}

// toBits converts as x86-64 does where the value is no uint64.
func toBits(score float64) uint64 {
	if score >= 1<<63 {
		return signed(score-1<<63) ^ 1<<63
	}
	return signed(score)
}

func signed(f float64) uint64 {
	if f >= -1<<63 && f < 1<<63 {
		return uint64(int64(f))
	}
	return 1 << 63
}

// TextBytes is the length of a geohash as text.
const TextBytes = 11

// Text returns the standard geohash of p, for which the latitude goes from -90° to 90°. The last of its characters stands for
// bits that there are not.
func (p Point) Text() (text [TextBytes]byte) {
	const alphabet = "0123456789bcdefghjkmnpqrstuvwxyz"
	bits := standard.cell(p, steps).bits
	for i := range TextBytes - 1 {
		text[i] = alphabet[bits>>(2*steps-5*(i+1))&31]
	}
	text[TextBytes-1] = alphabet[0]
	return text
}

// grid is what is cut into cells: all longitudes and the latitudes from -lat to lat.
type grid struct{ lat float64 }

var (
	mercator = grid{MaxLat}
	standard = grid{90}
)

// cell is one of 2^step by 2^step; the zero cell is none.
type cell struct {
	bits uint64 // 2 * step
	step int
}

// area is where a cell lies, in degrees.
type area struct{ minLon, maxLon, minLat, maxLat float64 }

// cell returns the cell that holds p.
func (g grid) cell(p Point, step int) cell {
	scale := float64(uint64(1) << step)
	lat := (p.Lat + g.lat) / (g.lat + g.lat) * scale
	lon := (p.Lon + MaxLon) / (2 * MaxLon) * scale
	return cell{spread(uint32(lat)) | spread(uint32(lon))<<1, step}
}

func (g grid) area(c cell) area {
	scale := float64(uint64(1) << c.step)
	lat, lon := gather(c.bits), gather(c.bits>>1)
	at := func(i uint32, limit float64) float64 {
		return -limit + float64(float64(i)/scale*(limit+limit))
	}
	return area{at(lon, MaxLon), at(lon+1, MaxLon), at(lat, g.lat), at(lat+1, g.lat)}
}

const (
	evenBits = 0x5555555555555555
	oddBits  = evenBits << 1
)

// spread puts the bits of x into the even places of a word.
func spread(x uint32) uint64 {
	w := uint64(x)
	w = (w | w<<16) & 0x0000ffff0000ffff
	w = (w | w<<8) & 0x00ff00ff00ff00ff
	w = (w | w<<4) & 0x0f0f0f0f0f0f0f0f
	w = (w | w<<2) & 0x3333333333333333
	return (w | w<<1) & evenBits
}

// gather takes the even bits of w together.
func gather(w uint64) uint32 {
	w &= evenBits
	w = (w | w>>1) & 0x3333333333333333
	w = (w | w>>2) & 0x0f0f0f0f0f0f0f0f
	w = (w | w>>4) & 0x00ff00ff00ff00ff
	w = (w | w>>8) & 0x0000ffff0000ffff
	return uint32(w | w>>16)
}

// move returns the cell dLon cells east and dLat cells north of c, each -1 to 1. Beyond the last cell is the first.
func (c cell) move(dLon, dLat int) cell {
	return cell{c.shift(oddBits, dLon) | c.shift(evenBits, dLat), c.step}
}

// shift adds d to the coordinate whose bits of c are under mask, and returns those bits.
func (c cell) shift(mask uint64, d int) uint64 {
	one := mask & -mask
	inside := mask & (1<<(2*c.step) - 1)
	switch {
	case d > 0:
		return ((c.bits | ^mask) + one) & inside // the other bits are set, so that they pass the carry on
	case d < 0:
		return (c.bits&mask - one) & inside
	}
	return c.bits & mask
}
