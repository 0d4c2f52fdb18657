package script

import (
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"time"
)

// alarm is how the watchdog reaches a script.
type alarm struct {
	rung atomic.Bool
	slot int // in the watchdog's list; 1 for the first
}

// dog watches the scripts of the process that may run for long. Its goroutine sleeps while there are none for a while.
type dog struct {
	mu     sync.Mutex
	alarms []*alarm
	begun  atomic.Uint32
	awake  atomic.Bool
	heap   atomic.Uint64 // bytes of the Go heap in use, or not yet swept
	live   atomic.Uint64 // that the last garbage collection found in use
	allocs atomic.Uint64 // bytes allocated since the process began
}

var watchdog dog

const (
	watchEvery = time.Millisecond
	watchIdle  = 200 // times that it looks in vain before it sleeps
)

// add begins to watch a script.
func (d *dog) add(a *alarm) {
	a.rung.Store(false)
	d.mu.Lock()
	d.alarms = append(d.alarms, a)
	a.slot = len(d.alarms)
	d.mu.Unlock()
	d.begun.Add(1)
	if !d.awake.Load() && d.awake.CompareAndSwap(false, true) {
		go d.run()
	}
}

func (d *dog) remove(a *alarm) {
	d.mu.Lock()
	last := len(d.alarms)
	moved := d.alarms[last-1]
	d.alarms[a.slot-1], moved.slot = moved, a.slot
	d.alarms[last-1] = nil
	d.alarms = d.alarms[:last-1]
	a.slot = 0
	d.mu.Unlock()
}

// run rings the alarms of all watched scripts, again and again, until there have been none for a while.
func (d *dog) run() {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	begun, idle := d.begun.Load(), 0
	for idle < watchIdle {
		metrics.Read(samples)
		d.heap.Store(samples[0].Value.Uint64())
		d.live.Store(samples[1].Value.Uint64())
		d.allocs.Store(samples[2].Value.Uint64())
		time.Sleep(watchEvery)
		d.mu.Lock()
		for _, a := range d.alarms {
			a.rung.Store(true)
		}
		watching := len(d.alarms) > 0
		d.mu.Unlock()
		if n := d.begun.Load(); watching || n != begun {
			begun, idle = n, 0
		} else {
			idle++
		}
	}
	d.awake.Store(false)
	if d.begun.Load() != begun && d.awake.CompareAndSwap(false, true) {
		d.run()
	}
}

// Heap is what is known of the Go heap, at most a millisecond or two old.
type Heap struct {
	InUse     uint64 // bytes, with what is not yet swept
	Live      uint64 // found by the last garbage collection
	Allocated uint64 // since the process began
}

// ReadHeap returns what the watchdog knows of the heap. It is up to date while watched scripts run.
func ReadHeap() Heap {
	return Heap{InUse: watchdog.heap.Load(), Live: watchdog.live.Load(), Allocated: watchdog.allocs.Load()}
}
