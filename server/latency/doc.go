// Package latency keeps what took long, by kind of event, and how long the calls of each command took.
// See https://redis.io/docs/latest/operate/oss_and_stack/management/optimization/latency-monitor/.
package latency
