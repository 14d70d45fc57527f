package verify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"math/big"
)

// maxCOSEReceipt is the longest receipt, and maxCOSEText the longest key
// identifier, issuer and signature, in bytes.
const (
	maxCOSEReceipt = 16384
	maxCOSEText    = 1024
)

// Labels of header parameters and of proofs.
const (
	labelAlgorithm   = 1
	labelCritical    = 2
	labelKey         = 4
	labelClaims      = 15
	labelStructure   = 395
	labelProofs      = 396
	labelIssuer      = 1
	labelInclusion   = -1
	labelConsistency = -2
)

// COSEReceipt is a receipt of another transparency service (section 13), read
// and not verified.
type COSEReceipt struct {
	// Algorithm is its number: -7, -35 or -8.
	Algorithm int64
	// KeyID and Issuer are covered by the signature; nil and empty for none.
	KeyID  []byte
	Issuer string
	// Consistency says that the proof is of a tree that grew, from First to Second;
	// else it is of the entry Second in a tree of size First.
	Consistency   bool
	First, Second uint64
	Path          []Hash

	protected, signature []byte
	// hasIssuer tells an empty issuer from none.
	hasIssuer bool
}

// ParseCOSEReceipt reads a receipt.
func ParseCOSEReceipt(data []byte) (*COSEReceipt, error) {
	if len(data) > maxCOSEReceipt {
		return nil, refused("receipt", CodeTooLong)
	}
	c := &cbor{data, new(Code)}
	r := new(COSEReceipt)
	c.require(c.expect(cborTag) == 18, CodeUnknownTag)
	c.require(c.members(cborArray) == 4, CodeBadReceipt)
	r.protected = c.bytes(maxCOSEReceipt)
	algorithm := r.readProtected(&cbor{r.protected, c.code})
	proof := false
	c.each(func(key int64) bool {
		if key == labelProofs {
			r.readProofs(c)
			proof = true
		}
		return key == labelProofs
	})
	c.require(c.expect(cborSimple) == 22, CodeUnknownTag)
	r.signature = c.bytes(maxCOSEText)
	c.end()
	c.require(algorithm && proof, CodeBadReceipt)
	if !c.ok() {
		return nil, refused("receipt", *c.code)
	}
	return r, nil
}

// readProtected reads the protected map; it says whether an algorithm is named.
func (r *COSEReceipt) readProtected(c *cbor) (algorithm bool) {
	structure := int64(0)
	c.each(func(key int64) bool {
		switch key {
		case labelAlgorithm:
			r.Algorithm, algorithm = c.integer(), true
			c.require(r.Algorithm != -65535, CodeRefusedAlgorithm)
			c.require(r.Algorithm == -7 || r.Algorithm == -35 || r.Algorithm == -8, CodeUnsupportedSuite)
		case labelCritical:
			c.require(false, CodeCriticalExtension)
		case labelKey:
			r.KeyID = c.bytes(maxCOSEText)
		case labelStructure:
			structure = c.integer()
		case labelClaims:
			c.each(func(claim int64) bool {
				if claim == labelIssuer {
					r.Issuer, r.hasIssuer = c.text(maxCOSEText), true
				}
				return claim == labelIssuer
			})
		default:
			return false
		}
		return true
	})
	c.end()
	c.require(structure == 1, CodeBadReceipt)
	return algorithm
}

// readProofs reads exactly one proof.
func (r *COSEReceipt) readProofs(c *cbor) {
	found := false
	c.each(func(kind int64) bool {
		c.require(kind == labelInclusion || kind == labelConsistency, CodeUnknownTag)
		count := c.members(cborArray)
		c.require(count == 1 && !found, CodeBadReceipt)
		in := &cbor{c.bytes(maxCOSEReceipt), c.code}
		c.require(in.members(cborArray) == 3, CodeBadReceipt)
		r.First, r.Second = in.expect(cborUnsigned), in.expect(cborUnsigned)
		r.Consistency = kind == labelConsistency
		most := uint64(64)
		if r.Consistency {
			most = 128
		}
		n := in.members(cborArray)
		c.require(n <= most, CodeTooMany)
		for i := uint64(0); i < n && c.ok(); i++ {
			hash := in.bytes(32)
			c.require(len(hash) == 32, CodeTruncated)
			if c.ok() {
				r.Path = append(r.Path, Hash(hash))
			}
		}
		in.end()
		found = true
		return true
	})
	c.require(found, CodeBadReceipt)
}

// VerifyInclusion checks that the key, a SubjectPublicKeyInfo, signed for a tree
// that holds the entry; it gives the root.
func (r *COSEReceipt) VerifyInclusion(entry, key []byte) (Hash, error) {
	if r.Consistency {
		return Hash{}, refused("receipt", CodeBadReceipt)
	}
	root, code := impliedRoot(SHA256, SHA256.leafHash(entry), r.Second, r.First, r.Path)
	return root, refused("receipt", r.check(root, code, key))
}

// VerifyConsistency checks that the key signed for a tree that begins with the
// one of this root; it gives the new root.
func (r *COSEReceipt) VerifyConsistency(older Hash, key []byte) (Hash, error) {
	if !r.Consistency {
		return Hash{}, refused("receipt", CodeBadReceipt)
	}
	root, code := extendedRoot(SHA256, r.First, r.Second, r.Path, older)
	return root, refused("receipt", r.check(root, code, key))
}

// check checks the signature over a root, if there is one.
func (r *COSEReceipt) check(root Hash, code Code, spki []byte) Code {
	if code != 0 {
		return code
	}
	key, code := parsePublicKey(spki)
	if code != 0 {
		return code
	}
	message := r.signed(root)
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		var digest digestAlgorithm
		switch {
		case r.Algorithm == -7 && key.Curve == elliptic.P256():
			digest = hashSHA256
		case r.Algorithm == -35 && key.Curve == elliptic.P384():
			digest = hashSHA384
		default:
			return CodeBadSignature
		}
		half := digest.length()
		if len(r.signature) != 2*half {
			return CodeBadSignature
		}
		one, other := new(big.Int).SetBytes(r.signature[:half]), new(big.Int).SetBytes(r.signature[half:])
		if !ecdsa.Verify(key, digest.sum(message), one, other) {
			return CodeBadSignature
		}
		return 0
	case ed25519Key:
		if r.Algorithm == -8 {
			return verifyEd25519(key, message, r.signature)
		}
	}
	return CodeBadSignature
}

// signed is the Sig_structure of RFC 9052, section 4.4, over a root.
func (r *COSEReceipt) signed(root Hash) []byte {
	out := append([]byte{0x84, 0x6a}, "Signature1"...)
	out = append(appendCBORBytes(out, r.protected), 0x40)
	return appendCBORBytes(out, root[:])
}

func appendCBORBytes(to, data []byte) []byte {
	switch n := len(data); {
	case n < 24:
		to = append(to, 0x40|byte(n))
	case n < 1<<8:
		to = append(to, 0x58, byte(n))
	default:
		// At most maxCOSEReceipt.
		to = append(to, 0x59, byte(n>>8), byte(n))
	}
	return append(to, data...)
}
