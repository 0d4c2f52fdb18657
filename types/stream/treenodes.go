package stream

import "math/bits"

// TreeNodes returns how many nodes redis' radix tree would have for the nodes of this stream, which XINFO STREAM tells:
// a leaf for each, one for every fork, and one for every stretch of bytes without a fork. It visits all of them.
func (v *Value) TreeNodes() int {
	n := v.NodeCount()
	if n == 0 {
		return 1
	}
	t := treeCounter{nodes: n}
	var last ID
	first := true
	v.Nodes(func(id ID, _ []byte) bool {
		if !first {
			t.next(commonBytes(last, id))
		}
		first, last = false, id
		return true
	})
	t.next(-1)
	return t.nodes
}

// treeCounter goes through keys in their order.
type treeCounter struct {
	nodes int
	forks []int // depths of the forks above the last key, ascending
	above int   // depth of the fork before the last key; meaningless at the first
	some  bool
}

// next takes note that the last key has common bytes with the next one, or that there is none if that is -1.
func (t *treeCounter) next(common int) {
	up := common
	if t.some {
		up = max(up, t.above)
	}
	t.stretch(up, idBytes)
	for len(t.forks) > 0 && t.forks[len(t.forks)-1] > common {
		depth := t.forks[len(t.forks)-1]
		t.forks = t.forks[:len(t.forks)-1]
		up := common
		if n := len(t.forks); n > 0 {
			up = max(up, t.forks[n-1])
		}
		t.stretch(up, depth)
	}
	if common >= 0 && (len(t.forks) == 0 || t.forks[len(t.forks)-1] < common) {
		t.forks = append(t.forks, common)
		t.nodes++
	}
	t.above, t.some = common, true
}

// stretch counts the node between a fork, of which there is none at -1, and what is below it.
func (t *treeCounter) stretch(fork, below int) {
	if below > fork+1 {
		t.nodes++
	}
}

const idBytes = 16

// commonBytes returns how many bytes two IDs have in common as keys of a tree.
func commonBytes(a, b ID) int {
	if x := a.MS ^ b.MS; x != 0 {
		return bits.LeadingZeros64(x) / 8
	}
	return 8 + bits.LeadingZeros64(a.Seq^b.Seq)/8
}
