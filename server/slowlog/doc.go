// Package slowlog keeps the latest commands that took long.
// See https://redis.io/docs/latest/commands/slowlog/.
package slowlog
