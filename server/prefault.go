package server

import "github.com/shoaldb/shoal/alloc"

// startPrefaulter starts a goroutine that touches memory ahead of its need, so that no reactor has to wait for the kernel to
// clear a huge page. It sleeps unless the heap grows. The function returned ends it, and waits until it has ended.
func startPrefaulter(h *alloc.Heap) (stop func()) {
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-h.PrefaultDue():
				for h.Prefault() {
				}
			case <-done:
				return
			}
		}
	}()
	return func() { close(done); <-ended }
}
