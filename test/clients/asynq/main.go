// Command asynq runs tasks through asynq's queues, whose scripts use keys that they do not declare. Its argument is the server's port. It is
// a module of its own so that Shoal does not depend on asynq.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

const (
	tasks    = 200 // of each queue
	deadline = 4 * time.Minute
)

// counts are what the workers have done.
type counts struct {
	work, late, failed, retried, unique, batches, batched atomic.Int64
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: asynq port")
		os.Exit(2)
	}
	redis := asynq.RedisClientOpt{Addr: "127.0.0.1:" + os.Args[1], DialTimeout: deadline, ReadTimeout: deadline, WriteTimeout: deadline}
	if err := run(redis); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(redis asynq.RedisClientOpt) error {
	client, inspector := asynq.NewClient(redis), asynq.NewInspector(redis)
	defer client.Close()
	defer inspector.Close()
	if err := enqueue(client); err != nil {
		return err
	}
	var n counts
	server := asynq.NewServer(redis, asynq.Config{
		Concurrency: 16, Queues: map[string]int{"critical": 6, "default": 3}, LogLevel: asynq.ErrorLevel,
		TaskCheckInterval: 50 * time.Millisecond, DelayedTaskCheckInterval: 100 * time.Millisecond,
		RetryDelayFunc:   func(int, error, *asynq.Task) time.Duration { return 100 * time.Millisecond },
		GroupGracePeriod: time.Second,
		GroupAggregator: asynq.GroupAggregatorFunc(func(_ string, list []*asynq.Task) *asynq.Task {
			n.batched.Add(int64(len(list)))
			return asynq.NewTask("batch", nil)
		}),
	})
	if err := server.Start(n.mux()); err != nil {
		return err
	}
	err := n.await()
	server.Shutdown()
	if err != nil {
		return err
	}
	return inspect(inspector)
}

// enqueue fills the queues.
func enqueue(client *asynq.Client) error {
	var err error
	put := func(kind string, options ...asynq.Option) error {
		_, e := client.Enqueue(asynq.NewTask(kind, []byte("payload")), options...)
		return e
	}
	must := func(e error) { err = errors.Join(err, e) }
	for i := range tasks {
		must(put("work", asynq.Queue("critical")))
		must(put("work"))
		if i%10 == 0 {
			must(put("late", asynq.ProcessIn(200*time.Millisecond)))
			must(put("flaky", asynq.MaxRetry(3)))
			must(put("grouped", asynq.Group("g")))
		}
	}
	must(put("unique", asynq.Unique(time.Hour)))
	if e := put("unique", asynq.Unique(time.Hour)); !errors.Is(e, asynq.ErrDuplicateTask) {
		must(fmt.Errorf("a second unique task: %v", e))
	}
	must(put("kept", asynq.TaskID("kept"), asynq.Retention(time.Hour)))
	if e := put("kept", asynq.TaskID("kept")); !errors.Is(e, asynq.ErrTaskIDConflict) {
		must(fmt.Errorf("a second task of the same name: %v", e))
	}
	return err
}

func (n *counts) mux() *asynq.ServeMux {
	mux := asynq.NewServeMux()
	count := func(c *atomic.Int64) func(context.Context, *asynq.Task) error {
		return func(context.Context, *asynq.Task) error {
			c.Add(1)
			return nil
		}
	}
	mux.HandleFunc("work", count(&n.work))
	mux.HandleFunc("late", count(&n.late))
	mux.HandleFunc("unique", count(&n.unique))
	mux.HandleFunc("batch", count(&n.batches))
	mux.HandleFunc("kept", func(_ context.Context, t *asynq.Task) error {
		_, err := t.ResultWriter().Write([]byte("result"))
		return err
	})
	mux.HandleFunc("flaky", func(ctx context.Context, _ *asynq.Task) error {
		if retries, _ := asynq.GetRetryCount(ctx); retries == 0 {
			n.failed.Add(1)
			return errors.New("the first time it fails")
		}
		n.retried.Add(1)
		return nil
	})
	return mux
}

// await waits until all is done.
func (n *counts) await() error {
	want := map[string]struct {
		c *atomic.Int64
		n int64
	}{
		"work": {&n.work, 2 * tasks}, "late": {&n.late, tasks / 10}, "failed": {&n.failed, tasks / 10}, "retried": {&n.retried, tasks / 10},
		"unique": {&n.unique, 1}, "grouped": {&n.batched, tasks / 10},
	}
	for end := time.Now().Add(deadline); ; time.Sleep(10 * time.Millisecond) {
		missing := ""
		for name, w := range want {
			if got := w.c.Load(); got > w.n {
				return fmt.Errorf("%s: %d, more than %d", name, got, w.n)
			} else if got < w.n {
				missing = fmt.Sprintf("%s: %d of %d", name, got, w.n)
			}
		}
		switch {
		case missing == "" && n.batches.Load() > 0:
			return nil
		case time.Now().After(end):
			return errors.New("not all is done: " + missing)
		}
	}
}

// inspect asks asynq what it thinks of its queues.
func inspect(inspector *asynq.Inspector) error {
	for _, queue := range []string{"critical", "default"} {
		info, err := inspector.GetQueueInfo(queue)
		if err != nil {
			return err
		}
		if info.Pending+info.Active+info.Scheduled+info.Retry+info.Archived+info.Aggregating != 0 || info.Processed < tasks {
			return fmt.Errorf("queue %s: %+v", queue, *info)
		}
	}
	kept, err := inspector.GetTaskInfo("default", "kept")
	if err != nil {
		return err
	}
	if string(kept.Result) != "result" || kept.State != asynq.TaskStateCompleted {
		return fmt.Errorf("the task that is kept: %+v", *kept)
	}
	return inspector.DeleteTask("default", "kept")
}
