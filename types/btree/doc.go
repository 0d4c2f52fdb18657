// Package btree is an off-heap B+tree with ranks: references in the order of a float64 score and, where scores are equal, of
// what the references stand for. It is the index of large sorted sets, ordered by (score, member).
//
// Nodes are blocks of 1024 bytes. Leaves hold the elements, 12 bytes each, and are linked both ways:
//
//	leaf
//	+---+------+------+------+---+--------------------+--------------------+
//	| n | size | prev | next | - | 84 scores, 8 B each | 84 refs, 4 B each   |
//	+---+------+------+------+---+--------------------+--------------------+
//	0   2      4      8      12  16                   688                  1024
//
// Scores stand together, so that a binary search touches three cache lines or so. While a leaf is the whole tree its block may
// be smaller (size tells its bytes): 64, 128, 256 or 512, with room for 4, 9, 20 or 41 elements.
//
// An inner node has an entry per child: the child's first element as separator, the child, and the number of elements under it.
//
//	inner node
//	+---+---+---------------------+----------------------+-------------------+-----------------+
//	| n | - | 50 scores, 8 B each | 50 refs, 4 B each    | 50 children, 4 B  | 50 counts, 4 B  |
//	+---+---+---------------------+----------------------+-------------------+-----------------+
//	0   2   8                     408                    608                 808               1008
//
// A separator is always the first element that is really there: one that is removed goes from the separators too. So no
// reference in the tree outlives its element.
//
// # Filling
//
// An element for a full leaf goes to a sibling with room for several; only if there is none, two full leaves become three
// (Knuth's B*-tree). At either end of the tree a new leaf is begun instead. So leaves filled in order are full, in random
// order they are full to some 82 %. A leaf less than half full is merged or evened out with a sibling. Inner nodes, which are
// 2 % of the whole, are split in the middle, and merged where two have become one.
//
// # Use
//
// A [Root] is 28 bytes that the owner keeps, off-heap as well; a [Tree] is a view of it for the duration of one command. What
// references stand for is known to an [Order]. Scores must not be NaN. As with Redis, -0 and 0 are equal.
package btree
