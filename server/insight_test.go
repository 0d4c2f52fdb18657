package server

import (
	"strings"
	"testing"

	"github.com/shoaldb/shoal/internal/oracle"
)

// insightScript is what both servers are told, on one connection: what is wrong in a command, above all, and what is on the edge.
const insightScript = `
CONFIG SET slowlog-log-slower-than -1
SLOWLOG RESET
ACL SETUSER a1 ON >x >y <x NOPASS RESETPASS #e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
ACL GETUSER a1
ACL SETUSER a1 !e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
ACL SETUSER a1 !e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
ACL SETUSER a1 #xyz
ACL SETUSER a1 #E3B0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
ACL SETUSER a1 %~x
ACL SETUSER a1 %R
ACL SETUSER a1 %RR~x
ACL SETUSER a1 %RW~x %W~y %r~z
ACL GETUSER a1
ACL SETUSER a1 %X~x
ACL SETUSER a1 "~a b"
ACL SETUSER a1 "(~x +get" "&c)"
ACL SETUSER a1 "(+get ~x)" "( %R~y  +set )"
ACL GETUSER a1
ACL SETUSER a1 clearselectors
ACL SETUSER a1 "(+get"
ACL SETUSER a1 "+get)"
ACL SETUSER a1 (
ACL SETUSER a1 ()
ACL GETUSER a1
ACL SETUSER a1 "((+get))"
ACL SETUSER a1 "(nopass)"
ACL SETUSER a1 "(on)"
ACL SETUSER a1 sanitize-payload
ACL SETUSER a1 skip-sanitize-payload
ACL SETUSER a1 +@nosuch
ACL SETUSER a1 +client|nosuch
ACL SETUSER a1 +client|id|x
ACL SETUSER a1 -client|id
ACL SETUSER a1 +get|x -get|x
ACL SETUSER a1 +select|0 +SELECT|1
ACL GETUSER a1
ACL SETUSER a1 reset
ACL GETUSER a1
ACL SETUSER a1 +@read -get +config -config|set
ACL GETUSER a1
ACL SETUSER a1 allcommands -@admin +acl|whoami
ACL GETUSER a1
ACL SETUSER a1 ~* ~x
ACL SETUSER a1 allchannels &x
ACL SETUSER a1 resetchannels &x &y &x
ACL SETUSER a1 resetkeys ~a ~b ~a
ACL GETUSER a1
ACL SETUSER "a b" on
ACL SETUSER "" on
ACL GETUSER ""
ACL DELUSER ""
ACL SETUSER
ACL GETUSER
ACL GETUSER a b
ACL DELUSER
ACL CAT STRING x
ACL GENPASS 1 2
ACL GENPASS -1
ACL GENPASS 4096x
ACL GENPASS 4097
ACL WHOAMI x
ACL NOSUCH
ACL LOG -1
ACL LOG 0
ACL LOG RESET x
ACL DRYRUN
ACL DRYRUN default
ACL DRYRUN default get
ACL DRYRUN default get a b
ACL DRYRUN default nosuch a
ACL DRYRUN nosuch get a
ACL DRYRUN d get ro1
ACL DRYRUN d set ro1 x
ACL DRYRUN d set wo1 x
ACL DRYRUN d get wo1
ACL DRYRUN d getset wo1 x
ACL DRYRUN d copy ro1 wo1
ACL DRYRUN d copy wo1 ro1
ACL DRYRUN d keys *
ACL DRYRUN d config get x
ACL DRYRUN d publish c1 x
ACL DRYRUN d publish x x
ACL DRYRUN d subscribe c1 d
ACL DRYRUN d psubscribe c*
ACL DRYRUN d psubscribe c1
ACL DRYRUN d spublish x x
ACL DRYRUN d sort r1 BY w*
ACL DRYRUN d sort r1 GET #
ACL DRYRUN d eval "x" 1 z
ACL DRYRUN d xread STREAMS r1 z 0 0
ACL DRYRUN d zunionstore wo1 2 ro1 ro2
ACL DRYRUN d georadius wo1 1 1 1 km STORE ro1
ACL DRYRUN d client kill x
ACL DRYRUN d client id
ACL DRYRUN d client nosuch
ACL DRYRUN d bitfield ro1 GET u8 0
ACL DRYRUN d bitfield ro1 SET u8 0 1
ACL DRYRUN d set ro1 x GET
ACL DRYRUN d object freq z
ACL DRYRUN d memory usage z
ACL DRYRUN d touch z
CLIENT KILL
CLIENT KILL ID
CLIENT KILL ID x
CLIENT KILL ID 0
CLIENT KILL ID -1
CLIENT KILL ID 99999
CLIENT KILL ADDR 1:1
CLIENT KILL LADDR 1:1
CLIENT KILL TYPE nosuch
CLIENT KILL TYPE master
CLIENT KILL TYPE slave
CLIENT KILL TYPE replica
CLIENT KILL TYPE pubsub
CLIENT KILL USER nosuch
CLIENT KILL SKIPME maybe
CLIENT KILL SKIPME yes TYPE pubsub
CLIENT KILL FOO bar
CLIENT KILL 1.2.3.4:5
CLIENT KILL ID 1 ID
CLIENT LIST TYPE nosuch
CLIENT LIST TYPE pubsub
CLIENT LIST ID
CLIENT LIST ID x
CLIENT LIST ID 0
CLIENT LIST ID 99999
CLIENT LIST FOO
CLIENT LIST TYPE
CLIENT INFO x
CLIENT NO-EVICT
CLIENT NO-EVICT maybe
CLIENT NO-EVICT on
CLIENT NO-EVICT off
CLIENT PAUSE
CLIENT PAUSE x
CLIENT PAUSE -1
CLIENT PAUSE 1 FOO
CLIENT PAUSE 1 WRITE
CLIENT UNPAUSE
CLIENT UNPAUSE x
CLIENT REPLY maybe
CLIENT SETNAME "a b"
CLIENT SETNAME ok
CLIENT GETNAME
CLIENT UNBLOCK x
CLIENT UNBLOCK 99
CLIENT UNBLOCK 99 FOO
CLIENT TRACKING maybe
CLIENT GETREDIR
CLIENT CACHING yes
CLIENT NOSUCH
CLIENT
SLOWLOG
SLOWLOG GET x
SLOWLOG GET -2
SLOWLOG GET -1
SLOWLOG GET 0
SLOWLOG GET 1 2
SLOWLOG LEN x
SLOWLOG LEN
SLOWLOG RESET x
SLOWLOG RESET
SLOWLOG NOSUCH
LATENCY
LATENCY LATEST
LATENCY LATEST x
LATENCY HISTORY
LATENCY HISTORY command
LATENCY RESET
LATENCY RESET nosuch
LATENCY GRAPH
LATENCY GRAPH nosuch
LATENCY DOCTOR x
LATENCY NOSUCH
LATENCY HISTOGRAM nosuch
LATENCY HISTOGRAM blpop
CONFIG SET latency-monitor-threshold 1000
CONFIG SET latency-monitor-threshold 0
MEMORY DOCTOR x
MEMORY NOSUCH
MEMORY USAGE nosuch
MEMORY USAGE nosuch SAMPLES x
MEMORY USAGE nosuch SAMPLES -1
MEMORY USAGE nosuch FOO 1
MEMORY PURGE
CONFIG RESETSTAT
GET a
SET a 1
LPUSH a 1
NOSUCH
GET
INFO errorstats
CONFIG SET latency-tracking-info-percentiles "50 99.9 100"
CONFIG SET latency-tracking-info-percentiles "50 x"
CONFIG SET latency-tracking-info-percentiles "101"
CONFIG SET latency-tracking-info-percentiles ""
CONFIG SET latency-tracking no
INFO errorstats
ACL DELUSER a1
`

func TestInsightLikeRedis(t *testing.T) {
	a, b := oracle.Redis(t).Dial(t), oracle.Shoal(t, "--reactors", "2").Dial(t)
	for line := range strings.Lines(insightScript) {
		words, err := oracle.SplitWords(strings.TrimSpace(line))
		if err != nil || len(words) == 0 {
			continue
		}
		want, got := sortedRules(a.Do(words...)), sortedRules(b.Do(words...))
		if want != got {
			t.Errorf("%s\nredis %q\nshoal %q", line, want, got)
		}
	}
}
