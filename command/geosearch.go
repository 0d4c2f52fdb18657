package command

import (
	"cmp"
	"slices"
	"sync"

	"github.com/shoaldb/shoal/shard"
	"github.com/shoaldb/shoal/types/geohash"
	"github.com/shoaldb/shoal/types/listpack"
	"github.com/shoaldb/shoal/types/zset"
)

// geoForm is where a command that searches has its shape and what it may do.
type geoForm uint8

const (
	geoFromPoint  geoForm = 1 << iota // GEORADIUS: the centre is at argument 2
	geoFromMember                     // GEORADIUSBYMEMBER
	geoMayStore                       // has the options STORE and STOREDIST with a key
	geoStores                         // GEOSEARCHSTORE
)

func georadius(c *Ctx)           { c.geoSearch(geoFromPoint | geoMayStore) }
func georadiusRO(c *Ctx)         { c.geoSearch(geoFromPoint) }
func georadiusbymember(c *Ctx)   { c.geoSearch(geoFromMember | geoMayStore) }
func georadiusbymemberRO(c *Ctx) { c.geoSearch(geoFromMember) }
func geosearch(c *Ctx)           { c.geoSearch(0) }
func geosearchstore(c *Ctx)      { c.geoSearch(geoStores) }

// shapeInOptions tells whether the shape is among the options, as GEOSEARCH has it.
func (f geoForm) shapeInOptions() bool { return f&(geoFromPoint|geoFromMember) == 0 }

// geoQuery is a parsed search.
type geoQuery struct {
	form  geoForm
	shape geohash.Shape
	v     zset.Value // where to search; empty if there is no key

	withDist, withHash, withCoord bool
	store, storeDist              bool
	center, extent                int   // options that gave them: see setCenter and setExtent
	order                         int   // 1: nearest first; -1: farthest first; 0: as they are found
	count                         int64 // most results; 0: all
	any                           bool  // the first that are found
}

// Which option has given the centre or the extent of the shape; each excludes the other one.
const (
	geoByMember = 1 + iota
	geoByPoint
	geoByRadius
	geoByBox
)

// geoPoint is a member that was found.
type geoPoint struct {
	member   listpack.Element // aliases the sorted set
	distance float64          // metres
	score    float64
	found    int // how many were found before
}

// keepPoints is how many points the room of a search that is kept has at most.
const keepPoints = 1 << 14

// exactDistanceWork is the work of an exact distance, in elements that are looked at (some 4 µs).
const exactDistanceWork = 32

var geoPoints = sync.Pool{New: func() any { return new([]geoPoint) }}

func (c *Ctx) geoSearch(form geoForm) {
	q := geoQuery{form: form, store: form&geoStores != 0}
	source := &c.Keys[0]
	if q.store {
		source = &c.Keys[1]
	}
	var ok bool
	if q.v, ok = c.readZSet(source); !ok {
		return
	}
	if !q.parse(c) {
		return
	}
	if q.v.Len() == 0 && !q.store {
		c.Reply.Array(0)
		return
	}
	if q.count != 0 && q.order == 0 && !q.any {
		q.order = 1
	}
	pooled := geoPoints.Get().(*[]geoPoint)
	points, long := q.find(c, (*pooled)[:0])
	if long {
		return
	}
	points = q.sort(c, points)
	if q.store {
		c.storePoints(&q, points)
	} else {
		c.replyPoints(&q, points)
	}
	if cap(points) <= keepPoints {
		*pooled = points
		geoPoints.Put(pooled)
	}
}

// parse reads all arguments. It replies and reports false if something is wrong with them.
func (q *geoQuery) parse(c *Ctx) bool {
	at, ok := q.parseShape(c)
	if !ok {
		return false
	}
	for at < len(c.Args) {
		n, ok := q.option(c, at)
		if n == 0 && ok {
			c.Error(ErrSyntax)
			return false
		}
		if !ok {
			return false
		}
		at += n
	}
	return q.consistent(c)
}

// parseShape reads the shape of GEORADIUS and the like. It returns where the options begin.
func (q *geoQuery) parseShape(c *Ctx) (at int, ok bool) {
	switch {
	case q.form&geoFromPoint != 0:
		if q.shape.Center, ok = c.pointArg(2); !ok {
			return 0, false
		}
		return 6, q.parseRadius(c, 4)
	case q.form&geoFromMember != 0:
		if q.v.Len() == 0 {
			return 5, true // whatever the radius is
		}
		return 5, q.parseMember(c, 2) && q.parseRadius(c, 3)
	case q.form&geoStores != 0:
		return 3, true
	}
	return 2, true
}

func (q *geoQuery) parseMember(c *Ctx, i int) bool {
	score, ok := q.v.Score(c.Args[i])
	if !ok {
		c.Error(errGeoMember)
		return false
	}
	q.shape.Center = geohash.FromScore(score)
	return true
}

func (q *geoQuery) parseRadius(c *Ctx, i int) (ok bool) {
	if q.shape.Radius, ok = c.doubleArg(i, errGeoRadius); !ok {
		return false
	}
	if q.shape.Radius < 0 {
		c.Error(errGeoNegative)
		return false
	}
	q.shape.Unit, ok = c.unitArg(i + 1)
	return ok
}

func (q *geoQuery) parseBox(c *Ctx, i int) (ok bool) {
	q.shape.IsBox = true
	if q.shape.Width, ok = c.doubleArg(i, errGeoWidth); !ok {
		return false
	}
	if q.shape.Height, ok = c.doubleArg(i+1, errGeoHeight); !ok {
		return false
	}
	if q.shape.Width < 0 || q.shape.Height < 0 {
		c.Error(errGeoNegative2)
		return false
	}
	q.shape.Unit, ok = c.unitArg(i + 2)
	return ok
}

// option reads the option at argument i and returns how many arguments it has, itself included; 0 means that there is no
// such option. ok is false after an error reply.
func (q *geoQuery) option(c *Ctx, i int) (n int, ok bool) {
	left := len(c.Args) - i - 1
	switch {
	case c.isOption(i, "WITHDIST"):
		q.withDist = true
	case c.isOption(i, "WITHHASH"):
		q.withHash = true
	case c.isOption(i, "WITHCOORD"):
		q.withCoord = true
	case c.isOption(i, "ANY"):
		q.any = true
	case c.isOption(i, "ASC"):
		q.order = 1
	case c.isOption(i, "DESC"):
		q.order = -1
	case c.isOption(i, "COUNT") && left >= 1:
		if q.count, ok = c.intArg(i + 1); !ok {
			return 0, false
		}
		if q.count <= 0 {
			c.Error(ErrCountOption)
			return 0, false
		}
		return 2, true
	case q.form&geoMayStore != 0 && left >= 1 && (c.isOption(i, "STORE") || c.isOption(i, "STOREDIST")):
		q.store, q.storeDist = true, c.isOption(i, "STOREDIST")
		return 2, true
	case q.form&geoStores != 0 && c.isOption(i, "STOREDIST"):
		q.storeDist = true
	case q.form.shapeInOptions():
		return q.shapeOption(c, i, left)
	default:
		return 0, true
	}
	return 1, true
}

// shapeOption is option for those that GEOSEARCH gives its shape by.
func (q *geoQuery) shapeOption(c *Ctx, i, left int) (n int, ok bool) {
	set := func(which *int, option, args int) (int, bool) {
		*which = option
		return args, true
	}
	switch {
	case c.isOption(i, "FROMMEMBER") && left >= 1 && q.center != geoByPoint:
		if q.v.Len() > 0 && !q.parseMember(c, i+1) {
			return 0, false
		}
		return set(&q.center, geoByMember, 2)
	case c.isOption(i, "FROMLONLAT") && left >= 2 && q.center != geoByMember:
		if q.shape.Center, ok = c.pointArg(i + 1); !ok {
			return 0, false
		}
		return set(&q.center, geoByPoint, 3)
	case c.isOption(i, "BYRADIUS") && left >= 2 && q.extent != geoByBox:
		if !q.parseRadius(c, i+1) {
			return 0, false
		}
		return set(&q.extent, geoByRadius, 3)
	case c.isOption(i, "BYBOX") && left >= 3 && q.extent != geoByRadius:
		if !q.parseBox(c, i+1) {
			return 0, false
		}
		return set(&q.extent, geoByBox, 4)
	}
	return 0, true
}

// consistent replies and reports false if the options do not go together.
func (q *geoQuery) consistent(c *Ctx) bool {
	switch {
	case q.store && (q.withDist || q.withHash || q.withCoord):
		name := "STORE option in GEORADIUS"
		if q.form&geoStores != 0 {
			name = "GEOSEARCHSTORE"
		}
		c.Error(Error("ERR " + name + " is not compatible with WITHDIST, WITHHASH and WITHCOORD options"))
	case q.form.shapeInOptions() && q.center == 0:
		c.Error(Error("ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for " + cString(c.Args[0])))
	case q.form.shapeInOptions() && q.extent == 0:
		c.Error(Error("ERR exactly one of BYRADIUS and BYBOX can be specified for " + cString(c.Args[0])))
	case q.any && q.count == 0:
		c.Error(errGeoAny)
	default:
		return true
	}
	return false
}

// find appends the members in the shape to points. If long is true, there are many to look at, and the command will run in steps.
func (q *geoQuery) find(c *Ctx, points []geoPoint) (found []geoPoint, long bool) {
	if q.v.Len() == 0 {
		return points, false
	}
	seen := 0
	m := q.shape.Matcher()
	var room [9]geohash.Range
	ranges := q.shape.Ranges(room[:0])
	if c.Yield != nil { // to grow it again and again would take long
		points = make([]geoPoint, 0, q.candidates(ranges))
	}
	most := -1
	if q.any {
		most = int(min(q.count, int64(q.v.Len())))
	}
	for _, r := range ranges {
		from, to := q.ranks(&r)
		it := q.v.Ascend(from, to)
		for range to - from {
			if len(points) == most {
				return points, false
			}
			if seen++; seen == longElements && c.Long(seen) {
				return nil, true
			}
			c.Pause(1)
			e, score, _ := it.Next()
			if d, ok := m.Contains(geohash.FromScore(score)); ok {
				points = append(points, geoPoint{e, d, score, len(points)})
			}
		}
	}
	return points, false
}

func (q *geoQuery) ranks(r *geohash.Range) (from, to int) {
	return q.v.ByScore(&zset.ScoreRange{Min: r.Min, Max: r.Max, MaxOpen: true})
}

// candidates counts the members that find looks at.
func (q *geoQuery) candidates(ranges []geohash.Range) (n int) {
	for i := range ranges {
		from, to := q.ranks(&ranges[i])
		n += to - from
	}
	if q.any {
		n = int(min(int64(n), q.count))
	}
	return n
}

// sort puts points in the order that is wanted and leaves the first ones. Members at the same distance are in the order in which
// Redis has them: with all wanted, that in which they were found.
func (q *geoQuery) sort(c *Ctx, points []geoPoint) []geoPoint {
	n := len(points)
	if q.count > 0 {
		n = int(min(q.count, int64(n)))
	}
	switch {
	case q.order == 0:
	case n == len(points):
		slices.SortFunc(points, func(a, b geoPoint) int {
			c.Pause(1)
			if a.distance != b.distance {
				return q.order * cmp.Compare(a.distance, b.distance)
			}
			return a.found - b.found
		})
	default:
		sortPart(points, 0, n, func(a, b *geoPoint) int {
			c.Pause(1)
			return q.order * cmp.Compare(a.distance, b.distance)
		})
	}
	return points[:n]
}

func (c *Ctx) replyPoints(q *geoQuery, points []geoPoint) {
	parts := 1
	for _, with := range []bool{q.withDist, q.withHash, q.withCoord} {
		if with {
			parts++
		}
	}
	c.Reply.Array(len(points))
	for i := range points {
		c.Pause(1)
		p := &points[i]
		if parts > 1 {
			c.Reply.Array(parts)
		}
		c.bulkElement(p.member)
		if q.withDist {
			c.distance(p.distance / q.shape.Unit)
		}
		if q.withHash {
			c.Reply.Int(int64(p.score))
		}
		if q.withCoord {
			c.coordinates(p.score)
		}
	}
}

// storePoints makes the members that were found the value of the key to store at.
func (c *Ctx) storePoints(q *geoQuery, points []geoPoint) {
	dest, event := c.geoDestination(q)
	lim := c.Env.Limits
	long := false
	for i := range points {
		p := &points[i]
		if q.storeDist {
			c.Pause(exactDistanceWork)
			p.score = geohash.ExactDistance(q.shape.Center, geohash.FromScore(p.score)) / q.shape.Unit
		}
		long = long || p.member.Len() > lim.ZSetListpackValue
	}
	var a, b []byte
	slices.SortFunc(points, func(x, y geoPoint) int {
		c.Pause(1)
		if x.score != y.score {
			return cmp.Compare(x.score, y.score)
		}
		a, b = x.member.Append(a[:0]), y.member.Append(b[:0])
		return slices.Compare(a, b)
	})
	v := zset.New(dest.DB.Space())
	var err error
	if long || len(points) > lim.ZSetListpackEntries {
		err = v.Enlarge()
	}
	for i := 0; i < len(points) && err == nil; i++ {
		err = v.AppendElement(lim, points[i].member, points[i].score)
		c.Pause(1)
	}
	if err != nil {
		dest.DB.FreeRoot(v.Root())
		c.Error(ErrNoMemory)
		return
	}
	c.storeZSet(dest, &v, event)
}

func (c *Ctx) geoDestination(q *geoQuery) (dest *shard.Key, event string) {
	if q.form&geoStores != 0 {
		return &c.Keys[0], "geosearchstore"
	}
	return &c.Keys[1], "georadiusstore"
}
