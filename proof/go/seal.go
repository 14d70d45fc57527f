package verify

import (
	"bytes"
	"crypto/ecdsa"
	"math/big"

	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp256k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
	"github.com/emmansun/gmsm/ecdh"
	"github.com/emmansun/gmsm/sm2"
)

// SealSuite is the number of a seal suite (section 1).
type SealSuite uint8

// The seal suites.
const (
	Secp256k1 SealSuite = 1
	SM2       SealSuite = 2
	MLDSA44   SealSuite = 3
)

// sealSuiteShape is what section 1 says of a seal suite.
var sealSuiteShape = [...]struct {
	name           string
	key, signature int
}{
	Secp256k1: {"ECDSA secp256k1", 33, 65},
	SM2:       {"SM2 with SM3", 65, 64},
	MLDSA44:   {"ML-DSA-44", 1312, 2420},
}

func (s SealSuite) known() bool { return s >= Secp256k1 && s <= MLDSA44 }

// String names the suite.
func (s SealSuite) String() string {
	if !s.known() {
		return "unknown"
	}
	return sealSuiteShape[s].name
}

// algorithmName is the suite's name among the sunsets.
func (s SealSuite) algorithmName() string {
	return [...]string{Secp256k1: "secp256k1", SM2: "sm2", MLDSA44: "ml-dsa-44"}[s]
}

// lengths are those of the suite's keys and signatures; of an unknown suite,
// which is refused when it is read, they are 0.
func (s SealSuite) lengths() (key, signature int) {
	if !s.known() {
		return 0, 0
	}
	return sealSuiteShape[s].key, sealSuiteShape[s].signature
}

// sealSuite reads the number of a seal suite.
func (r *reader) sealSuite() SealSuite {
	s := SealSuite(r.u8())
	r.require(s.known(), CodeUnknownTag)
	return s
}

// verify checks a signature of the digest. Bytes that are not a public key
// are CodeBadKey, any other failure CodeBadSignature.
func (s SealSuite) verify(key []byte, digest Hash, signature []byte) Code {
	switch s {
	case Secp256k1:
		return verifySecp256k1(key, digest, signature)
	case SM2:
		return verifySM2(key, digest, signature)
	case MLDSA44:
		return verifyMLDSA44(key, digest, signature)
	}
	return CodeUnsupportedSuite
}

// verifySecp256k1 recovers the key from r ‖ s ‖ v over the digest as it is;
// s is low and v is 0 or 1.
func verifySecp256k1(key []byte, digest Hash, signature []byte) Code {
	if len(key) != 33 {
		return CodeBadKey
	}
	if _, err := secp256k1.ParsePubKey(key); err != nil {
		return CodeBadKey
	}
	if len(signature) != 65 || signature[64] > 1 {
		return CodeBadSignature
	}
	var s secp256k1.ModNScalar
	if overflow := s.SetByteSlice(signature[32:64]); overflow || s.IsOverHalfOrder() {
		return CodeBadSignature
	}
	// The library wants 27 + 4 (the key is compressed) + v in front.
	compact := append([]byte{31 + signature[64]}, signature[:64]...)
	recovered, _, err := secp256k1ecdsa.RecoverCompact(compact, digest[:])
	if err != nil || !bytes.Equal(recovered.SerializeCompressed(), key) {
		return CodeBadSignature
	}
	return 0
}

// sm2Identifier is the signer's identifier in the hash that SM2 signs.
const sm2Identifier = "1234567812345678"

// verifySM2 checks r ‖ s over the digest as message.
func verifySM2(key []byte, digest Hash, signature []byte) Code {
	if len(key) != 65 || key[0] != 4 {
		return CodeBadKey
	}
	if _, err := ecdh.P256().NewPublicKey(key); err != nil {
		return CodeBadKey
	}
	public := &ecdsa.PublicKey{
		Curve: sm2.P256(),
		X:     new(big.Int).SetBytes(key[1:33]),
		Y:     new(big.Int).SetBytes(key[33:]),
	}
	if len(signature) != 64 {
		return CodeBadSignature
	}
	r := new(big.Int).SetBytes(signature[:32])
	s := new(big.Int).SetBytes(signature[32:])
	if r.Sign() == 0 || s.Sign() == 0 {
		return CodeBadSignature
	}
	// The library refuses r, s and r + s outside their ranges.
	if !sm2.VerifyWithSM2(public, []byte(sm2Identifier), digest[:], r, s) {
		return CodeBadSignature
	}
	return 0
}

// verifyMLDSA44 checks a signature of the digest as message, the context
// empty.
func verifyMLDSA44(key []byte, digest Hash, signature []byte) Code {
	var public mldsa44.PublicKey
	if len(key) != mldsa44.PublicKeySize || public.UnmarshalBinary(key) != nil {
		return CodeBadKey
	}
	if len(signature) != mldsa44.SignatureSize || !mldsa44.Verify(&public, digest[:], nil, signature) {
		return CodeBadSignature
	}
	return 0
}
