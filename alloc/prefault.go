package alloc

// Prefault makes sure that a growing heap has a chunk in memory ahead of its need, and tells
// whether it had to. The first touch of a huge page takes the kernel some 0.4 ms, which a
// shard's lock should not wait for: call it every few milliseconds from a goroutine that
// serves nobody. Heaps that are small or without huge pages are left alone.
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
	if h.noHuge || h.inUsePages*PageSize < hugeFloorBytes || h.freePages() >= chunkPages/2 {
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
