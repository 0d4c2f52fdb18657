package alloc

// Prefault makes sure that a growing heap has a chunk in memory ahead of its need, and tells
// whether it had to. The first touch of a huge page takes the kernel some 0.4 ms, which a
// shard's lock should not wait for: call it from a goroutine that serves nobody when
// PrefaultDue says so, until it is false. Heaps that are small or without huge pages are left alone.
func (h *Heap) Prefault() (done bool) {
	addr := h.takeCold()
	if addr == 0 {
		return false
	}
	populate(addr, chunkSize)
	h.free(addr, chunkPages)
	return true
}

// takeCold takes a wholly free and cold chunk if less than half a chunk is free and warm.
func (h *Heap) takeCold() (addr uintptr) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = false
	if !h.needsPrefault() {
		return 0
	}
	i := int(h.bins.heads[coldBin]) - 1
	if i < 0 {
		var ok bool
		if i, ok = h.grow(1); !ok {
			return 0
		}
	}
	if !h.chunks[i].huge {
		return 0
	}
	h.take(i, 0, chunkPages)
	return h.chunks[i].addr
}

func (h *Heap) needsPrefault() bool {
	return h.inUsePages*PageSize >= hugeFloorBytes && h.freePages() < chunkPages/2
}

// PrefaultDue receives when Prefault has something to do; not again before Prefault was called.
func (h *Heap) PrefaultDue() <-chan struct{} { return h.prefault }

// askPrefault sends to prefault when that has become due. It is called with the lock held, after pages were taken.
func (h *Heap) askPrefault() {
	due := h.needsPrefault()
	if due && !h.asked {
		select {
		case h.prefault <- struct{}{}:
		default:
		}
	}
	h.asked = due
}
