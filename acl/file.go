package acl

import (
	"errors"
	"fmt"
	"strings"
)

// Load replaces all users by those of a file's text; name stands in errors. Users that connections may hold and that
// are no longer valid are returned: these connections are to be closed. If anything is wrong, nothing is changed, and
// the error tells all that is.
func (s *Users) Load(name, text string) (gone []*User, err error) {
	users := map[string]*Rules{}
	var wrong strings.Builder
	for i, line := range strings.Split(text, "\n") {
		words := strings.Split(strings.Trim(line, " \t\r\n"), " ")
		if len(words) == 1 && words[0] == "" {
			continue
		}
		where := fmt.Sprintf("%s:%d", name, i+1)
		switch {
		case words[0] != "user" || len(words) < 2:
			wrong.WriteString(where + " should start with user keyword followed by the username. ")
		case hasBlanks(words[1]):
			fmt.Fprintf(&wrong, "'%s: username '%s' contains invalid characters. ", where, words[1])
		case users[words[1]] != nil:
			fmt.Fprintf(&wrong, "WARNING: Duplicate user '%s' found on line %d. ", words[1], i+1)
		default:
			users[words[1]] = s.loadLine(&wrong, where, words[2:])
		}
	}
	if wrong.Len() > 0 {
		return nil, errors.New(wrong.String() + "WARNING: ACL errors detected, no change to the previously active ACL rules was performed")
	}
	return s.replace(users), nil
}

// loadLine makes a user's rules and notes what is wrong with them. Of errors that may follow from one another only the
// first is told, and no rule but the names of commands, as it may hold a password.
func (s *Users) loadLine(wrong *strings.Builder, where string, words []string) *Rules {
	r := s.newRules()
	if len(words) > maxParts {
		fmt.Fprintf(wrong, "%s: %s. ", where, errTooMany)
		return r
	}
	merged, unclosed := mergeSelectors(words)
	if unclosed != "" {
		wrong.WriteString(where + ": Unmatched parenthesis in selector definition.")
		return r
	}
	told := false
	for _, rule := range merged {
		rule = strings.Trim(rule, "\t\r\n")
		switch err := s.change(r, rule); {
		case err == nil:
		case errors.Is(err, errUnknown):
			fmt.Fprintf(wrong, "%s: Error in applying operation '%s': %s. ", where, rule, err)
		case !told:
			fmt.Fprintf(wrong, "%s: %s. ", where, err)
			told = true
		}
	}
	r.settle()
	if r.parts() > maxParts {
		fmt.Fprintf(wrong, "%s: %s. ", where, errTooMany)
	}
	return r
}

// Text returns all users as the text of a file.
func (s *Users) Text() string {
	return strings.Join(s.List(), "\n") + "\n"
}
