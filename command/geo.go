package command

import (
	"math"
	"strconv"

	"github.com/shoaldb/shoal/types/geohash"
)

// GeoCommands are the commands on sorted sets of places, whose scores package geohash explains.
var GeoCommands = []Spec{
	{Name: "GEOADD", Arity: -5, Flags: Write | DenyOOM, ACL: ACLGeo, Keys: OneKey(1, RW|Update),
		Group: GroupGeo, Since: "3.2.0", Complexity: "O(log(N)) for each place, where N is the number of members.",
		Summary: "Adds places, or gives members another one.",
		History: []Change{{"6.2.0", "The options `CH`, `NX` and `XX`."}},
		Args: []Arg{argKey,
			{Name: "condition", Type: ArgOneOf, Since: "6.2.0", Optional: true, Args: []Arg{
				{Name: "nx", Type: ArgPureToken, Token: "NX"}, {Name: "xx", Type: ArgPureToken, Token: "XX"}}},
			{Name: "change", Type: ArgPureToken, Token: "CH", Since: "6.2.0", Optional: true},
			{Name: "longitude_latitude_member", Type: ArgBlock, Multiple: true, Args: []Arg{
				{Name: "longitude", Type: ArgDouble}, {Name: "latitude", Type: ArgDouble}, argMember}}}, Run: geoadd},
	{Name: "GEODIST", Arity: -4, Flags: ReadOnly, ACL: ACLGeo, Keys: OneKey(1, RO|Access),
		Group: GroupGeo, Since: "3.2.0", Complexity: "O(log(N))",
		Summary: "Tells how far two members are from each other.",
		Args: []Arg{argKey, {Name: "member1", Type: ArgString}, {Name: "member2", Type: ArgString},
			{Name: "unit", Type: ArgOneOf, Optional: true, Args: geoUnitArgs}}, Run: geodist},
	{Name: "GEOHASH", Arity: -2, Flags: ReadOnly, ACL: ACLGeo, Keys: OneKey(1, RO|Access),
		Group: GroupGeo, Since: "3.2.0", Complexity: "O(log(N)) for each member asked for.",
		Summary: "Returns the places of members as standard geohashes.",
		Args:    geoMembersArgs, Run: geohashCommand},
	{Name: "GEOPOS", Arity: -2, Flags: ReadOnly, ACL: ACLGeo, Keys: OneKey(1, RO|Access),
		Group: GroupGeo, Since: "3.2.0", Complexity: "O(N) where N is the number of members asked for.",
		Summary: "Returns the longitudes and latitudes of members.",
		Args:    geoMembersArgs, Run: geopos},
	{Name: "GEORADIUS", Arity: -6, Flags: Write | DenyOOM, ACL: ACLGeo, Keys: geoStoreKeys(6), GetKeys: georadiusKeys,
		Group: GroupGeo, Since: "3.2.0", Complexity: geocxSearch, DeprecatedIn: "6.2.0", DocFlags: []string{"deprecated"},
		ReplacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` argument",
		Summary:    "Finds or stores the members within a distance of a place.",
		History:    []Change{geoAnyChange, geoUnitChange},
		Args: append(append([]Arg{argKey, {Name: "longitude", Type: ArgDouble}, {Name: "latitude", Type: ArgDouble}},
			georadiusArgs("6.2.0")...), geoStoreArgs...), Run: georadius},
	{Name: "GEORADIUSBYMEMBER", Arity: -5, Flags: Write | DenyOOM, ACL: ACLGeo, Keys: geoStoreKeys(5), GetKeys: georadiusKeys,
		Group: GroupGeo, Since: "3.2.0", Complexity: geocxSearch, DeprecatedIn: "6.2.0", DocFlags: []string{"deprecated"},
		ReplacedBy: "`GEOSEARCH` and `GEOSEARCHSTORE` with the `BYRADIUS` and `FROMMEMBER` arguments",
		Summary:    "Finds or stores the members within a distance of one of them.",
		History:    []Change{geoUnitChange},
		Args:       append(append([]Arg{argKey, argMember}, georadiusArgs("")...), geoStoreArgs...), Run: georadiusbymember},
	{Name: "GEORADIUSBYMEMBER_RO", Arity: -5, Flags: ReadOnly, ACL: ACLGeo, Keys: OneKey(1, RO|Access),
		Group: GroupGeo, Since: "3.2.10", Complexity: geocxSearch, DeprecatedIn: "6.2.0", DocFlags: []string{"deprecated"},
		ReplacedBy: "`GEOSEARCH` with the `BYRADIUS` and `FROMMEMBER` arguments",
		Summary:    "Finds the members within a distance of one of them.",
		Args:       append([]Arg{argKey, argMember}, georadiusArgs("")...), Run: georadiusbymemberRO},
	{Name: "GEORADIUS_RO", Arity: -6, Flags: ReadOnly, ACL: ACLGeo, Keys: OneKey(1, RO|Access),
		Group: GroupGeo, Since: "3.2.10", Complexity: geocxSearch, DeprecatedIn: "6.2.0", DocFlags: []string{"deprecated"},
		ReplacedBy: "`GEOSEARCH` with the `BYRADIUS` argument",
		Summary:    "Finds the members within a distance of a place.",
		History:    []Change{geoAnyChange},
		Args: append([]Arg{argKey, {Name: "longitude", Type: ArgDouble}, {Name: "latitude", Type: ArgDouble}},
			georadiusArgs("6.2.0")...), Run: georadiusRO},
	{Name: "GEOSEARCH", Arity: -7, Flags: ReadOnly, ACL: ACLGeo, Keys: OneKey(1, RO|Access),
		Group: GroupGeo, Since: "6.2.0", Complexity: geocxSearch,
		Summary: "Finds the members in a circle or a box.",
		History: []Change{geoUnitChange},
		Args:    append(append([]Arg{argKey}, geoSearchArgs...), geoWithArgs...), Run: geosearch},
	{Name: "GEOSEARCHSTORE", Arity: -8, Flags: Write | DenyOOM, ACL: ACLGeo,
		Keys:  []KeySpec{{Flags: OW | Update, Index: 1, Step: 1}, {Flags: RO | Access, Index: 2, Step: 1}},
		Group: GroupGeo, Since: "6.2.0", Complexity: geocxSearch,
		Summary: "Stores the members in a circle or a box.",
		History: []Change{geoUnitChange},
		Args: append(append([]Arg{{Name: "destination", Type: ArgKey}, {Name: "source", Type: ArgKey, KeySpecIndex: 1}},
			geoSearchArgs...), Arg{Name: "storedist", Type: ArgPureToken, Token: "STOREDIST", Optional: true}), Run: geosearchstore},
}

const geocxSearch = "O(N+log(M)) where N is the number of members in the cells around the shape and M that of those inside."

var (
	geoAnyChange  = Change{"6.2.0", "The option `ANY` of `COUNT`."}
	geoUnitChange = Change{"7.0.0", "Units in upper case."}

	geoUnitArgs = []Arg{{Name: "m", Type: ArgPureToken, Token: "M"}, {Name: "km", Type: ArgPureToken, Token: "KM"},
		{Name: "ft", Type: ArgPureToken, Token: "FT"}, {Name: "mi", Type: ArgPureToken, Token: "MI"}}
	geoUnitArg     = Arg{Name: "unit", Type: ArgOneOf, Args: geoUnitArgs}
	geoMembersArgs = []Arg{argKey, {Name: "member", Type: ArgString, Multiple: true}}
	geoOrderArg    = Arg{Name: "order", Type: ArgOneOf, Optional: true, Args: []Arg{
		{Name: "asc", Type: ArgPureToken, Token: "ASC"}, {Name: "desc", Type: ArgPureToken, Token: "DESC"}}}
	geoWithArgs = []Arg{
		{Name: "withcoord", Type: ArgPureToken, Token: "WITHCOORD", Optional: true},
		{Name: "withdist", Type: ArgPureToken, Token: "WITHDIST", Optional: true},
		{Name: "withhash", Type: ArgPureToken, Token: "WITHHASH", Optional: true}}
	geoStoreArgs = []Arg{{Name: "key", Type: ArgKey, Token: "STORE", KeySpecIndex: 1, Optional: true},
		{Name: "key", Type: ArgKey, Token: "STOREDIST", KeySpecIndex: 2, Optional: true}}
	geoSearchArgs = []Arg{
		{Name: "from", Type: ArgOneOf, Args: []Arg{
			{Name: "member", Type: ArgString, Token: "FROMMEMBER"},
			{Name: "longitude_latitude", Type: ArgBlock, Token: "FROMLONLAT", Args: []Arg{
				{Name: "longitude", Type: ArgDouble}, {Name: "latitude", Type: ArgDouble}}}}},
		{Name: "by", Type: ArgOneOf, Args: []Arg{
			{Name: "circle", Type: ArgBlock, Args: []Arg{{Name: "radius", Type: ArgDouble, Token: "BYRADIUS"}, geoUnitArg}},
			{Name: "box", Type: ArgBlock, Args: []Arg{{Name: "width", Type: ArgDouble, Token: "BYBOX"},
				{Name: "height", Type: ArgDouble}, geoUnitArg}}}},
		geoOrderArg, geoCountArg("")}
)

func geoCountArg(anySince string) Arg {
	return Arg{Name: "count", Type: ArgBlock, Optional: true, Args: []Arg{
		{Name: "count", Type: ArgInteger, Token: "COUNT"},
		{Name: "any", Type: ArgPureToken, Token: "ANY", Since: anySince, Optional: true}}}
}

// georadiusArgs are what follows the centre; anySince is when ANY came.
func georadiusArgs(anySince string) []Arg {
	args := append([]Arg{{Name: "radius", Type: ArgDouble}, geoUnitArg}, geoWithArgs...)
	return append(args, geoCountArg(anySince), geoOrderArg)
}

// geoStoreKeys are the keys of GEORADIUS and the like, whose options begin at argument first.
func geoStoreKeys(first int) []KeySpec {
	return []KeySpec{
		{Flags: RO | Access, Index: 1, Step: 1},
		{Flags: OW | Update, Keyword: "STORE", StartFrom: first, Step: 1},
		{Flags: OW | Update, Keyword: "STOREDIST", StartFrom: first, Step: 1},
	}
}

// georadiusKeys finds the key that results are stored at, the last one if there are several.
func georadiusKeys(args [][]byte, dst []int) ([]int, error) {
	stored := 0
	for i := 5; i+1 < len(args); i++ {
		if EqualFold(args[i], "STORE") || EqualFold(args[i], "STOREDIST") {
			i++
			stored = i
		}
	}
	dst = append(dst, 1)
	if stored > 0 {
		dst = append(dst, stored)
	}
	return dst, nil
}

const (
	errGeoUnit      Error = "ERR unsupported unit provided. please use M, KM, FT, MI"
	errGeoRadius    Error = "ERR need numeric radius"
	errGeoWidth     Error = "ERR need numeric width"
	errGeoHeight    Error = "ERR need numeric height"
	errGeoNegative  Error = "ERR radius cannot be negative"
	errGeoNegative2 Error = "ERR height or width cannot be negative"
	errGeoMember    Error = "ERR could not decode requested zset member"
	errGeoAny       Error = "ERR the ANY argument requires COUNT argument"
)

// pointArg returns the point of arguments i and i+1, or replies what is wrong with it.
func (c *Ctx) pointArg(i int) (p geohash.Point, ok bool) {
	if p.Lon, ok = c.doubleArg(i, ErrNotFloat); !ok {
		return p, false
	}
	if p.Lat, ok = c.doubleArg(i+1, ErrNotFloat); !ok {
		return p, false
	}
	if !p.Valid() {
		c.Error(Error("ERR invalid longitude,latitude pair " + percentF(p.Lon) + "," + percentF(p.Lat)))
	}
	return p, p.Valid()
}

// percentF returns f as C prints it by %f.
func percentF(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'f', 6, 64)
}

// unitArg returns the length of the unit at argument i in metres.
func (c *Ctx) unitArg(i int) (metres float64, ok bool) {
	switch {
	case c.isOption(i, "M"):
		return 1, true
	case c.isOption(i, "KM"):
		return 1000, true
	case c.isOption(i, "FT"):
		return 0.3048, true
	case c.isOption(i, "MI"):
		return 1609.34, true
	}
	c.Error(errGeoUnit)
	return 0, false
}

// geoadd is ZADD with places in place of scores, and that is what replicas are sent.
func geoadd(c *Ctx) {
	o, at := c.geoaddOptions()
	n := (len(c.Args) - at) / 3
	if (len(c.Args)-at)%3 != 0 || n == 0 || o.conflict(n) != "" {
		c.Error(ErrSyntax)
		return
	}
	var room [16]float64
	scores := room[:0]
	for i := at; i < len(c.Args); i += 3 {
		p, ok := c.pointArg(i)
		if !ok {
			return
		}
		scores = append(scores, float64(p.Score()))
	}
	c.addScores(scores, at+2, 3, o)
	if c.dirty > 0 && !c.rewritten && c.Journaling() {
		c.propagateScores(at, scores)
	}
}

// geoaddOptions are those of ZADD that GEOADD has.
func (c *Ctx) geoaddOptions() (o zaddOptions, at int) {
	for at = 2; at < len(c.Args); at++ {
		if !c.isOption(at, "NX") && !c.isOption(at, "XX") && !c.isOption(at, "CH") {
			break
		}
	}
	o, _ = c.zaddOptions()
	return o, at
}

// propagateScores propagates GEOADD as a ZADD of scores; the places begin at argument at.
func (c *Ctx) propagateScores(at int, scores []float64) {
	args := append([][]byte{[]byte("zadd")}, c.Args[1:at]...)
	for i, s := range scores {
		args = append(args, strconv.AppendInt(nil, int64(s), 10), c.Args[at+3*i+2])
	}
	c.Propagate(c.Keys[0].DB.ID(), args...)
}

// distance replies a distance with four digits after the point.
func (c *Ctx) distance(d float64) {
	var buf [32]byte
	scaled := math.RoundToEven(d * 1e4)
	n := int64(math.MinInt64) // what C makes of a number that is too large
	if scaled < 1<<63 {
		n = int64(scaled)
	}
	b := strconv.AppendInt(buf[:0], n/1e4, 10)
	b = append(b, '.')
	rest := n % 1e4
	if rest < 0 {
		rest = -rest
	}
	for unit := int64(1000); unit > 0; unit /= 10 {
		b = append(b, byte('0'+rest/unit%10))
	}
	c.Reply.Bulk(b)
}

// coordinates replies where a score lies.
func (c *Ctx) coordinates(score float64) {
	p := geohash.FromScore(score)
	c.Reply.Array(2)
	c.Reply.HumanDouble(p.Lon)
	c.Reply.HumanDouble(p.Lat)
}

func geodist(c *Ctx) {
	unit := 1.0
	if len(c.Args) > 5 {
		c.Error(ErrSyntax)
		return
	}
	if len(c.Args) == 5 {
		var ok bool
		if unit, ok = c.unitArg(4); !ok {
			return
		}
	}
	v, ok := c.readZSet(&c.Keys[0])
	if !ok {
		return
	}
	a, okA := v.Score(c.Args[2])
	b, okB := v.Score(c.Args[3])
	if !okA || !okB {
		c.Reply.Null()
		return
	}
	c.distance(geohash.Distance(geohash.FromScore(a), geohash.FromScore(b)) / unit)
}

func geohashCommand(c *Ctx) {
	v, ok := c.readZSet(&c.Keys[0])
	if !ok {
		return
	}
	c.Reply.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		score, ok := v.Score(member)
		if !ok {
			c.Reply.Null()
			continue
		}
		text := geohash.FromScore(score).Text()
		c.Reply.Bulk(text[:])
	}
}

func geopos(c *Ctx) {
	v, ok := c.readZSet(&c.Keys[0])
	if !ok {
		return
	}
	c.Reply.Array(len(c.Args) - 2)
	for _, member := range c.Args[2:] {
		if score, ok := v.Score(member); ok {
			c.coordinates(score)
		} else {
			c.Reply.NullArray()
		}
	}
}
