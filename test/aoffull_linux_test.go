package test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shoaldb/shoal/internal/oracle"
)

// smallDisk mounts a file system of 1 MiB. It reports false where that is not permitted.
func smallDisk(t *testing.T) (dir string, ok bool) {
	dir = t.TempDir()
	err := unix.Mount("none", dir, "tmpfs", 0, "size=1m")
	if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) {
		return dir, false
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 100 {
			if unix.Unmount(dir, 0) == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	return dir, true
}

// TestFullDisk fills the disk of the append only file. (Where nothing can be mounted, package aof's test of a full disk
// has to do.)
func TestFullDisk(t *testing.T) {
	dir, ok := smallDisk(t)
	if !ok {
		return
	}
	srv := oracle.Shoal(t, "--dir", dir, "--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0")
	c := srv.Dial(t)
	value := strings.Repeat("x", 1000)
	const misconf = "-MISCONF Errors writing to the AOF file: No space left on device\r\n"
	last := ""
	oracle.WaitFor(t, "a full disk", func() bool {
		for range 100 {
			last = c.Do("APPEND", "k", value)
		}
		return last == misconf
	})
	if got := c.Do("GET", "other"); got != "$-1\r\n" {
		t.Error("reading:", got)
	}
	if got := c.Info("persistence")["aof_last_write_status"]; got != "err" {
		t.Error(got)
	}
	length := c.Do("STRLEN", "k")
	if err := unix.Mount("none", dir, "tmpfs", unix.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	oracle.WaitFor(t, "room", func() bool { return c.Do("SET", "other", "x") == "+OK\r\n" })
	if got := c.Do("DEBUG", "LOADAOF"); got != "+OK\r\n" {
		t.Error(got)
	}
	if got := c.Do("STRLEN", "k"); got != length {
		t.Errorf("%s bytes, after loading %s", length, got)
	}
}

// TestFullDiskAlways fills the disk under a server that has promised to lose nothing: it ends.
func TestFullDiskAlways(t *testing.T) {
	dir, ok := smallDisk(t)
	if !ok {
		return
	}
	log := filepath.Join(t.TempDir(), "log")
	srv := oracle.Shoal(t, "--dir", dir, "--appendonly", "yes", "--appendfsync", "always", "--logfile", log)
	network, addr := srv.Address()
	c, err := oracle.Dial(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	value := strings.Repeat("x", 1000)
	for err == nil {
		_, err = c.Do("APPEND", "k", value)
	}
	if status := srv.Wait(t); status != 1 {
		t.Error("exit status", status)
	}
	text, _ := os.ReadFile(log)
	if !strings.Contains(string(text), "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...") {
		t.Errorf("%s", text)
	}
}
