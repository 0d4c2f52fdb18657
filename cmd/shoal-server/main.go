// Command shoal-server is the server: a drop-in for redis-server.
//
//	shoal-server [/path/redis.conf | -] [--directive value ...]
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/shoaldb/shoal/server"
	"github.com/shoaldb/shoal/server/config"
)

func main() {
	// The server's title is written over the arguments, which os.Args shares.
	for i, arg := range os.Args {
		os.Args[i] = strings.Clone(arg)
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	if err := startProfile(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	cl, err := config.ParseArgs(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	switch cl.Action {
	case config.ShowVersion:
		fmt.Println(server.VersionLine())
		return 0
	case config.ShowHelp:
		fmt.Fprint(os.Stderr, usage)
		return 1
	case config.TestMemory:
		fmt.Fprintln(os.Stderr, "shoal-server does not test memory. Use memtest86, or memtester from your distribution.")
		return 1
	case config.CheckSystem:
		return checkSystem()
	case config.RunSentinel:
		fmt.Fprintln(os.Stderr, "Sentinel mode is not available yet. Run redis-sentinel, which can watch this server.")
		return 1
	}
	loader := config.Loader{Stdin: os.Stdin, RenameCommand: server.CheckRename, User: server.CheckUser}
	cfg, err := loader.Load(cl)
	if err != nil {
		return refuse(err)
	}
	return serve(cfg)
}

// refuse tells what is wrong with the configuration.
func refuse(err error) int {
	var file *config.FileError
	if errors.As(err, &file) {
		fmt.Fprint(os.Stderr, file.Report("Shoal "+server.Version+", Redis "+server.RedisVersion))
		return 1
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

func serve(cfg *config.Config) int {
	if cfg.Load().Daemonize {
		parent, err := server.Daemonize()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		if parent {
			return 0
		}
	}
	if err := os.Chdir(cfg.Load().Dir); err != nil {
		fmt.Fprintf(os.Stderr, "Can't chdir to '%s': %v\n", cfg.Load().Dir, err)
		return 1
	}
	s, err := server.New(cfg)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return s.Run()
}

func checkSystem() int {
	checks := append(config.SystemChecks("/", config.New().Load().TCPBacklog), server.EngineCheck())
	if config.ReportChecks(os.Stdout, checks) {
		return 0
	}
	return 1
}

const usage = `Usage: shoal-server [/path/to/redis.conf] [options] [-]
       shoal-server - (read the configuration from standard input)
       shoal-server -v or --version
       shoal-server -h or --help
       shoal-server --check-system

Examples:
       shoal-server (with the default configuration)
       echo 'maxmemory 128mb' | shoal-server -
       shoal-server /etc/redis/6379.conf
       shoal-server --port 7777
       shoal-server --port 7777 --reactors 2 --net-engine io_uring
       shoal-server /etc/myredis.conf --loglevel verbose -

Every directive of redis.conf may be given as --directive value ...; see docs/configuration.md.
`
