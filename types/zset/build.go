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
	last, lastScore := 0, math.Inf(-1)
	for pos := listpack.First(lp); pos != 0 && pos < len(lp)-1; {
		at := listpack.Skip(lp, pos)
		if at >= len(lp)-1 {
			return false, errOdd
		}
		score, next, ok := takeScore(lp, at)
		if !ok {
			return false, errScore
		}
		if score <= lastScore && last != 0 && (score < lastScore || !before(lp, last, pos)) {
			inOrder = false
		}
		last, lastScore, pos = pos, score, next
	}
	return inOrder, nil
}

// before tells whether the member at a belongs before that at b, which has the same score.
func before(lp []byte, a, b int) bool {
	var room, room2 [maxIntText]byte
	x, y := listpack.Get(lp, a), listpack.Get(lp, b)
	if !x.IsInt && !y.IsInt {
		return bytes.Compare(x.Bytes, y.Bytes) < 0
	}
	return bytes.Compare(x.Append(room[:0]), y.Append(room2[:0])) < 0
}

// takeScore returns the score at pos and the position after it; ok is false if it is no number.
func takeScore(lp []byte, pos int) (score float64, next int, ok bool) {
	if v, next, ok := listpack.TakeInt(lp, pos); ok {
		return float64(v), next, true
	}
	e, next := listpack.Take(lp, pos)
	if score, ok = plainDecimal(e.Bytes); ok {
		return score, next, true
	}
	score, err := strconv.ParseFloat(string(e.Bytes), 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, 0, false
	}
	return score, next, !math.IsNaN(score)
}

// ScoreOfElement returns the score that an element of a listpack is.
func ScoreOfElement(e listpack.Element) float64 { return scoreOf(e) }

// Buckets returns the number of buckets of a skiplist's table.
func (v *Value) Buckets() int { return v.head().table.Buckets() }
