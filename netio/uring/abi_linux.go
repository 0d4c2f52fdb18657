//go:build linux && (amd64 || arm64)

package uring

// Set-up flags, io_uring_setup(2).
const (
	setupCQSize       = 1 << 3
	setupClamp        = 1 << 4
	setupSubmitAll    = 1 << 7  // Linux 5.18
	setupCoopTaskrun  = 1 << 8  // 5.19
	setupSingleIssuer = 1 << 12 // 6.0
	setupDeferTaskrun = 1 << 13 // 6.1
)

const (
	featSingleMmap = 1 << 0
	featNoDrop     = 1 << 1
	featExtArg     = 1 << 8
)

const (
	enterGetEvents      = 1 << 0
	enterExtArg         = 1 << 3
	enterRegisteredRing = 1 << 4 // 5.18
)

const (
	registerFilesUpdate = 6
	registerFiles2      = 13
	registerRingFDs     = 20
	registerPBufRing    = 22 // 5.19
)

const rsrcRegisterSparse = 1 << 0

const (
	offSQRing = 0
	offSQEs   = 0x10000000
)

const (
	opNop         = 0
	opSendMsg     = 9
	opAccept      = 13
	opAsyncCancel = 14
	opRead        = 22
	opSend        = 26
	opRecv        = 27
)

const (
	sqeFixedFile      = 1 << 0
	sqeBufferSelect   = 1 << 5
	sqeCQESkipSuccess = 1 << 6
)

const (
	acceptMultishot = 1 << 0 // in ioprio; 5.19
	recvMultishot   = 1 << 1 // in ioprio; 6.0
)

const (
	cqeBuffer   = 1 << 0
	cqeMore     = 1 << 1
	cqeBufShift = 16
)

// SQE is a request, struct io_uring_sqe: 64 bytes, little endian as both supported machines are.
type SQE struct {
	opcode   uint8
	flags    uint8
	ioprio   uint16
	fd       int32
	off      uint64
	addr     uint64
	len      uint32
	opFlags  uint32
	userData uint64
	bufGroup uint16
	_        uint16
	fileIdx  int32
	addr3    uint64
	_        uint64
}

// CQE is a completion, struct io_uring_cqe.
type CQE struct {
	UserData uint64
	Res      int32 // a result, or a negative errno
	flags    uint32
}

// More tells whether further completions of the same request will follow.
func (c *CQE) More() bool { return c.flags&cqeMore != 0 }

// Buffer is the bid of the provided buffer that was used, if any.
func (c *CQE) Buffer() (bid uint16, ok bool) {
	return uint16(c.flags >> cqeBufShift), c.flags&cqeBuffer != 0
}

type sqOffsets struct {
	head, tail, ringMask, ringEntries, flags, dropped, array, resv1 uint32
	userAddr                                                        uint64
}

type cqOffsets struct {
	head, tail, ringMask, ringEntries, overflow, cqes, flags, resv1 uint32
	userAddr                                                        uint64
}

type params struct {
	sqEntries, cqEntries, flags, sqThreadCPU, sqThreadIdle, features, wqFD uint32
	resv                                                                   [3]uint32
	sqOff                                                                  sqOffsets
	cqOff                                                                  cqOffsets
}

// geteventsArg is struct io_uring_getevents_arg.
type geteventsArg struct {
	sigmask   uint64
	sigmaskSz uint32
	_         uint32
	ts        uint64
}

// timespec is struct __kernel_timespec.
type timespec struct {
	sec, nsec int64
}

type rsrcRegister struct {
	nr, flags        uint32
	resv, data, tags uint64
}

type filesUpdate struct {
	offset, resv uint32
	fds          uint64
}

type rsrcUpdate struct {
	offset, resv uint32
	data         uint64
}

type bufReg struct {
	ringAddr    uint64
	ringEntries uint32
	bgid, flags uint16
	resv        [3]uint64
}

// buf is a slot of the buffer ring, struct io_uring_buf. bidTail is bid, and in slot 0 the tail above it.
type buf struct {
	addr    uint64
	len     uint32
	bidTail uint32
}
