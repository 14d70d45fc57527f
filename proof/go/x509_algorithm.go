package verify

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha512"
	"fmt"
	"math/big"

	"github.com/emmansun/gmsm/sm2"
)

// digestAlgorithm is a hash of X.509 and CMS; its text is its name among the
// sunsets.
type digestAlgorithm string

// The hashes.
const (
	hashSHA256 digestAlgorithm = "sha256"
	hashSHA384 digestAlgorithm = "sha384"
	hashSHA512 digestAlgorithm = "sha512"
	hashSM3    digestAlgorithm = "sm3"
)

func (h digestAlgorithm) length() int {
	switch h {
	case hashSHA384:
		return 48
	case hashSHA512:
		return 64
	}
	return 32
}

func (h digestAlgorithm) sum(parts ...[]byte) []byte {
	switch h {
	case hashSHA384, hashSHA512:
		state := sha512.New()
		if h == hashSHA384 {
			state = sha512.New384()
		}
		for _, part := range parts {
			state.Write(part)
		}
		return state.Sum(nil)
	case hashSM3:
		out := SM3.sum(parts...)
		return out[:]
	}
	out := SHA256.sum(parts...)
	return out[:]
}

// Object identifiers of algorithms, in their dotted form.
var digestOIDs = map[string]digestAlgorithm{
	"2.16.840.1.101.3.4.2.1": hashSHA256,
	"2.16.840.1.101.3.4.2.2": hashSHA384,
	"2.16.840.1.101.3.4.2.3": hashSHA512,
	"1.2.156.10197.1.401":    hashSM3,
}

const (
	oidRSA          = "1.2.840.113549.1.1.1"
	oidMGF1         = "1.2.840.113549.1.1.8"
	oidPSS          = "1.2.840.113549.1.1.10"
	oidRSASHA256    = "1.2.840.113549.1.1.11"
	oidRSASHA384    = "1.2.840.113549.1.1.12"
	oidRSASHA512    = "1.2.840.113549.1.1.13"
	oidECKey        = "1.2.840.10045.2.1"
	oidP256         = "1.2.840.10045.3.1.7"
	oidP384         = "1.3.132.0.34"
	oidECDSASHA256  = "1.2.840.10045.4.3.2"
	oidECDSASHA384  = "1.2.840.10045.4.3.3"
	oidECDSASHA512  = "1.2.840.10045.4.3.4"
	oidSM2          = "1.2.156.10197.1.301"
	oidSM2Signature = "1.2.156.10197.1.301.1"
	oidSM2SM3       = "1.2.156.10197.1.501"
	oidEd25519      = "1.3.101.112"
)

// refusedOIDs are MD2, MD5, SHA-1 and the signatures over them.
var refusedOIDs = map[string]bool{
	"1.3.14.3.2.26":        true,
	"1.3.14.3.2.27":        true,
	"1.3.14.3.2.29":        true,
	"1.2.840.113549.2.2":   true,
	"1.2.840.113549.2.5":   true,
	"1.2.840.113549.1.1.2": true,
	"1.2.840.113549.1.1.4": true,
	"1.2.840.113549.1.1.5": true,
	"1.2.840.10040.4.3":    true,
	"1.2.840.10045.4.1":    true,
}

// unknownAlgorithm is the code of an identifier that no table has.
func unknownAlgorithm(o oid) Code {
	if refusedOIDs[o.String()] {
		return CodeRefusedAlgorithm
	}
	return CodeUnsupportedSuite
}

// algorithm is an AlgorithmIdentifier.
type algorithm struct {
	oid        oid
	parameters *value
	raw        []byte
}

func (d *der) algorithm() (a algorithm) {
	v := d.expect(tagSequence)
	inside := d.inside(v.body)
	a.oid, a.raw = inside.oid(), v.raw
	if inside.more() {
		p := inside.any()
		a.parameters = &p
	}
	inside.end()
	return a
}

// noParameters: they are absent, or NULL.
func (d *der) noParameters(a algorithm) {
	d.require(a.parameters == nil || a.parameters.tag == tagNull && len(a.parameters.body) == 0, CodeUnknownTag)
}

// digestAlgorithm reads an AlgorithmIdentifier of a hash.
func (d *der) digestAlgorithm() digestAlgorithm {
	a := d.algorithm()
	d.noParameters(a)
	if !d.ok() {
		return ""
	}
	h, known := digestOIDs[a.oid.String()]
	if !known {
		d.refuse(unknownAlgorithm(a.oid))
	}
	return h
}

// scheme is how a signature was made.
type scheme struct {
	kind string
	hash digestAlgorithm
	salt int
}

// scheme reads what an AlgorithmIdentifier says of a signature. beside is the digest
// algorithm that CMS names beside a bare kind of key, if any.
func (d *der) scheme(a algorithm, beside digestAlgorithm) scheme {
	name := a.oid.String()
	if name == oidPSS {
		return d.pss(a.parameters)
	}
	d.noParameters(a)
	bare := func(kind string) scheme {
		if beside == "" {
			d.refuse(unknownAlgorithm(a.oid))
		}
		return scheme{kind: kind, hash: beside}
	}
	switch name {
	case oidRSASHA256:
		return scheme{kind: "rsa", hash: hashSHA256}
	case oidRSASHA384:
		return scheme{kind: "rsa", hash: hashSHA384}
	case oidRSASHA512:
		return scheme{kind: "rsa", hash: hashSHA512}
	case oidRSA:
		return bare("rsa")
	case oidECDSASHA256:
		return scheme{kind: "ecdsa", hash: hashSHA256}
	case oidECDSASHA384:
		return scheme{kind: "ecdsa", hash: hashSHA384}
	case oidECDSASHA512:
		return scheme{kind: "ecdsa", hash: hashSHA512}
	case oidECKey:
		return bare("ecdsa")
	case oidSM2SM3, oidSM2Signature:
		return scheme{kind: "sm2", hash: hashSM3}
	case oidEd25519:
		return scheme{kind: "ed25519", hash: hashSHA512}
	}
	d.refuse(unknownAlgorithm(a.oid))
	return scheme{}
}

// pss reads RSASSA-PSS-params. The defaults are of SHA-1, so hash and mask
// stand there; they are of one hash.
func (d *der) pss(parameters *value) scheme {
	if parameters == nil {
		d.refuse(CodeRefusedAlgorithm)
		return scheme{}
	}
	inside := d.onlySequence(parameters.raw)
	explicit := func(number byte) (*der, bool) {
		v, there := inside.optional(inContext(number))
		return inside.inside(v.body), there
	}
	field, there := explicit(0)
	d.require(there, CodeRefusedAlgorithm)
	hash := field.digestAlgorithm()
	field, there = explicit(1)
	d.require(there, CodeRefusedAlgorithm)
	mask := field.sequence()
	if function := mask.oid(); d.ok() && function.String() != oidMGF1 {
		d.refuse(unknownAlgorithm(function))
	}
	under := mask.digestAlgorithm()
	d.require(under == hash, CodeUnsupportedSuite)
	salt := uint32(20)
	if field, there = explicit(2); there {
		salt = field.small()
	}
	if field, there = explicit(3); there {
		d.require(field.small() == 1, CodeUnsupportedSuite)
	}
	inside.end()
	d.require(salt <= 1024, CodeOutOfRange)
	return scheme{kind: "pss", hash: hash, salt: int(salt)}
}

// publicKey is the key of a SubjectPublicKeyInfo: *rsaKey, *ecdsa.PublicKey
// (P-256, P-384 or the curve of SM2), or ed25519Key.
type publicKey any

type ed25519Key []byte

func parsePublicKey(spki []byte) (publicKey, Code) {
	d := newDER(nil)
	outer := d.onlySequence(spki)
	a := outer.algorithm()
	bits := outer.bits()
	outer.end()
	if !d.ok() {
		return nil, *d.code
	}
	switch a.oid.String() {
	case oidRSA, oidPSS:
		inside := d.onlySequence(bits)
		key := &rsaKey{modulus: inside.unsigned(), exponent: inside.unsigned()}
		inside.end()
		return key, *d.code
	case oidECKey:
		if a.parameters == nil {
			return nil, CodeBadKey
		}
		curve := d.inside(a.parameters.raw).oid()
		if !d.ok() {
			return nil, *d.code
		}
		return parsePoint(curve, bits)
	case oidEd25519:
		if len(bits) != 32 {
			return nil, CodeBadKey
		}
		return ed25519Key(bits), 0
	}
	return nil, unknownAlgorithm(a.oid)
}

// parsePoint reads a point of a named curve, whole or compressed; of SM2 whole.
func parsePoint(name oid, point []byte) (publicKey, Code) {
	var curve elliptic.Curve
	switch name.String() {
	case oidP256:
		curve = elliptic.P256()
	case oidP384:
		curve = elliptic.P384()
	case oidSM2:
		curve = sm2.P256()
	default:
		return nil, unknownAlgorithm(name)
	}
	size := (curve.Params().BitSize + 7) / 8
	var x, y *big.Int
	switch {
	case len(point) == 1+2*size && point[0] == 4:
		x, y = new(big.Int).SetBytes(point[1:1+size]), new(big.Int).SetBytes(point[1+size:])
		p := curve.Params().P
		if x.Cmp(p) >= 0 || y.Cmp(p) >= 0 || !curve.IsOnCurve(x, y) {
			x = nil
		}
	case len(point) == 1+size && name.String() != oidSM2:
		x, y = elliptic.UnmarshalCompressed(curve, point)
	}
	if x == nil {
		return nil, CodeBadKey
	}
	return &ecdsa.PublicKey{Curve: curve, X: x, Y: y}, 0
}

// algorithms names a signature and the hash beneath it, as sunsets do.
type algorithms struct{ signature, hash string }

// verifySignature checks a signature over message, made as a says.
func verifySignature(key publicKey, a algorithm, beside digestAlgorithm, message, signature []byte) (algorithms, Code) {
	d := newDER(nil)
	s := d.scheme(a, beside)
	if !d.ok() {
		return algorithms{}, *d.code
	}
	found := algorithms{s.kind, string(s.hash)}
	bad := func(holds bool) (algorithms, Code) {
		if !holds {
			return algorithms{}, CodeBadSignature
		}
		return found, 0
	}
	switch key := key.(type) {
	case *rsaKey:
		if s.kind != "rsa" && s.kind != "pss" {
			return bad(false)
		}
		if code := key.check(); code != 0 {
			return algorithms{}, code
		}
		if s.hash == hashSM3 {
			return algorithms{}, CodeUnsupportedSuite
		}
		found.signature = fmt.Sprintf("rsa-%d", key.bits())
		if s.kind == "pss" {
			return bad(key.verifyPSS(s.hash, s.salt, message, signature))
		}
		return bad(key.verifyPKCS1(s.hash, message, signature))
	case *ecdsa.PublicKey:
		switch {
		case key.Curve == sm2.P256():
			return bad(s.kind == "sm2" && verifySM2DER(key, message, signature))
		case s.kind != "ecdsa":
			return bad(false)
		case key.Curve == elliptic.P256():
			found.signature = "ecdsa-p256"
		default:
			found.signature = "ecdsa-p384"
		}
		return bad(ecdsa.VerifyASN1(key, s.hash.sum(message), signature))
	case ed25519Key:
		if s.kind != "ed25519" || len(signature) != 64 {
			return bad(false)
		}
		return found, verifyEd25519(key, message, signature)
	}
	return bad(false)
}

// verifySM2DER checks a signature that is a SEQUENCE of two INTEGERs.
func verifySM2DER(key *ecdsa.PublicKey, message, signature []byte) bool {
	d := newDER(nil)
	inside := d.onlySequence(signature)
	r, s := new(big.Int).SetBytes(inside.unsigned()), new(big.Int).SetBytes(inside.unsigned())
	inside.end()
	if !d.ok() || r.Sign() == 0 || s.Sign() == 0 {
		return false
	}
	return sm2.VerifyWithSM2(key, []byte(sm2Identifier), message, r, s)
}
