// Package config holds the configuration: which directives there are, how configuration
// files and the command line are read, and what CONFIG GET, SET and REWRITE do.
//
// The directives are declared in table.go, one literal each; everything else, including
// docs/configuration.md, is derived from the table. The names, bounds, defaults and error texts are
// those of Redis 7.0 and 7.2; Shoal's own directives stand in the section
// "Reactors and shards".
//
// A Config is made by ParseArgs and Loader.Load. Its current state is a Values, plain Go
// fields that are never written to once published: a reactor calls Load, which is one atomic
// read, and sees one consistent state for as long as it keeps the pointer. Set replaces
// the state as a whole, after the hooks that the server registered with OnChange have accepted it.
//
// The package knows no sockets and no clients. It reads files, looks whether dir is a
// directory and whether logfile can be written, and writes the file that CONFIG REWRITE asks
// for; it does not change the process' working directory, which is the server's part
// (register a hook for dir, and change to Values.Dir at start).
package config
