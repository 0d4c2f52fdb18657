// Package resp turns bytes into commands and replies into bytes: RESP2, RESP3
// and inline commands, with redis' limits and error texts. It does no I/O and
// imports only the standard library.
//
// # Commands in
//
// A Parser takes what one connection receives, in any pieces, and cuts it into
// commands. The reactor's loop, per receive buffer:
//
//	p.Feed(buf)
//	for {
//		args, status, err := p.Next(argv, limits)   // up to 32 or so, then
//		...                                         // execute them, then
//		p.Release()                                 // go on
//	}                                               // until NeedMore
//
//	         Feed                            Next: Command
//	idle -----------> input to parse  <---------------------------+
//	 ^                 |   |   |                                   |
//	 |  Next: NeedMore |   |   +-- whole command: args alias in ---+
//	 +-----------------+   |                                       |
//	                       +-- incomplete: an assembly keeps it; --+
//	                           Next: NeedMore, and the next Feed
//	                           goes on where it stopped
//
// Clients write *3\r\n$3\r\nSET\r\n... and Next itself takes a command in that
// form when it lies in the input whole. Everything else goes to an assembly, a
// state machine that sees every byte once however the stream is cut:
//
//	            '*'              count > 0               size             size bytes
//	atStart ---------> inCount ------------> inBulkLine ------> inBody ---------------> inTail
//	   |  ^               |                   ^     |                                     |
//	   |  +---------------+ count <= 0        |     +--> Command, if none is left         | 2 bytes
//	   |                                      +-------------------------------------------+
//	   +--> inInline --> Command, or atStart if the line is blank
//
// It also notes what redis does not check: the byte after a header's '\r' and
// the two bytes after an argument may be anything.
//
// # Who owns which bytes
//
//   - The receive buffer is the caller's. It must not change between Feed and
//     the NeedMore that follows (and the execution of what was parsed), or
//     Detach.
//   - Arguments are valid until Release or Feed. They alias the receive buffer
//     if they came with the last Feed, else an assembly's memory.
//   - An assembly comes from a pool when a command does not fit, and goes back
//     there with Release. An idle Parser holds none.
//   - An argument of which 64 KiB or more are missing when it begins goes into a
//     buffer of its own, from BigBuffers, of exactly its size, filled as it
//     arrives. TakeBig makes it the caller's; what is not taken goes back by
//     Put at Release, Feed or Close.
//   - A caller that must stop halfway, since the client is blocked or paused,
//     calls Detach: the parser copies the rest of the input. More Feeds append to
//     it.
//
// # Replies out
//
// The Append functions append one reply to a byte slice. A Writer does so in the
// protocol of its client; types that RESP2 lacks fall back as they do in redis.
//
// ParseReply and ReplyScanner read replies: for clients, tests and load
// generators.
package resp
