package listpack

import (
	"fmt"
	"slices"
	"testing"
)

// elements returns the elements of a listpack that is valid.
func elements(t *testing.T, lp []byte) (list []string) {
	t.Helper()
	if err := Validate(lp, true); err != nil {
		t.Fatal(err)
	}
	for pos := First(lp); pos != 0; pos = Next(lp, pos) {
		list = append(list, string(Get(lp, pos).Append(nil)))
	}
	return list
}

func TestRoomAtAnEnd(t *testing.T) {
	words := []string{"7", "a word", "-70000", fmt.Sprintf("%0100d", 1), "", fmt.Sprintf("%05000d", 2)}
	const size = 20_000
	front, back := make([]byte, size), make([]byte, size)
	gap := size - len(empty)
	copy(front[gap:], empty[:])
	used := copy(back, empty[:])
	var pushed []string
	for i := 0; ; i++ {
		word := words[i%len(words)]
		left, ok := PushFirst(front, gap, []byte(word))
		grown, same := PushLast(back, used, []byte(word))
		if ok != same || left != size-grown {
			t.Fatalf("%d: %v with %d left before, %v with %d left behind", i, ok, left, same, size-grown)
		}
		gap, used = left, grown
		pushed = append(pushed, word)
		if !ok {
			pushed = pushed[:i]
			break
		}
	}
	for len(pushed) > 1 {
		if got := elements(t, back[:used]); !slices.Equal(got, pushed) {
			t.Fatalf("pushed last: %.30q, want %.30q", got, pushed)
		}
		got := elements(t, front[gap:])
		slices.Reverse(got)
		if !slices.Equal(got, pushed) {
			t.Fatalf("pushed first: %.30q, want the reverse of %.30q", got, pushed)
		}
		gap, used = PopFirst(front, gap), PopLast(back[:used])
		pushed = pushed[:len(pushed)-1]
	}
}
