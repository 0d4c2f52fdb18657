// Package crash finds out, for tests, what a crash after each step of a program leaves on its disk.
//
// A Recorder takes the place of disk.OS. It does what it is asked, and notes it. Images then returns what could be
// found after a crash between any two steps: of the process, and of the machine, which loses what was not synced in
// several ways.
//
//	write, sync, rename | rename, sync of the folder ...
//	                    ^ crash: everything above;  or the old name;  or the new name and half of the bytes that were not synced; ...
package crash
