package shard

// SetPayload sets k to a value of type t, not String, whose root is payload, whatever k held. It reports false, with nothing
// changed, if there is no memory.
func (db *DB) SetPayload(k *Key, t Type, enc Encoding, payload [payloadBytes]byte, m SetMode) bool {
	e, v, ok := db.overwrite(k, db.Find(k), 0, payloadBytes, m)
	if !ok {
		return false
	}
	e.h.kind = uint8(t) | uint8(enc)<<4
	copy(v, payload[:])
	return true
}
