// Package deps is temporary: it pins the modules while packages are being written.
package deps

import (
	_ "github.com/HdrHistogram/hdrhistogram-go"
	_ "github.com/panjf2000/gnet/v2"
	_ "github.com/redis/go-redis/v9"
	_ "github.com/valyala/bytebufferpool"
	_ "github.com/zeebo/xxh3"
	_ "golang.org/x/sys/unix"
)
