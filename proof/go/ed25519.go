package verify

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"math/big"
	"slices"
)

var (
	// ed25519Prime is 2^255 - 19.
	ed25519Prime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
	// ed25519D is the curve's constant, -121665/121666.
	ed25519D = func() *big.Int {
		d := new(big.Int).ModInverse(big.NewInt(121666), ed25519Prime)
		return d.Mod(d.Mul(d, big.NewInt(-121665)), ed25519Prime)
	}()
)

// smallOrder lists y of the points of small order, little-endian, without the
// sign of x.
var smallOrder = func() (list [][]byte) {
	for _, y := range []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	} {
		data, err := hex.DecodeString(y)
		if err != nil {
			panic(err)
		}
		list = append(list, data)
	}
	return list
}()

func isSmallOrder(point []byte) bool {
	y := append([]byte(nil), point...)
	y[31] &= 0x7f
	return slices.ContainsFunc(smallOrder, func(one []byte) bool { return bytes.Equal(one, y) })
}

// strictEd25519Key says that 32 bytes are the canonical encoding of a point of
// the curve that is not of small order (section 6).
func strictEd25519Key(key []byte) bool {
	if len(key) != ed25519.PublicKeySize || isSmallOrder(key) {
		return false
	}
	big1 := big.NewInt(1)
	le := append([]byte(nil), key...)
	le[31] &= 0x7f
	slices.Reverse(le)
	y := new(big.Int).SetBytes(le)
	if y.Cmp(ed25519Prime) >= 0 {
		return false
	}
	// x^2 = (y^2 - 1) / (d y^2 + 1) has a root when the product of the two has.
	square := new(big.Int).Mul(y, y)
	u := new(big.Int).Sub(square, big1)
	v := square.Mul(square, ed25519D)
	v.Add(v, big1)
	u.Mul(u, v)
	return big.Jacobi(u.Mod(u, ed25519Prime), ed25519Prime) >= 0
}

// verifyEd25519 checks a signature under the strict rule: the key as above, R
// not of small order, and everything in its canonical encoding.
func verifyEd25519(key, message, signature []byte) Code {
	if !strictEd25519Key(key) {
		return CodeBadKey
	}
	if len(signature) != ed25519.SignatureSize || isSmallOrder(signature[:32]) ||
		!ed25519.Verify(key, message, signature) {
		return CodeBadSignature
	}
	return 0
}
