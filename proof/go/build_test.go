package verify

import (
	"crypto/sha256"
	"encoding/binary"
	"math/big"
	"testing"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	secp256k1ecdsa "github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Files made for tests: a trust file and proofs under a key of the tests' own.

// join puts encoded parts one after the other: numbers at their width, bytes
// and strings as they are.
func join(parts ...any) (out []byte) {
	for _, part := range parts {
		switch v := part.(type) {
		case uint8:
			out = append(out, v)
		case uint16:
			out = binary.BigEndian.AppendUint16(out, v)
		case uint32:
			out = binary.BigEndian.AppendUint32(out, v)
		case uint64:
			out = binary.BigEndian.AppendUint64(out, v)
		case string:
			out = append(out, v...)
		case []byte:
			out = append(out, v...)
		case Hash:
			out = append(out, v[:]...)
		default:
			panic("join: a part of another type")
		}
	}
	return out
}

// counted is bytes<max> of a string.
func counted(s string) []byte { return appendBytes(nil, []byte(s)) }

var (
	testNetwork  = Hash{1, 2, 3}
	testGroupKey = big.NewInt(0x5eed)
)

const testIssued, testPeriod = uint64(1_000_000), uint64(500_000)

func groupKeyBytes() []byte {
	_, _, _, g2 := bls12381.Generators()
	var key bls12381.G2Affine
	key.ScalarMultiplication(&g2, testGroupKey)
	out := key.Bytes()
	return out[:]
}

func signBLS(message []byte) []byte {
	point, err := bls12381.HashToG1(message, []byte(blsCiphersuite))
	if err != nil {
		panic(err)
	}
	point.ScalarMultiplication(&point, testGroupKey)
	out := point.Bytes()
	return out[:]
}

func testSealKey(member int) *secp256k1.PrivateKey {
	secret := sha256.Sum256([]byte{byte(member)})
	return secp256k1.PrivKeyFromBytes(secret[:])
}

// signSecp256k1 gives r ‖ s ‖ v.
func signSecp256k1(member int, digest Hash) []byte {
	compact := secp256k1ecdsa.SignCompact(testSealKey(member), digest[:], true)
	return append(compact[1:], compact[0]-31)
}

// testMember has a secp256k1 key, except the last of four.
func testMember(number int) []byte {
	out := join(counted("name"), counted("role"), Hash{byte(number + 1)})
	if number == 3 {
		return join(out, uint32(0))
	}
	return join(out, uint32(1), uint8(Secp256k1), testSealKey(number).PubKey().SerializeCompressed())
}

func testCommittee() []byte {
	return join(groupKeyBytes(), uint8(2), uint32(4), testMember(0), testMember(1), testMember(2), testMember(3))
}

// singleOutbox is an outbox of one root.
func singleOutbox(size uint64, root Hash) []byte {
	return join(size, uint32(1), uint8(SHA256), root)
}

var testInstitutions = join(uint16(1), uint32(1), counted("one"), Hash{9})

func trustFile(eras, sunsets, institutions, signatures []byte) []byte {
	return join(trustMagic, testNetwork, testIssued, testPeriod, eras, sunsets, institutions, signatures)
}

// testTrust has the one era 7, present.
func testTrust() []byte {
	return trustFile(join(uint32(1), uint64(7), testCommittee(), uint8(0)), join(uint32(0)), testInstitutions, join(uint32(0)))
}

// testHeader is of era 7 and epoch 70, over an outbox.
func testHeader(outbox []byte) []byte {
	return join(uint16(1), testNetwork, uint64(7), uint64(70), uint64(100), uint64(2000), uint64(5), uint64(4),
		Hash{}, Hash{}, Hash{}, Hash{}, uint64(0), uint64(0), outbox)
}

func testLeaf(n Namespace, path string, value Hash) []byte {
	return join(uint16(1), testNetwork, uint64(99), uint64(1999), uint16(n), counted(path), value)
}

// certify makes a certificate of an encoded header.
func certify(header []byte) []byte {
	c := Certificate{Epoch: 70, View: 6, ParentView: 5}
	h := newReader(header).header()
	return join(uint8(1), c.Epoch, c.View, c.ParentView, signBLS(c.message(&h)))
}

// sealed makes a seal of an encoded header by some members, of whom those
// without a key sign with one that nobody lists.
func sealed(header []byte, members ...int) []byte {
	h := newReader(header).header()
	out := join(uint8(2), uint8(Secp256k1), uint32(len(members)))
	for _, m := range members {
		out = join(out, uint16(m), signSecp256k1(m, sealDigest(&h)))
	}
	return out
}

// testProof is a proof of a single leaf.
func testProof(leaf []byte, endorse func(header []byte) []byte, rest ...any) []byte {
	header := testHeader(singleOutbox(1, SHA256.leafHash(leaf)))
	return join(proofMagic, header, endorse(header), leaf, uint8(SHA256), uint64(0), uint32(0), join(rest...))
}

// ask gives the code of a proof under testTrust.
func ask(t *testing.T, proof []byte) Code {
	t.Helper()
	return codeOf(t, func() error {
		_, err := Verify(proof, testTrust(), testIssued, Court, Expected{})
		return err
	})
}

func codeOf(t *testing.T, f func() error) Code {
	t.Helper()
	err := f()
	if err == nil {
		return 0
	}
	refusal, ok := err.(*Refusal)
	if !ok {
		t.Fatal(err)
	}
	return refusal.Code
}
