package server

import (
	"math/rand/v2"
	"strings"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/shard"
)

var lolwutCommands = []command.Spec{
	{Name: "LOLWUT", Arity: -1, Flags: command.ReadOnly | command.Fast, Group: command.GroupServer, Since: "5.0.0", Complexity: "O(1)",
		Summary: "Shows a picture and the version.",
		Args:    []command.Arg{{Name: "version", Token: "VERSION", Type: command.ArgInteger, Optional: true}}, Run: lolwut},
}

// lolwut draws the same picture whatever version is asked for, of which there is only one.
func lolwut(c *command.Ctx) {
	if len(c.Args) >= 3 && command.EqualFold(c.Args[1], "VERSION") {
		if _, ok := shard.ParseInt(c.Args[2]); !ok {
			c.Error(command.ErrNotInteger)
			return
		}
	}
	c.Reply.Verbatim("txt", drawShoal(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))+
		"\nMany swim as one. Shoal "+Version+", Redis ver. "+RedisVersion+"\n")
}

// The picture's size, in characters.
const (
	seaColumns = 72
	seaRows    = 12
)

// drawShoal draws a shoal of fish that swim to the right, denser in its middle, below the waves.
func drawShoal(random *rand.Rand) string {
	sea := make([][]rune, seaRows)
	for y := range sea {
		sea[y] = []rune(strings.Repeat(" ", seaColumns))
	}
	for x := range sea[0] {
		sea[0][x] = []rune("~~~-~~^~")[random.IntN(8)]
	}
	fish := []string{"><>", "><>", "><>", ">->", "><((º>", "><{{*>"}
	for range 60 {
		f := []rune(fish[random.IntN(len(fish))])
		x := int(random.NormFloat64()*seaColumns/6 + seaColumns/2)
		y := int(random.NormFloat64()*seaRows/6 + seaRows/2)
		if fits(sea, x, y, len(f)) {
			copy(sea[y][x:], f)
		}
	}
	for range 8 {
		if x, y := random.IntN(seaColumns), 1+random.IntN(seaRows-1); fits(sea, x, y, 1) {
			sea[y][x] = []rune("o°.")[random.IntN(3)]
		}
	}
	lines := make([]string, seaRows)
	for y := range sea {
		lines[y] = strings.TrimRight(string(sea[y]), " ")
	}
	return strings.Join(lines, "\n") + "\n"
}

// fits tells whether n characters fit at x, y, with water around them.
func fits(sea [][]rune, x, y, n int) bool {
	if y < 1 || y >= seaRows || x < 1 || x+n >= seaColumns {
		return false
	}
	for _, c := range sea[y][x-1 : x+n+1] {
		if c != ' ' {
			return false
		}
	}
	return true
}
