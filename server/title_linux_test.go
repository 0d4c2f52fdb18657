package server

import (
	"strings"
	"testing"
)

func TestTitleImage(t *testing.T) {
	f := func(args, env int64, title, want string) {
		t.Helper()
		a := titleArea{argStart: 1000, argEnd: 1000 + args, envStart: 1000 + args, envEnd: 1000 + args + env}
		if got := string(a.image(title)); got != want {
			t.Errorf("%d, %d, %q: %q, want %q", args, env, title, got, want)
		}
	}
	f(8, 0, "abc", "abc\x00\x00\x00\x00.")
	f(8, 0, "abcdef", "abcdef\x00.")
	f(8, 0, "abcdefg", "abcdefg\x00")
	f(8, 0, "abcdefgh", "abcdefg\x00") // cut
	f(8, 9, "abcdefgh", "abcdefgh\x00")
	f(8, 4, "abcdefghijklmn", "abcdefghijk\x00")
	f(8, 9999, strings.Repeat("x", 5000), strings.Repeat("x", 4095)+"\x00")

	apart := titleArea{argStart: 1000, argEnd: 1004, envStart: 2000, envEnd: 3000}
	if got := string(apart.image("abcdef")); got != "abc\x00" {
		t.Errorf("environment elsewhere: %q", got)
	}
}

func TestFindTitleArea(t *testing.T) {
	a, err := findTitleArea()
	if err != nil {
		t.Fatal(err)
	}
	if a.argEnd <= a.argStart || a.envStart < a.argEnd || a.envEnd < a.envStart {
		t.Errorf("%+v", a)
	}
}
