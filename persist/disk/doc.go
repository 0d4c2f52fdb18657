// Package disk is what persistence asks of a file system, step by step. A test puts another System in the system's
// place and looks at what each of its steps would leave if the machine stopped there (package crash).
//
// A crash of the process leaves every step that was made. A crash of the machine may undo what has not been synced: a
// file's bytes need its Sync, and names, of files that were made, renamed or removed, need SyncDir of their folder.
package disk
