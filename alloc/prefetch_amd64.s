#include "textflag.h"

// func Prefetch(addrs []uintptr)
TEXT ·Prefetch(SB), NOSPLIT, $0-24
	MOVQ addrs_base+0(FP), SI
	MOVQ addrs_len+8(FP), CX
	LEAQ (SI)(CX*8), DI
	JMP  check

next:
	MOVQ        (SI), AX
	PREFETCHT0  (AX)
	ADDQ        $8, SI

check:
	CMPQ SI, DI
	JB   next
	RET

// func Prefetch1(addr uintptr)
TEXT ·Prefetch1(SB), NOSPLIT, $0-8
	MOVQ       addr+0(FP), AX
	PREFETCHT0 (AX)
	RET
