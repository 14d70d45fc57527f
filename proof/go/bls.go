package verify

import (
	"bytes"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
)

// blsCiphersuite is the domain of the hash into G1 (section 5).
const blsCiphersuite = "BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_"

// Lengths of compressed points.
const (
	g1Length = 48
	g2Length = 96
)

// negativeG2 is the generator of G2, negated, for the pairing equation.
var negativeG2 = func() bls12381.G2Affine {
	_, _, _, g2 := bls12381.Generators()
	g2.Neg(&g2)
	return g2
}()

// compressed says that the first byte carries the mark of a compressed point
// that is not the identity. Other marks announce longer encodings.
func compressed(first byte) bool { return first&0xc0 == 0x80 }

// parseG2 reads a group key: on the curve, in the subgroup, not the identity,
// in its canonical compressed form (section 5).
func parseG2(data []byte) (p bls12381.G2Affine, ok bool) {
	if len(data) != g2Length || !compressed(data[0]) {
		return p, false
	}
	if _, err := p.SetBytes(data); err != nil || p.IsInfinity() {
		return p, false
	}
	again := p.Bytes()
	return p, bytes.Equal(again[:], data)
}

// parseG1 reads a signature, by the same rules as parseG2.
func parseG1(data []byte) (p bls12381.G1Affine, ok bool) {
	if len(data) != g1Length || !compressed(data[0]) {
		return p, false
	}
	if _, err := p.SetBytes(data); err != nil || p.IsInfinity() {
		return p, false
	}
	again := p.Bytes()
	return p, bytes.Equal(again[:], data)
}

// verifyBLS checks that e(signature, g2) = e(H(message), key).
func verifyBLS(key *bls12381.G2Affine, message, signature []byte) bool {
	point, ok := parseG1(signature)
	if !ok {
		return false
	}
	hashed, err := bls12381.HashToG1(message, []byte(blsCiphersuite))
	if err != nil {
		return false
	}
	equal, err := bls12381.PairingCheck(
		[]bls12381.G1Affine{point, hashed},
		[]bls12381.G2Affine{negativeG2, *key},
	)
	return err == nil && equal
}
