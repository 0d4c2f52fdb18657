package tlsconf

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"hash"
	"slices"
)

var (
	errNoKey     = errors.New("no private key in PEM")
	errPassword  = errors.New("the key is encrypted, and tls-key-file-pass does not open it")
	errAlgorithm = errors.New("the key is encrypted in a way that is not supported: \"openssl pkey -aes256\" writes one that is")
)

// openKey returns the first private key of a file in PEM, decrypted if it is not. Two formats are in use: PKCS #8 (RFC
// 5958), which OpenSSL 3 writes, and the older one of RFC 1421, where the PEM's headers tell the cipher.
func openKey(text []byte, password string) ([]byte, error) {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return nil, errNoKey
		}
		switch block.Type {
		case "ENCRYPTED PRIVATE KEY":
			der, err := decryptPKCS8(block.Bytes, password, maxIterations)
			if err != nil {
				return nil, err
			}
			return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
		case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
			//lint:ignore SA1019 files of this kind exist
			if !x509.IsEncryptedPEMBlock(block) {
				return pem.EncodeToMemory(block), nil
			}
			//lint:ignore SA1019 the same
			der, err := x509.DecryptPEMBlock(block, []byte(password))
			if err != nil || !isKey(der) { // the padding of what a wrong password makes looks right by chance
				return nil, errPassword
			}
			return pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: der}), nil
		}
	}
}

// isKey tells whether der is a private key of a form that the types of PEM blocks above stand for.
func isKey(der []byte) bool {
	_, pkcs8 := x509.ParsePKCS8PrivateKey(der)
	_, pkcs1 := x509.ParsePKCS1PrivateKey(der)
	_, sec1 := x509.ParseECPrivateKey(der)
	return pkcs8 == nil || pkcs1 == nil || sec1 == nil
}

// The structures of RFC 8018, appendix A.
type (
	encryptedKey struct {
		Algorithm pkix.AlgorithmIdentifier
		Data      []byte
	}
	pbes2 struct {
		KDF, Scheme pkix.AlgorithmIdentifier
	}
	pbkdf2Params struct {
		Salt       []byte
		Iterations int
		KeyLen     int                      `asn1:"optional"`
		PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
	}
)

var (
	oidPBES2  = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}

	prfs = []prf{
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}, sha1.New},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}, sha256.New},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 10}, sha512.New384},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 11}, sha512.New},
	}

	schemes = []struct {
		oid    asn1.ObjectIdentifier
		keyLen int
		new    func([]byte) (cipher.Block, error)
	}{
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}, 16, aes.NewCipher},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}, 24, aes.NewCipher},
		{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}, 32, aes.NewCipher},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 3, 7}, 24, des.NewTripleDESCipher},
	}
)

// A prf is a hash under HMAC.
type prf struct {
	oid asn1.ObjectIdentifier
	new func() hash.Hash
}

// maxIterations bounds what a file can make us compute: some seconds. OpenSSL writes 2048.
const maxIterations = 10_000_000

// decryptPKCS8 decrypts a key that is encrypted by PBES2 with PBKDF2, in most iterations or fewer, and a cipher in CBC mode.
func decryptPKCS8(der []byte, password string, most int) ([]byte, error) {
	var key encryptedKey
	var scheme pbes2
	var kdf pbkdf2Params
	if !parse(der, &key) || !key.Algorithm.Algorithm.Equal(oidPBES2) || !parse(key.Algorithm.Parameters.FullBytes, &scheme) ||
		!scheme.KDF.Algorithm.Equal(oidPBKDF2) || !parse(scheme.KDF.Parameters.FullBytes, &kdf) || kdf.Iterations < 1 || kdf.Iterations > most {
		return nil, errAlgorithm
	}
	digest := sha1.New // the default
	if oid := kdf.PRF.Algorithm; oid != nil {
		i := slices.IndexFunc(prfs, func(p prf) bool { return oid.Equal(p.oid) })
		if i < 0 {
			return nil, errAlgorithm
		}
		digest = prfs[i].new
	}
	for _, s := range schemes {
		var iv []byte
		if !scheme.Scheme.Algorithm.Equal(s.oid) || !parse(scheme.Scheme.Parameters.FullBytes, &iv) {
			continue
		}
		secret, err := pbkdf2.Key(digest, password, kdf.Salt, kdf.Iterations, s.keyLen)
		if err != nil {
			return nil, errAlgorithm
		}
		block, err := s.new(secret)
		if err != nil {
			return nil, errAlgorithm
		}
		return decryptCBC(block, iv, key.Data)
	}
	return nil, errAlgorithm
}

// decryptCBC decrypts data and takes the padding off (RFC 8018, section 6.1.1).
func decryptCBC(block cipher.Block, iv, data []byte) ([]byte, error) {
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, errAlgorithm
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > size {
		return nil, errPassword
	}
	for _, b := range plain[len(plain)-pad:] {
		if int(b) != pad {
			return nil, errPassword
		}
	}
	plain = plain[:len(plain)-pad]
	if _, err := x509.ParsePKCS8PrivateKey(plain); err != nil {
		return nil, errPassword // the padding looked right by chance
	}
	return plain, nil
}

// parse reads exactly one value.
func parse(der []byte, to any) bool {
	rest, err := asn1.Unmarshal(der, to)
	return err == nil && len(rest) == 0
}
