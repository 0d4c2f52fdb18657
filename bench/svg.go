package bench

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// chart is a row of panels that share series and legend.
type chart struct {
	title  string
	unit   string
	series []string
	panels []panel
}

// panel has an axis of its own.
type panel struct {
	title  string
	groups []group
}

// group is a cluster of bars, one per series; a Stat of zeroes is left out.
type group struct {
	label string
	bars  []Stat
}

// Measures of a chart in user units. Width grows with the number of bars.
const (
	chartTop    = 84.0 // title, legend, panel titles
	plotHeight  = 200.0
	chartBottom = 34.0
	axisWidth   = 52.0
	barWidth    = 30.0
	groupGap    = 22.0
	panelGap    = 18.0
	tickCount   = 4
	charWidth   = 6.6 // of the 12-unit font, about
)

// svgStyle keeps text and lines legible on light and dark pages; bars are of middle brightness.
const svgStyle = `<style>
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-size: 15px; font-weight: 600 }
.small { font-size: 10px }
.mid { text-anchor: middle }
.end { text-anchor: end }
.grid { stroke: #d0d7de; stroke-width: 1 }
.whisker { stroke: #24292f; stroke-width: 1.2; fill: none }
.s0 { fill: #d1603d } .s1 { fill: #3f83c5 } .s2 { fill: #5aa469 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .grid { stroke: #3d444d }
  .whisker { stroke: #e6edf3 }
}
</style>
`

// svg draws the chart.
func (c *chart) svg() string {
	var body strings.Builder
	x := 0.0
	for i := range c.panels {
		x += c.draw(&body, &c.panels[i], x) + panelGap
	}
	width := max(x-panelGap+8, float64(len(c.title))*8.5, c.legendWidth())
	height := chartTop + plotHeight + chartBottom
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" role="img">`+"\n",
		width, height, width, height)
	fmt.Fprintf(&out, "<title>%s</title>\n%s", html.EscapeString(c.title), svgStyle)
	fmt.Fprintf(&out, `<text class="title" x="4" y="18">%s</text>`+"\n", html.EscapeString(c.title))
	c.legend(&out)
	out.WriteString(body.String())
	out.WriteString("</svg>\n")
	return out.String()
}

func (c *chart) legendWidth() float64 {
	width := 8.0
	for _, name := range c.series {
		width += 30 + float64(len(name))*charWidth
	}
	return width + float64(len(c.unit))*charWidth + 20
}

func (c *chart) legend(out *strings.Builder) {
	x := 4.0
	for i, name := range c.series {
		fmt.Fprintf(out, `<rect class="s%d" x="%.1f" y="31" width="12" height="12" rx="2"/>`, i, x)
		fmt.Fprintf(out, `<text x="%.1f" y="41">%s</text>`+"\n", x+17, html.EscapeString(name))
		x += 30 + float64(len(name))*charWidth
	}
	fmt.Fprintf(out, `<text class="small" x="%.1f" y="41">%s</text>`+"\n", x+6, html.EscapeString(c.unit))
}

// draw draws one panel at x and returns its width.
func (c *chart) draw(out *strings.Builder, p *panel, left float64) (width float64) {
	top := 0.0
	for _, g := range p.groups {
		for _, bar := range g.bars {
			top = max(top, bar.Max, bar.Median)
		}
	}
	step := niceStep(top / tickCount)
	ticks := max(math.Ceil(top*1.08/step), 1) // room for a label above the highest bar
	scale := plotHeight / (step * ticks)
	base := chartTop + plotHeight
	groupWidth := barWidth * float64(len(c.series))
	width = axisWidth + float64(len(p.groups))*(groupWidth+groupGap)

	fmt.Fprintf(out, `<text class="mid" x="%.1f" y="66">%s</text>`+"\n", left+axisWidth+(width-axisWidth)/2, html.EscapeString(p.title))
	for i := range int(ticks) + 1 {
		value := float64(i) * step
		y := base - value*scale
		fmt.Fprintf(out, `<line class="grid" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, left+axisWidth, y, left+width, y)
		fmt.Fprintf(out, `<text class="small end" x="%.1f" y="%.1f">%s</text>`+"\n", left+axisWidth-5, y+3.5, axisLabel(value))
	}
	for i, g := range p.groups {
		x := left + axisWidth + groupGap/2 + float64(i)*(groupWidth+groupGap)
		for series, bar := range g.bars {
			if bar.Median > 0 {
				drawBar(out, x+float64(series)*barWidth, base, scale, series, bar)
			}
		}
		fmt.Fprintf(out, `<text class="mid" x="%.1f" y="%.1f">%s</text>`+"\n", x+groupWidth/2, base+18, html.EscapeString(g.label))
	}
	return width
}

// drawBar draws a bar to the median, a whisker from least to most, and the figure above both.
func drawBar(out *strings.Builder, x, base, scale float64, series int, s Stat) {
	height := s.Median * scale
	fmt.Fprintf(out, `<rect class="s%d" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"/>`, series, x+2, base-height, barWidth-4, height)
	high, low, middle := base-s.Max*scale, base-s.Min*scale, x+barWidth/2
	if s.Max > s.Min {
		fmt.Fprintf(out, `<path class="whisker" d="M%.1f %.1fV%.1fM%.1f %.1fh6M%.1f %.1fh6"/>`, middle, low, high, middle-3, low, middle-3, high)
	}
	fmt.Fprintf(out, `<text class="small mid" x="%.1f" y="%.1f">%s</text>`+"\n", middle, min(high, base-height)-4, barLabel(s.Median))
}

// niceStep rounds up to 1, 2 or 5 times a power of ten.
func niceStep(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5} {
		if v <= m*unit*(1+1e-9) {
			return m * unit
		}
	}
	return 10 * unit
}

// axisLabel writes a round number shortly: 1.5M, 200k, 0.05.
func axisLabel(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%gM", round3(v/1e6))
	case v >= 1e4:
		return fmt.Sprintf("%gk", round3(v/1e3))
	}
	return fmt.Sprintf("%g", round3(v))
}

// barLabel writes a figure in three significant digits or so, short enough for the width of a bar.
func barLabel(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.1fM", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.0fk", v/1e3)
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3f", v)
}

func round3(v float64) float64 { return math.Round(v*1e6) / 1e6 }
