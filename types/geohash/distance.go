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
	return arc(haversine(u, v, math.Cos(lat1), math.Cos(lat2)))
}

// haversine returns that of the angle between two points. u and v are the sines of half the differences between their
// latitudes and longitudes.
func haversine(u, v, cosLat1, cosLat2 float64) float64 {
	return float64(u*u) + float64(cosLat1*cosLat2*v*v)
}

// arc returns the distance of haversine h in metres.
func arc(h float64) float64 { return 2 * earthRadius * math.Asin(math.Sqrt(h)) }

// latDistance is the distance between two points of the same longitude.
func latDistance(lat1, lat2 float64) float64 {
	return earthRadius * math.Abs(radians(lat2)-radians(lat1))
}
