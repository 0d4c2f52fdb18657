//go:build !linux

package save

import "time"

func giveWay() {}

func rest(d time.Duration) { time.Sleep(d) }
