package verify

import (
	"bytes"
	"encoding/hex"
	"math/big"
	"math/bits"
)

// The modulus of an RSA key, in bits.
const minRSA, maxRSA = 2048, 8192

// maxRSAExponent bounds the public exponent, which is odd and above 1.
var maxRSAExponent = new(big.Int).SetUint64(1<<33 - 1)

// rsaKey is an RSA key whose parts were read and not yet judged.
type rsaKey struct{ modulus, exponent []byte }

// bits is the length of the modulus.
func (k *rsaKey) bits() int {
	if len(k.modulus) == 0 {
		return 0
	}
	return len(k.modulus)*8 - bits.LeadingZeros8(k.modulus[0])
}

func (k *rsaKey) check() Code {
	n := k.bits()
	if n < minRSA {
		return CodeRefusedAlgorithm
	}
	if n > maxRSA {
		return CodeTooLong
	}
	e := new(big.Int).SetBytes(k.exponent)
	if k.modulus[len(k.modulus)-1]&1 == 0 || e.Bit(0) == 0 || e.Cmp(big.NewInt(1)) <= 0 || e.Cmp(maxRSAExponent) > 0 {
		return CodeBadKey
	}
	return 0
}

// open raises a signature to the exponent: RSAVP1 of RFC 8017.
func (k *rsaKey) open(signature []byte) (*big.Int, bool) {
	n := new(big.Int).SetBytes(k.modulus)
	s := new(big.Int).SetBytes(signature)
	if len(signature) != (k.bits()+7)/8 || s.Cmp(n) >= 0 {
		return nil, false
	}
	return s.Exp(s, new(big.Int).SetBytes(k.exponent), n), true
}

// digestInfo is what stands before the digest under PKCS#1 v1.5 (RFC 8017,
// section 9.2, note 1).
var digestInfo = map[digestAlgorithm]string{
	hashSHA256: "3031300d060960864801650304020105000420",
	hashSHA384: "3041300d060960864801650304020205000430",
	hashSHA512: "3051300d060960864801650304020305000440",
}

// verifyPKCS1 is RSASSA-PKCS1-v1_5.
func (k *rsaKey) verifyPKCS1(h digestAlgorithm, message, signature []byte) bool {
	m, ok := k.open(signature)
	prefix, err := hex.DecodeString(digestInfo[h])
	if !ok || err != nil {
		return false
	}
	digest := append(prefix, h.sum(message)...)
	size := (k.bits() + 7) / 8
	want := append([]byte{0, 1}, bytes.Repeat([]byte{0xff}, size-3-len(digest))...)
	want = append(append(want, 0), digest...)
	return bytes.Equal(m.FillBytes(make([]byte, size)), want)
}

// verifyPSS is RSASSA-PSS with MGF1 of the same hash and a salt of this length.
func (k *rsaKey) verifyPSS(h digestAlgorithm, salt int, message, signature []byte) bool {
	m, ok := k.open(signature)
	if !ok {
		return false
	}
	emBits := k.bits() - 1
	size := (emBits + 7) / 8
	length := h.length()
	if m.BitLen() > 8*size || size < length+salt+2 {
		return false
	}
	em := m.FillBytes(make([]byte, size))
	masked, digest := em[:size-length-1], em[size-length-1:size-1]
	unused := 8*size - emBits
	if em[size-1] != 0xbc || masked[0]>>(8-unused) != 0 {
		return false
	}
	db := make([]byte, len(masked))
	for i, counter := 0, byte(0); i < len(db); counter++ {
		block := h.sum(digest, []byte{0, 0, 0, counter})
		for j := 0; j < len(block) && i < len(db); j, i = j+1, i+1 {
			db[i] = masked[i] ^ block[j]
		}
	}
	db[0] &= 0xff >> unused
	zeros := len(db) - salt - 1
	for _, b := range db[:zeros] {
		if b != 0 {
			return false
		}
	}
	return db[zeros] == 1 && bytes.Equal(h.sum(make([]byte, 8), h.sum(message), db[zeros+1:]), digest)
}
