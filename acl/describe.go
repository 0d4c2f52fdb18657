package acl

import (
	"strings"

	"github.com/shoaldb/shoal/command"
)

// describe writes a selector as rules that make it.
func (s *Users) describe(sel *selector) string {
	var words []string
	if keys := sel.keyRules(); keys != "" {
		words = append(words, keys)
	}
	if !sel.allChannels {
		words = append(words, "resetchannels")
	}
	if channels := sel.channelRules(); channels != "" {
		words = append(words, channels)
	}
	return strings.Join(append(words, s.commandRules(sel)), " ")
}

func (sel *selector) keyRules() string {
	if sel.allKeys {
		return "~*"
	}
	words := make([]string, len(sel.keys))
	for i, p := range sel.keys {
		words[i] = p.String()
	}
	return strings.Join(words, " ")
}

func (sel *selector) channelRules() string {
	if sel.allChannels {
		return "&*"
	}
	words := make([]string, len(sel.channels))
	for i, p := range sel.channels {
		words[i] = "&" + p
	}
	return strings.Join(words, " ")
}

// commandRules describes which commands are allowed: all or none, then the categories that come closest, one after
// the other, then single commands.
func (s *Users) commandRules(sel *selector) string {
	sign, opposite, first := "+", "-", "-@all"
	if sel.future {
		sign, opposite, first = "-", "+", "+@all"
	}
	words := []string{first}
	made, left := s.newSelector(), s.newSelector() // what the words make; what they do not cover
	s.setAll(&made, sel.future)
	copy(left.commands, sel.commands)
	applied := map[string]bool{}
	for {
		best := s.bestCategory(&left, !sel.future, applied)
		if best == "" {
			break
		}
		applied[best] = true
		words = append(words, sign+"@"+best)
		s.setCategory(&made, best, !sel.future)
		s.setCategory(&left, best, opposite == "+")
	}
	s.table.Each(func(spec *command.Spec) {
		i := spec.Index()
		allowed := sel.commands.has(i)
		if allowed != made.commands.has(i) {
			mark := "-"
			if allowed {
				mark = "+"
			}
			words = append(words, mark+spec.FullName())
			made.setCommand(spec, allowed)
		}
		if !allowed {
			for _, arg := range sel.firstArgs[i] {
				words = append(words, "+"+spec.FullName()+"|"+arg)
			}
		}
	})
	return strings.Join(words, " ")
}

// bestCategory returns the category whose commands agree most with those that are on (additive) or off: more than half
// of them, and with the fewest exceptions.
func (s *Users) bestCategory(left *selector, additive bool, applied map[string]bool) string {
	best, fewest, most := "", int(^uint(0)>>1), 0
	for _, c := range s.categories {
		if applied[c.name] {
			continue
		}
		same := left.commands.common(c.commands)
		if !additive {
			same = c.size - same
		}
		differ := c.size - same
		if same > differ && (differ < fewest || differ == fewest && same > most) {
			best, fewest, most = c.name, differ, same
		}
	}
	return best
}

// category is what a category's name stands for.
type category struct {
	name     string
	commands bits
	size     int
}

func categoriesOf(table *command.Table) []category {
	var list []category
	for _, name := range command.CategoryNames() {
		c := category{name: name, commands: newBits(table)}
		set := command.CategoryNamed(name)
		table.Each(func(spec *command.Spec) {
			if spec.Categories()&set != 0 {
				c.commands.set(spec.Index(), true)
				c.size++
			}
		})
		list = append(list, c)
	}
	return list
}
