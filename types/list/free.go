package list

// Free gives back the memory of the whole list.
func (v *Value) Free() {
	for !v.FreeStep(1 << 20) {
	}
}
