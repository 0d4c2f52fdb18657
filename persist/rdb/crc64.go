package rdb

import "encoding/binary"

// crcPoly is the polynomial of Jones, reflected.
const crcPoly = 0x95ac9329ac4bc9b5

// crcTables[k][b] is what a byte b that k other bytes follow contributes.
var crcTables = makeCRCTables()

func makeCRCTables() *[16][256]uint64 {
	t := new([16][256]uint64)
	for i := range t[0] {
		crc := uint64(i)
		for range 8 {
			crc = crc>>1 ^ crcPoly&-(crc&1)
		}
		t[0][i] = crc
	}
	for i := range t[0] {
		crc := t[0][i]
		for k := 1; k < len(t); k++ {
			crc = t[0][byte(crc)] ^ crc>>8
			t[k][i] = crc
		}
	}
	return t
}

// Checksum returns the CRC64 of what crc is that of, followed by b; of nothing it is 0. It takes 16 bytes at a time: 3 GB/s
// (BenchmarkChecksum).
func Checksum(crc uint64, b []byte) uint64 {
	t := crcTables
	for len(b) >= 16 {
		x, y := crc^binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
		crc = t[15][byte(x)] ^ t[14][byte(x>>8)] ^ t[13][byte(x>>16)] ^ t[12][byte(x>>24)] ^
			t[11][byte(x>>32)] ^ t[10][byte(x>>40)] ^ t[9][byte(x>>48)] ^ t[8][x>>56] ^
			t[7][byte(y)] ^ t[6][byte(y>>8)] ^ t[5][byte(y>>16)] ^ t[4][byte(y>>24)] ^
			t[3][byte(y>>32)] ^ t[2][byte(y>>40)] ^ t[1][byte(y>>48)] ^ t[0][y>>56]
		b = b[16:]
	}
	for _, c := range b {
		crc = t[0][byte(crc)^c] ^ crc>>8
	}
	return crc
}
