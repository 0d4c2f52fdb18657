package zset

import (
	"bytes"
	"errors"
	"math"
	"strconv"

	"github.com/shoaldb/shoal/types"
	"github.com/shoaldb/shoal/types/listpack"
)

// FromListpack returns a sorted set with the members of lp, which ValidateListpack has found to be in order and none of
// which comes twice: a listpack, byte for byte, unless there are more members than lim allows. The error is
// types.ErrNoMemory.
func FromListpack(sp *types.Space, lim *types.Limits, lp []byte) (Value, error) {
	v := New(sp)
	var ok bool
	if v.block, ok = listpack.New(sp.Arena, lp); !ok {
		return Value{}, types.ErrNoMemory
	}
	if v.Len() > lim.ZSetListpackEntries {
		if err := v.Enlarge(); err != nil {
			v.Free()
			return Value{}, err
		}
	}
	return v, nil
}

var (
	errOdd   = errors.New("zset: a member without a score")
	errScore = errors.New("zset: a score that is no number")
)

// ValidateListpack tells whether lp, a valid listpack, is one of members and scores, and whether these are in order.
func ValidateListpack(lp []byte) (inOrder bool, err error) {
	inOrder = true
	var last []byte
	var room, lastRoom [maxIntText]byte
	lastScore := math.Inf(-1)
	n := 0
	for pos := listpack.First(lp); pos != 0 && pos < len(lp)-1; n++ {
		e, at := listpack.Take(lp, pos)
		if at >= len(lp)-1 {
			return false, errOdd
		}
		s, next := listpack.Take(lp, at)
		score, ok := checkedScore(s)
		if !ok {
			return false, errScore
		}
		name := e.Bytes
		if e.IsInt {
			name = e.Append(room[:0])
		}
		if n > 0 && (score < lastScore || score == lastScore && bytes.Compare(name, last) <= 0) {
			inOrder = false
		}
		last, lastScore = name, score
		if e.IsInt {
			last = append(lastRoom[:0], name...)
		}
		pos = next
	}
	return inOrder, nil
}

func checkedScore(e listpack.Element) (score float64, ok bool) {
	if e.IsInt {
		return float64(e.Int), true
	}
	score, err := strconv.ParseFloat(string(e.Bytes), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return score, !math.IsNaN(score)
}

// ScoreOfElement returns the score that an element of a listpack is.
func ScoreOfElement(e listpack.Element) float64 { return scoreOf(e) }

// Buckets returns the number of buckets of a skiplist's table.
func (v *Value) Buckets() int { return v.head().table.Buckets() }
