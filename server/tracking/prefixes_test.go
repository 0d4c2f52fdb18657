package tracking

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// visit returns the prefixes of key with their clients.
func (p *Prefixes) visit(key string) (found []string) {
	p.Visit([]byte(key), func(x *Prefix) { found = append(found, fmt.Sprintf("%s %v", x.Name, x.Clients)) })
	return found
}

// TestPrefixesModel compares the tree with a list of pairs.
func TestPrefixesModel(t *testing.T) {
	var p Prefixes
	type pair struct {
		name   string
		client uint64
	}
	model := map[pair]bool{}
	r := rand.New(rand.NewPCG(3, 4))
	word := func() string {
		b := make([]byte, r.IntN(7))
		for i := range b {
			b[i] = "ab\x00"[r.IntN(3)]
		}
		return string(b)
	}
	want := func(key string) (list []string) {
		for n := range len(key) + 1 {
			clients := map[uint64]struct{}{}
			for m := range model {
				if m.name == key[:n] {
					clients[m.client] = struct{}{}
				}
			}
			if len(clients) > 0 {
				list = append(list, fmt.Sprintf("%s %v", key[:n], clients))
			}
		}
		return list
	}
	names := func() int {
		set := map[string]bool{}
		for m := range model {
			set[m.name] = true
		}
		return len(set)
	}
	for range 5000 {
		x := pair{word(), r.Uint64N(3)}
		if r.IntN(2) == 0 {
			p.Add(x.name, x.client)
			model[x] = true
		} else {
			p.Remove(x.name, x.client)
			delete(model, x)
		}
		key := word() + word()
		if got := p.visit(key); !slices.Equal(got, want(key)) || p.Len() != names() {
			t.Fatalf("%q: %q, not %q", key, got, want(key))
		}
	}
	for m := range model {
		p.Remove(m.name, m.client)
	}
	if p.Len() != 0 || len(p.root.children) != 0 {
		t.Errorf("%d prefixes are left, %d nodes", p.Len(), len(p.root.children))
	}
}

func TestCollide(t *testing.T) {
	f := func(have, names, want string) {
		t.Helper()
		got := ""
		if c, found := Collide(strings.Fields(have), strings.Fields(names)); found {
			got = fmt.Sprintf("%s %s %v", c.Prefix, c.Other, c.Existing)
		}
		if got != want {
			t.Errorf("%q %q: %q, not %q", have, names, got, want)
		}
	}
	f("", "", "")
	f("", "a b c", "")
	f("", "foobar foo", "foobar foo false")
	f("", "x foo foobar", "foo foobar false")
	f("foo", "foo", "foo foo true")
	f("bar foo", "x foobar", "foobar foo true")
	f("bar foo", "f", "f foo true")
	f("bar", "c ba c", "c c false")
}

// Very many prefixes do not take time in proportion to their square.
func TestCollideMany(t *testing.T) {
	names := make([]string, 300_000)
	for i := range names {
		names[i] = fmt.Sprintf("%d:", i)
	}
	if c, found := Collide(nil, names); found {
		t.Errorf("%v", c)
	}
	if _, found := Collide(names, []string{"777:x"}); !found {
		t.Error("no collision found")
	}
}
