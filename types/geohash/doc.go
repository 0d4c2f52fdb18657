// Package geohash places points on the earth into the scores of a sorted set, and finds what lies in a circle or a rectangle
// around a point, as Redis does; see the GEOADD and GEOSEARCH pages of its documentation.
//
// # Scores
//
// A point's score is a geohash of 52 bits, which a double holds exactly. Longitude from -180° to 180° and latitude from
// -85.05112878° to 85.05112878° (the square of the Mercator projection, EPSG:3857) are each cut into 2^26 steps, whose numbers
// are interleaved:
//
//	bit 51   50   49   48       1    0
//	    lon  lat  lon  lat ...  lon  lat
//
// so that the first 2n bits name a cell, one of 2^n by 2^n, and the points of a cell have neighbouring scores. A cell
// about as large as the area that is searched for, with the eight around it, contains the area; [Shape.Ranges] returns
// them as ranges of scores.
//
// The highest longitude and latitude are one step beyond the last: such a point's score has 53 bits. Scores that are no
// geohash are taken as well, as Redis on x86-64 takes them.
//
// # Distances
//
// The earth is a sphere with a radius of 6372797.560856 m, distances are those of the haversine formula. Products are rounded
// before they are added, so that every machine comes to the same number.
package geohash
