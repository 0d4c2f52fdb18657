package netio

// forget removes the conn's socket from the poller.
func (l *pollLoop) forget(c *Conn) error { return l.poller.Delete(c.fd) }

// muteListener removes a listener's socket from the poller until it is to accept again.
func (l *pollLoop) muteListener(fd int) { _ = l.poller.Delete(fd) }

// tuneAccepted has nothing to do: an accepted socket inherits the listener's options.
func tuneAccepted(int, int) {}
