package random

import (
	"slices"
	"time"
)

// shrink removes what is not needed for a difference: first it tries whether the commands differ also one by one, without
// pipelines, then it removes runs of commands, halving their length (delta debugging).
func shrink(targets []*Target, batches []batch, d *difference) ([]batch, *difference) {
	end := time.Now().Add(shrinkTime)
	differs := func(b []batch) *difference {
		found, err := compare(targets, b, shrinkTimeout)
		if err != nil {
			return nil // a server that did not come up again shows nothing
		}
		return found
	}
	if single := unpipelined(batches); len(single) > 0 {
		if found := differs(single); found != nil {
			batches, d = single, found
		}
	}
	for size := len(batches); size > 0 && time.Now().Before(end); size /= 2 {
		for i := 0; i < len(batches) && time.Now().Before(end); {
			rest := slices.Concat(batches[:i], batches[min(i+size, len(batches)):])
			if found := differs(rest); found != nil {
				batches, d = rest, found
			} else {
				i += size
			}
		}
	}
	return shrinkOps(batches, d, differs, end)
}

// shrinkOps removes single commands from the pipelines that are left.
func shrinkOps(batches []batch, d *difference, differs func([]batch) *difference, end time.Time) ([]batch, *difference) {
	for i := range batches {
		for j := 0; j < len(batches[i].ops) && len(batches[i].ops) > 1 && time.Now().Before(end); {
			rest := slices.Clone(batches)
			rest[i].ops = slices.Delete(slices.Clone(batches[i].ops), j, j+1)
			if found := differs(rest); found != nil {
				batches, d = rest, found
			} else {
				j++
			}
		}
	}
	return batches, d
}

func unpipelined(batches []batch) []batch {
	var out []batch
	for _, b := range batches {
		for _, op := range b.ops {
			out = append(out, batch{conn: b.conn, ops: []Op{op}})
		}
	}
	return out
}
