package command

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const geoCases = `
GEOADD k
GEOADD k 13.361389 38.115556
GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
GEOADD k 13.361389 38.115556 Palermo 15.087269 37.502669 Catania
GEOADD k NX 1 1 Palermo 2 2 new
GEOADD k XX 1 1 nothing 3 3 new
GEOADD k CH 1 1 new
GEOADD k XX CH 4 4 new
GEOADD k xx ch nx 4 4 new
GEOADD k CH CH CH
GEOADD k XX NX CH
GEOADD k INCR 1 1 new
GEOADD k 1 1 new 2
GEOADD k 181 0 a
GEOADD k -181 0 a
GEOADD k 0 86 a
GEOADD k 0 -85.06 a
GEOADD k inf 0 a
GEOADD k 0 -inf a
GEOADD k x 0 a
GEOADD k 0 x a
GEOADD k nan 0 a
GEOADD list 0 0 a
GEOADD list 0 x a
GEOADD new 180 85.05112878 a -180 -85.05112878 b 180 -85.05112878 c -180 85.05112878 d 0 0 e 180 0 f
GEOPOS new a b c d e f g
GEOHASH new a b c d e f g
GEOPOS none a b
GEOHASH none a b
GEOPOS k
GEOHASH k
GEOPOS list a
GEOHASH list a
GEODIST k Palermo Catania
GEODIST k Palermo Catania m
GEODIST k Palermo Catania KM
GEODIST k Palermo Catania ft
GEODIST k Palermo Catania Mi
GEODIST k Palermo Catania yd
GEODIST k Palermo Catania m x
GEODIST k Palermo none
GEODIST none a b
GEODIST none a b yd
GEODIST list a b
GEODIST k Palermo Palermo
GEODIST new a b
GEODIST new b c
GEODIST new e f
ZADD odd -1 a 1.5 b inf c -inf d 1e300 e 9007199254740993 f 0 g 18446744073709551615 h -0 i
GEOPOS odd a b c d e f g h i
GEOHASH odd a b c d e f g h i
GEODIST odd a b
GEODIST odd c d
GEOSEARCH odd FROMLONLAT 0 0 BYRADIUS 40000 km ASC WITHDIST WITHCOORD WITHHASH
GEOSEARCH odd FROMLONLAT -180 -85 BYRADIUS 40000 km ASC WITHDIST WITHCOORD WITHHASH
GEORADIUS k 15 37 200 km
GEORADIUS k 15 37 200 km WITHDIST
GEORADIUS k 15 37 200 km WITHCOORD WITHDIST WITHHASH ASC
GEORADIUS k 15 37 200 km withhash desc
GEORADIUS k 15 37 200 km COUNT 1
GEORADIUS k 15 37 200 km COUNT 1 DESC
GEORADIUS k 15 37 200 km COUNT 1 ANY
GEORADIUS k 15 37 200 km ANY
GEORADIUS k 15 37 200 km COUNT 0
GEORADIUS k 15 37 200 km COUNT -1
GEORADIUS k 15 37 200 km COUNT x
GEORADIUS k 15 37 200 km COUNT
GEORADIUS k 15 37 200 km BAD
GEORADIUS k 15 37 200 km BYRADIUS 1 m
GEORADIUS k 15 37 -1 km
GEORADIUS k 15 37 x km
GEORADIUS k 15 37 200 yd
GEORADIUS k 15 97 200 km
GEORADIUS k x 37 200 km
GEORADIUS none 15 37 200 km
GEORADIUS none 15 37 200 yd
GEORADIUS none 15 37 200 km STORE dest
GEORADIUS list 15 37 200 km
GEORADIUS list x x x x
GEORADIUS k 15 37 200 km STORE dest
GEORADIUS k 15 37 200 km STORE dest WITHDIST
GEORADIUS k 15 37 200 km STOREDIST dest2 STORE dest
GEORADIUS k 15 37 200 km STORE dest STOREDIST dest2
GEORADIUS k 15 37 200 km STORE
GEORADIUS k 15 37 200 km COUNT 1 ASC STORE dest
ZRANGE dest 0 -1 WITHSCORES
GEORADIUS k 15 37 1 m STORE dest
GEORADIUS k 15 37 1 m STORE dest
GEORADIUS k 15 37 2000 km STORE k
GEORADIUS_RO k 15 37 200 km STORE dest
GEORADIUS_RO k 15 37 200 km WITHDIST ASC
GEORADIUSBYMEMBER k Palermo 500 km WITHDIST ASC
GEORADIUSBYMEMBER k nobody 500 km
GEORADIUSBYMEMBER k nobody x km
GEORADIUSBYMEMBER none nobody x yd
GEORADIUSBYMEMBER none nobody x yd BAD
GEORADIUSBYMEMBER none nobody x yd STORE dest
GEORADIUSBYMEMBER k Palermo 500 km STORE dest
GEORADIUSBYMEMBER k store 500 km store dest
GEORADIUSBYMEMBER list a 500 km
GEORADIUSBYMEMBER_RO k Palermo 500 km
GEORADIUSBYMEMBER_RO k Palermo 500 km STORE dest
GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 200 km ASC
GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400 km ASC WITHDIST
GEOSEARCH k FROMMEMBER Palermo BYBOX 400 400 km ASC WITHCOORD
GEOSEARCH k FROMMEMBER nobody BYBOX 400 400 km
GEOSEARCH none FROMMEMBER nobody BYBOX 400 400 km
GEOSEARCH none FROMMEMBER nobody BYBOX 400 400 km ANY
GEOSEARCH k FROMMEMBER Palermo FROMLONLAT 1 1 BYBOX 400 400 km
GEOSEARCH k FROMLONLAT 1 1 FROMMEMBER Palermo BYBOX 400 400 km
GEOSEARCH k FROMLONLAT 1 1 FROMLONLAT 15 37 BYBOX 400 400 km
GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400 km BYRADIUS 1 m
GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 1 m BYBOX 400 400 km
GEOSEARCH k BYRADIUS 1 m BYRADIUS 2 m ASC
geoSearch k BYRADIUS 1 m WITHDIST ASC
GEOSEARCH k FROMLONLAT 15 37 ASC WITHDIST
GEOSEARCH k FROMLONLAT 15 BYBOX 400 400
GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 -400 km
GEOSEARCH k FROMLONLAT 15 37 BYBOX x 400 km
GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 x km
GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400 yd
GEOSEARCH k FROMLONLAT 15 37 BYBOX 400 400
GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 400 km STOREDIST
GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 400 km STORE dest
GEOSEARCH list FROMLONLAT 15 37 BYRADIUS 400 km
GEOSEARCH k FROMLONLAT 15 37 BYRADIUS inf km ASC
GEOSEARCH k FROMLONLAT 15 37 BYRADIUS 0 m
GEOSEARCH k FROMMEMBER Palermo BYRADIUS 0 m
GEOSEARCHSTORE dest k FROMLONLAT 15 37 BYRADIUS 200 km
GEOSEARCHSTORE dest k FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST
GEOSEARCHSTORE dest k FROMLONLAT 15 37 BYRADIUS 200 km STOREDIST COUNT 1 ASC
GEOSEARCHSTORE dest k FROMLONLAT 15 37 BYRADIUS 200 km WITHDIST
GEOSEARCHSTORE dest k FROMLONLAT 15 37 BYRADIUS 1 m
GEOSEARCHSTORE dest k FROMLONLAT 15 37 BYRADIUS 1 m
GEOSEARCHSTORE dest k FROMLONLAT 15 37 ASC DESC ASC
GEOSEARCHSTORE dest none FROMMEMBER a BYRADIUS 1 m
GEOSEARCHSTORE dest list FROMMEMBER a BYRADIUS 1 m
GEOSEARCHSTORE list k FROMLONLAT 15 37 BYRADIUS 200 km
GEOSEARCHSTORE k k FROMLONLAT 15 37 BYRADIUS 2000 km
ZRANGE k 0 -1 WITHSCORES`

func TestGeoOracle(t *testing.T) {
	for _, proto := range []int{2, 3} {
		for _, entries := range []int{128, 2} {
			t.Run(fmt.Sprintf("proto=%d/entries=%d", proto, entries), func(t *testing.T) {
				d := newDuel(t, proto, GeoCommands, ZSetCommands, KeyCommands)
				d.zsetLimits(entries, 64)
				d.setList("list")
				for line := range strings.Lines(geoCases) {
					if line = strings.TrimSuffix(line, "\n"); line != "" {
						d.doLine(line)
					}
				}
			})
		}
	}
}

// TestGeoScores compares the scores, places and distances of many points.
func TestGeoScores(t *testing.T) {
	d := newDuel(t, 2, GeoCommands, ZSetCommands)
	g := newGen(t)
	for range 20 {
		words := []string{"GEOADD", "k"}
		names := []string{}
		for i := range 500 {
			names = append(names, strconv.Itoa(i))
			words = append(words, g.coordinate(180), g.coordinate(85.05112878), names[i])
		}
		d.do(words...)
		d.do("ZRANGE", "k", "0", "-1", "WITHSCORES")
		d.do(append([]string{"GEOPOS", "k"}, names...)...)
		d.do(append([]string{"GEOHASH", "k"}, names...)...)
		for range 100 {
			d.do("GEODIST", "k", g.pick(names...), g.pick(names...), g.pick("m", "km", "ft", "mi"))
		}
		if t.Failed() {
			return
		}
	}
}

func (g commandGen) coordinate(limit float64) string {
	x := (g.Float64()*2 - 1) * limit
	switch g.IntN(10) {
	case 0:
		return strconv.Itoa(int(x))
	case 1:
		return strconv.FormatFloat(limit*float64(g.IntN(3)-1), 'g', -1, 64)
	case 2:
		return strconv.FormatFloat(x, 'f', 3, 64)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}

func TestRandomGeoOracle(t *testing.T) {
	g := newGen(t)
	d := newDuel(t, 2+g.IntN(2), GeoCommands, ZSetCommands, KeyCommands)
	for _, entries := range []int{128, 0, 5} {
		d.zsetLimits(entries, 64)
		for range 1200 {
			d.do(g.geoCommand()...)
			if t.Failed() {
				return
			}
		}
	}
}

// geoArea is where most random places are, so that searches find some.
type geoArea struct{ lon, lat, size float64 }

var geoAreas = []geoArea{{13, 38, 3}, {-179.9, 0, 0.5}, {20, 84.5, 5}, {-60, -70, 10}, {0, 0, 160}, {0, 0, 0.001}}

func (g commandGen) place() (lon, lat string) {
	a := geoAreas[g.IntN(len(geoAreas))]
	f := func(middle, limit float64, grid int) string {
		x := middle + (g.Float64()*2-1)*a.size
		if grid > 0 { // so that some are at the same place
			x = middle + float64(g.IntN(grid))*a.size/float64(grid)
		}
		return strconv.FormatFloat(min(max(x, -limit), limit), 'g', 12, 64)
	}
	grid := g.pickInt(0, 0, 3, 10)
	return f(a.lon, 180, grid), f(a.lat, 85.05112878, grid)
}

func (g commandGen) geoCommand() []string {
	key := func() string { return g.pick("g1", "g2", "g3", "{t}1") }
	member := func() string { return g.pick("m", "long-name-") + strconv.Itoa(g.IntN(100)) }
	dest := func() string { return g.pick("d1", "d2", "g3") }
	unit := func() string { return g.pick("m", "km", "km", "km", "ft", "mi", "MI", "x") }
	size := func() string {
		return strconv.FormatFloat(g.Float64()*float64(g.pickInt(1, 10, 100, 1000, 10000)), 'g', g.pickInt(2, 5, 17), 64)
	}
	options := func(store ...string) (list []string) {
		list = append(list, g.maybe(3, "WITHDIST")...)
		list = append(list, g.maybe(3, "WITHCOORD")...)
		list = append(list, g.maybe(3, "WITHHASH")...)
		if len(store) > 0 && g.IntN(3) > 0 {
			list = store
		}
		list = append(list, g.maybe(2, g.pick("ASC", "DESC", "asc"))...)
		if g.IntN(3) == 0 {
			list = append(append(list, "COUNT", strconv.Itoa(g.IntN(20))), g.maybe(3, "ANY")...)
		}
		return list
	}
	search := func() (list []string) {
		lon, lat := g.place()
		from := g.pick("l", "l", "l", "m")
		if from == "m" {
			list = append(list, "FROMMEMBER", member())
		} else {
			list = append(list, "FROMLONLAT", lon, lat)
		}
		if g.IntN(2) == 0 {
			return append(list, "BYRADIUS", size(), unit())
		}
		return append(list, "BYBOX", size(), size(), unit())
	}
	lon, lat := g.place()
	switch g.IntN(14) {
	case 0, 1, 2, 3:
		words := []string{"GEOADD", key()}
		words = append(words, g.maybe(6, g.pick("NX", "XX", "CH", "ch"))...)
		for range 1 + g.IntN(12) {
			lon, lat := g.place()
			words = append(words, lon, lat, member())
		}
		return words
	case 4:
		return []string{"GEODIST", key(), member(), member(), unit()}
	case 5:
		return []string{g.pick("GEOPOS", "GEOHASH"), key(), member(), member()}
	case 6:
		return append([]string{"GEORADIUS", key(), lon, lat, size(), unit()}, options(g.pick("STORE", "STOREDIST"), dest())...)
	case 7:
		return append([]string{"GEORADIUSBYMEMBER", key(), member(), size(), unit()}, options(g.pick("STORE"), dest())...)
	case 8:
		return append([]string{"GEORADIUS_RO", key(), lon, lat, size(), unit()}, options()...)
	case 9:
		return slices.Concat([]string{"GEOSEARCHSTORE", dest(), key()}, search(), options(g.maybe(3, "STOREDIST")...))
	case 10:
		return []string{"DEL", g.pick(key(), dest())}
	case 11:
		return []string{"ZRANGE", g.pick("d1", "d2"), "0", "-1"}
	}
	return slices.Concat([]string{"GEOSEARCH", key()}, search(), options())
}

func TestSortPart(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	compare := func(a, b *int) int { return *a/10 - *b/10 }
	for range 3000 {
		n := 1 + rng.IntN([]int{8, 50, 2000}[rng.IntN(3)])
		a := make([]int, n)
		for i := range a {
			a[i] = rng.IntN(1 + rng.IntN(10*n))
		}
		want := slices.Clone(a)
		slices.SortStableFunc(want, func(a, b int) int { return a/10 - b/10 })
		from := rng.IntN(n)
		to := from + 1 + rng.IntN(n-from)
		sortPart(a, from, to, compare)
		for i := from; i < to; i++ {
			if compare(&a[i], &want[i]) != 0 {
				t.Fatalf("%d of %d [%d:%d] is %d, not %d", i, n, from, to, a[i], want[i])
			}
		}
		slices.Sort(a)
		slices.Sort(want)
		if !slices.Equal(a, want) {
			t.Fatal("elements are lost")
		}
	}
}
