// Package logging writes the server's log in Redis' line format:
//
//	12345:M 21 Nov 2026 01:59:02.123 * Ready to accept connections
//
// that is the process id, the role (M master, S replica, X sentinel, C a saving process), local time, a mark of the
// level (. debug, - verbose, * notice, # warning) and the text.
package logging
