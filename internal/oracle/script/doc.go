// Package script reads, replays and rewrites recorded command scripts: text files of commands and the replies that
// redis-server gave, to be read aloud.
//
//	# SETRANGE pads with zero bytes, and never makes an empty key.
//	SET k "Hello World"
//	    +OK
//	SETRANGE k 6 Redis
//	    :11
//	@2 GET k
//	    "Hello Redis"
//
// A line is a command with redis-cli's quoting (see oracle.SplitWords); "@name" in front names the connection, "1" if
// absent. The lines indented by four spaces below it are the reply (see oracle.Render). A script is replayed with RESP2
// and RESP3; where the replies differ, the second follows a line "  resp3":
//
//	CONFIG GET maxmemory
//	    ["maxmemory", "0"]
//	  resp3
//	    %["maxmemory" => "0"]
//
// Lines that start with "#" are comments. Lines that start with "%" are directives. For the whole script, in front of
// its first command:
//
//	%server --maxclients 10   runs on a server of its own with these arguments
//	%resp2, %resp3            is replayed with one protocol only
//
// For the next command:
//
//	%mask REGEXP              parts of the reply that match are written as <*>
//	%between A B              an integer from A to B is written as :A..B
//	%sort                     the lines of the reply's elements are sorted
//	%until REGEXP             is repeated until the reply matches
//	%noreply                  has no reply (yet)
//	%raw                      the words are sent as bytes, one after another, without framing
//	%shoal                    Shoal's reply differs from redis-server's on purpose; a comment says why
//
// In a command's place:
//
//	%read [@name]             reads one more reply: a push, or what a blocked command returns at last
//	%closed [@name]           the server closes the connection
package script
