#include "textflag.h"

// func Prefetch(addrs []uintptr)
TEXT ·Prefetch(SB), NOSPLIT, $0-24
	MOVD addrs_base+0(FP), R0
	MOVD addrs_len+8(FP), R1
	ADD  R1<<3, R0, R1
	B    check

next:
	MOVD.P 8(R0), R2
	PRFM   (R2), PLDL1KEEP

check:
	CMP R1, R0
	BLO next
	RET

// func Prefetch1(addr uintptr)
TEXT ·Prefetch1(SB), NOSPLIT, $0-8
	MOVD addr+0(FP), R0
	PRFM (R0), PLDL1KEEP
	RET
