package server

import "sync/atomic"

// duties is what commands have to do besides their own work, as the server stands: a set of bits, and above them how
// many commands have leases. While it is 0 a plain command is run and nothing else (callPlain). It changes before the
// state that it stands for begins, or under all locks, and after that has ended, so whoever holds a lock and finds
// nothing here need not ask further.
type duties struct{ word atomic.Uint32 }

const (
	dutySnapshot  = 1 << iota // what is about to be changed has to be saved
	dutyNotify                // there may be keyspace notifications
	dutyPropagate             // effects are told
	dutyTrack                 // clients are told what is modified

	dutyLease = 1 << 8 // times the number of commands that have leases
)

func (d *duties) Load() uint32 { return d.word.Load() }

func (d *duties) set(bit uint32, on bool) {
	if on {
		d.word.Or(bit)
	} else {
		d.word.And(^bit)
	}
}

// countLeases notes that n more commands have leases, or fewer. It is called under the locks of the shards of their keys.
func (s *Server) countLeases(n int32) {
	s.leases.running.Add(n)
	s.duties.word.Add(uint32(n) * dutyLease)
}
