package geohash

import "math"

// earthRadius is in metres.
const earthRadius = 6372797.560856

const degree = math.Pi / 180

func radians(deg float64) float64 { return deg * degree }

func degrees(rad float64) float64 { return rad / degree }

// Distance returns the distance between two points in metres.
func Distance(a, b Point) float64 {
	v := math.Sin((radians(b.Lon) - radians(a.Lon)) / 2)
	if v == 0 {
		return latDistance(a.Lat, b.Lat)
	}
	lat1, lat2 := radians(a.Lat), radians(b.Lat)
	u := math.Sin((lat2 - lat1) / 2)
	h := float64(u*u) + float64(math.Cos(lat1)*math.Cos(lat2)*v*v)
	return 2 * earthRadius * math.Asin(math.Sqrt(h))
}

// latDistance is the distance between two points of the same longitude.
func latDistance(lat1, lat2 float64) float64 {
	return earthRadius * math.Abs(radians(lat2)-radians(lat1))
}
