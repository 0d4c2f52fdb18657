//go:build !profile

package main

func startProfile() error { return nil }
