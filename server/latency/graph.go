package latency

import (
	"fmt"
	"strings"
)

const (
	graphCols = 80 // samples that fit a picture's line
	graphRows = 4
)

// Graph draws the samples at a time: a column each, with how long ago it was written downwards below.
func (s *Series) Graph(unix int64) string {
	var b strings.Builder
	sum := s.Summary(unix)
	fmt.Fprintf(&b, "%s - high %d ms, low %d ms (all time high %d ms)\n%s\n", s.Event, sum.Max, sum.Min, sum.AllTimeHigh, strings.Repeat("-", graphCols))
	for rest := s.Samples; len(rest) > 0; {
		part := rest[:min(len(rest), graphCols)]
		rest = rest[len(part):]
		drawBars(&b, part, sum.Min, sum.Max)
		drawAges(&b, part, unix)
		b.WriteByte('\n')
	}
	return b.String()
}

// drawBars draws a bar for each sample. The shortest of all is an underline, the longest fills all rows.
func drawBars(b *strings.Builder, part []Sample, low, high int64) {
	const marks = "_.o#"
	for row := range graphRows {
		for _, x := range part {
			// The height is in quarters of a row: 0 is none.
			height := 4 * int64(graphRows)
			if high > low {
				height = 1 + (x.MS-low)*(4*graphRows-1)/(high-low)
			}
			switch above := height - 4*int64(graphRows-1-row); {
			case above <= 0:
				b.WriteByte(' ')
			case above >= 4:
				b.WriteByte('#')
			default:
				b.WriteByte(marks[above-1])
			}
		}
		b.WriteByte('\n')
	}
}

func drawAges(b *strings.Builder, part []Sample, unix int64) {
	labels, longest := make([]string, len(part)), 0
	for i, x := range part {
		labels[i] = age(unix - x.Time)
		longest = max(longest, len(labels[i]))
	}
	for row := range longest {
		for _, l := range labels {
			if row < len(l) {
				b.WriteByte(l[row])
			} else {
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
}

// age writes seconds in the largest unit of which there is one.
func age(seconds int64) string {
	const minute, hour, day = 60, 3600, 86400
	switch {
	case seconds < minute:
		return fmt.Sprintf("%ds", seconds)
	case seconds < hour:
		return fmt.Sprintf("%dm", seconds/minute)
	case seconds < day:
		return fmt.Sprintf("%dh", seconds/hour)
	}
	return fmt.Sprintf("%dd", seconds/day)
}
