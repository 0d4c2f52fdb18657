package bench

import (
	"crypto/sha1"
	_ "embed"
	"encoding/hex"

	"github.com/shoaldb/shoal/bench/load"
)

// tokenBucket is a script as rate limiters have it.
//
//go:embed scripts/token_bucket.lua
var tokenBucket string

// subscribers is the number of those who receive each message.
const subscribers = 100

// programs are the scenarios on scripts, transactions and messages.
var programs = []Scenario{
	{Name: "evalsha-p1", Title: "EVALSHA of a token bucket", Words: tokenBucketWords(), Once: []feed{scriptLoad(tokenBucket)}},
	{Name: "evalsha-p16", Title: "EVALSHA of a token bucket", Pipeline: 16, Words: tokenBucketWords(), Once: []feed{scriptLoad(tokenBucket)}},
	{Name: "multi10-p1", Title: "MULTI, 10 SETs and EXEC", Words: set, Transaction: 10},
	{Name: "multi10-p16", Title: "MULTI, 10 SETs and EXEC", Pipeline: 16, Words: set, Transaction: 10},
	{Name: "publish-single-p1", Title: "PUBLISH to 100 subscribers", Conns: 1, Words: publish, Audience: subscribers},
	{Name: "publish-p1", Title: "PUBLISH to 100 subscribers", Words: publish, Audience: subscribers},
	{Name: "publish-p16", Title: "PUBLISH to 100 subscribers", Pipeline: 16, Words: publish, Audience: subscribers},
}

const channel = "news:today"

var publish = []string{"PUBLISH", channel, load.DataMark}

// tokenBucketWords asks one of many buckets for a token. Few are refused.
func tokenBucketWords() []string {
	sum := sha1.Sum([]byte(tokenBucket))
	return []string{"EVALSHA", hex.EncodeToString(sum[:]), "1", "bucket:" + load.KeyMark, "100", "50", "1"}
}

func scriptLoad(script string) feed {
	return feed{commands: 1, words: func(args []string, _ int64) []string { return append(args, "SCRIPT", "LOAD", script) }}
}

// transaction is one request of so many commands between MULTI and EXEC, and the number of its replies.
func transaction(words []string, valueSize, n int) (command load.Command, replies int) {
	command = load.NewCommand("MULTI")
	for range n {
		command.Wire = append(command.Wire, load.Expand(words, valueSize).Wire...)
	}
	command.Wire = load.AppendCommand(command.Wire, "EXEC")
	return command, n + 2
}
