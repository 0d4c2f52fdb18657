package server

import (
	"fmt"
	"slices"

	"github.com/shoaldb/shoal/command"
	"github.com/shoaldb/shoal/server/config"
	"github.com/shoaldb/shoal/shard"
)

var redacted = []byte("(redacted)")

// redact returns the arguments of a command as others may see them (MONITOR, SLOWLOG): without passwords.
// It returns args itself if there is nothing to hide.
func redact(spec *command.Spec, args [][]byte) [][]byte {
	var secret func(i int) bool
	switch spec.FullName() {
	case "auth":
		secret = func(i int) bool { return i > 0 }
	case "acl|setuser":
		secret = func(i int) bool { return i > 1 }
	case "config|set":
		secret = func(i int) bool { return i > 2 && i%2 == 1 && config.IsSensitive(string(args[i-1])) }
	case "hello":
		secret = func(i int) bool { return follows(args, i, 1, "AUTH") || follows(args, i, 2, "AUTH") }
	case "migrate":
		secret = func(i int) bool {
			return i > 5 && (follows(args, i, 1, "AUTH") || follows(args, i, 1, "AUTH2") || follows(args, i, 2, "AUTH2"))
		}
	default:
		return args
	}
	shown := args
	for i := range args {
		if !secret(i) {
			continue
		}
		if &shown[0] == &args[0] {
			shown = slices.Clone(args)
		}
		shown[i] = redacted
	}
	return shown
}

// follows tells whether argument i comes distance arguments after the given option.
func follows(args [][]byte, i, distance int, option string) bool {
	return i >= distance && command.EqualFold(args[i-distance], option)
}

// withoutLarge returns args with large ones that a handler has taken over replaced: their memory is the data's now.
func (cl *Client) withoutLarge(args [][]byte) [][]byte {
	shown := args
	for i, a := range args {
		if len(a) < shard.LargeMin || cl.large.has(a) {
			continue
		}
		if &shown[0] == &args[0] {
			shown = slices.Clone(args)
		}
		shown[i] = fmt.Appendf(nil, "(%d bytes)", len(a))
	}
	return shown
}
