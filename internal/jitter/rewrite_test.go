package main

import (
	"testing"
)

const source = `package p // a comment

import "sync"

var mu sync.Mutex

func f(c chan int) {
	x := 1
	mu.Lock()
	go g()
	for i := range x {
		if v := <-c; v == i {
			c <- v
		}
	}
	defer func() { mu.Unlock() }()
	switch {
	case x > 0:
		close(c)
	}
}

// g must not grow its stack.
//
//go:nosplit
func g() { mu.Lock() }
`

const wanted = `package p; import jitter "github.com/shoaldb/shoal/internal/jitter/delay" // a comment

import "sync"

var mu sync.Mutex

func f(c chan int) {
	x := 1
	jitter.At(7); mu.Lock()
	jitter.At(8); go g()
	for i := range x {
		jitter.At(9); if v := <-c; v == i {
			jitter.At(10); c <- v
		}
	}
	defer func() { jitter.At(11); mu.Unlock() }()
	switch {
	case x > 0:
		jitter.At(12); close(c)
	}
}

// g must not grow its stack.
//
//go:nosplit
func g() { mu.Lock() }
`

func TestRewrite(t *testing.T) {
	got, n, err := rewrite([]byte(source), 7)
	if err != nil || n != 6 || string(got) != wanted {
		t.Errorf("%d statements, %v\n%s", n, err, got)
	}
	const plain = "package p\n\nfunc f() int { return 1 }\n"
	if got, n, err := rewrite([]byte(plain), 0); err != nil || n != 0 || string(got) != plain {
		t.Errorf("%d statements, %v\n%s", n, err, got)
	}
	if _, _, err := rewrite([]byte("package"), 0); err == nil {
		t.Error("no package was parsed")
	}
}
