package config

import "github.com/shoaldb/shoal/resp"

const errUnbalanced = reason("Unbalanced quotes in configuration line")

// splitLine cuts a line of a configuration file into words; see resp.SplitArgs for the rules.
func splitLine(line string) ([]string, error) {
	words, ok := resp.SplitWords(line)
	if !ok {
		return nil, errUnbalanced
	}
	return words, nil
}
