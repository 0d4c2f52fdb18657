package acl

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/shoaldb/shoal/command"
)

// DefaultName is the user that connections have before they log in.
const DefaultName = "default"

// User is a name with rules. It stays the same while its rules change; a user that was deleted and made again is another.
type User struct {
	name  string
	rules atomic.Pointer[Rules]
}

// Name returns the user's name.
func (u *User) Name() string { return u.name }

// Rules returns what the user may do at this moment.
func (u *User) Rules() *Rules { return u.rules.Load() }

// Users are all users. Any goroutine may call its methods.
type Users struct {
	table        *command.Table
	commands     map[string]*command.Spec // by the names that they have before rename-command
	categories   []category
	openChannels bool // new users may use all channels (acl-pubsub-default allchannels)

	mu     sync.RWMutex
	byName map[string]*User
	def    *User
}

// NewUsers returns a set with the user default, who may do everything.
func NewUsers(table *command.Table, openChannels bool) *Users {
	s := &Users{table: table, openChannels: openChannels, byName: map[string]*User{}, commands: map[string]*command.Spec{}}
	s.categories = categoriesOf(table)
	table.Each(func(spec *command.Spec) { s.commands[spec.FullName()] = spec })
	s.def = &User{name: DefaultName}
	s.def.rules.Store(s.defaultRules())
	s.byName[DefaultName] = s.def
	return s
}

// SetOpenChannels says whether users that are made from now on may use all channels.
func (s *Users) SetOpenChannels(open bool) {
	s.mu.Lock()
	s.openChannels = open
	s.mu.Unlock()
}

// Default returns the user default.
func (s *Users) Default() *User { return s.def }

// Get returns the user with a name, or nil.
func (s *Users) Get(name string) *User {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.byName[name]
}

// Names returns the names of all users, sorted.
func (s *Users) Names() []string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.byName))
}

// List returns all users as lines of a configuration file, sorted.
func (s *Users) List() []string {
	var lines []string
	for _, name := range s.Names() {
		if u := s.Get(name); u != nil {
			lines = append(lines, "user "+name+" "+s.String(u.Rules()))
		}
	}
	return lines
}

// Set changes a user, or makes one. If a rule is wrong, nothing is changed. It returns the rules from before, nil if
// the user is new.
func (s *Users) Set(name string, rules []string) (u *User, before *Rules, err error) {
	if hasBlanks(name) {
		return nil, nil, fmt.Errorf("Usernames can't contain spaces or null characters")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	u = s.byName[name]
	from := s.newRules()
	if u != nil {
		before = u.Rules()
		from = before
	}
	r, err := s.with(from, rules)
	if err != nil {
		return nil, nil, err
	}
	if u == nil {
		u = &User{name: name}
		s.byName[name] = u
	}
	u.rules.Store(r)
	return u, before, nil
}

// Delete removes a user and returns it, or nil. The user default stays.
func (s *Users) Delete(name string) *User {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.byName[name]
	if u == nil || u == s.def {
		return nil
	}
	delete(s.byName, name)
	u.rules.Store(s.newRules()) // whoever still holds it may do nothing
	return u
}

// replace takes the users of another set. Those that are no longer there, or are others now, are returned. The user
// default goes on with the rules of its namesake.
func (s *Users) replace(byName map[string]*Rules) (gone []*User) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if byName[DefaultName] == nil {
		byName[DefaultName] = s.defaultRules()
	}
	s.def.rules.Store(byName[DefaultName])
	old := s.byName
	s.byName = map[string]*User{DefaultName: s.def}
	for name, rules := range byName {
		if name != DefaultName {
			u := &User{name: name}
			u.rules.Store(rules)
			s.byName[name] = u
		}
	}
	for name, u := range old {
		if name != DefaultName {
			u.rules.Store(s.newRules())
			gone = append(gone, u)
		}
	}
	return gone
}
