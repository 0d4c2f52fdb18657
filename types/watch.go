package types

import "github.com/shoaldb/shoal/alloc"

// Watcher hears what becomes of one large value, so that the state that it had at some moment can be saved piece by
// piece while it changes. Its functions are called within changes: they read the blocks that they are given, and do not
// open the value. Members are the blocks of members of a set or sorted set, and of fields of a hash; nodes are those of
// a list or stream.
type Watcher interface {
	// Before is called when a command that may change the value is about to begin: the value can be opened.
	Before()
	// Change tells that a member's block is about to change, or to go.
	Change(member alloc.Ref)
	// Add tells that a block is that of a new member, or of one that stands in another place now.
	Add(member alloc.Ref)
	// ChangeNode tells that a node's block is about to change or to go. lp is its listpack, or, if raw is not 0, what
	// that, of raw bytes, was compressed to.
	ChangeNode(node alloc.Ref, lp []byte, raw int)
	// DropNode is ChangeNode for a node that goes as it is. It reports whether the watcher keeps the block, of size
	// bytes, to free it later.
	DropNode(node alloc.Ref, size int) (kept bool)
	// ChangeGroups tells that somebody has a look at the consumer groups of a stream, and may change them or their consumers.
	ChangeGroups()
	// ChangePending tells that what a group knows of its pending entry id is about to change or to go; AddPending that
	// a block is that of another pending entry. The blocks are those of the delivery and of the consumer that has the
	// entry.
	ChangePending(id [16]byte, delivery, consumer alloc.Ref)
	AddPending(delivery alloc.Ref)
	// DropGroup tells that a group is not the stream's any more. r is the root of a stream that has nothing else, and
	// is about to be freed.
	DropGroup(group alloc.Ref, r Root)
	// Moved tells the value's new root.
	Moved(to Root)
	// Orphan gives the value, of which no key is left, to the watcher: to free it.
	Orphan()
	// Lost tells that the value's memory is gone.
	Lost()
}

// Watcher returns who watches the value of root r, or nil.
func (s *Space) Watcher(r *Root) Watcher {
	if s.watchers == nil {
		return nil
	}
	return s.watchers[*r]
}

// Watch makes w the watcher of the value of root r, for all views of it that are opened from now on.
func (s *Space) Watch(r Root, w Watcher) {
	if s.watchers == nil {
		s.watchers = map[Root]Watcher{}
	}
	s.watchers[r] = w
}

// Unwatch ends the watching of the value of root r by w.
func (s *Space) Unwatch(r Root, w Watcher) {
	if s.watchers[r] != w {
		return
	}
	if delete(s.watchers, r); len(s.watchers) == 0 {
		s.watchers = nil
	}
}

// Watched tells whether any value is being watched.
func (s *Space) Watched() bool { return s.watchers != nil }

// Rewatch tells the watcher of the value whose root was was, if any, that it is another one now. One that is empty is
// not watched any more.
func (s *Space) Rewatch(was, is Root) {
	w := s.watchers[was]
	if w == nil || was == is {
		return
	}
	s.Unwatch(was, w)
	w.Moved(is)
	if is.Data != (RootData{}) {
		s.Watch(is, w)
	}
}

// LoseAll tells all watchers that the memory of the space is given up.
func (s *Space) LoseAll() {
	for _, w := range s.watchers {
		w.Lost()
	}
	s.watchers = nil
}
