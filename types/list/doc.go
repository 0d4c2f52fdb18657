// Package list is the list type. Its one encoding is a quicklist, as small as a listpack while it has one node; see
// package quicklist for the layout of the root.
package list
