package verify

import "encoding/binary"

// Certificate is the threshold signature of an era's committee (section 5).
type Certificate struct {
	Epoch, View, ParentView uint64
	Signature               []byte
}

// SealSignature is one member's signature in a seal.
type SealSignature struct {
	Member    uint16
	Signature []byte
}

// Seal is the list of single signatures of members (section 5).
type Seal struct {
	Suite      SealSuite
	Signatures []SealSignature
}

// Endorsement is a certificate or a seal; the other one is nil.
type Endorsement struct {
	Certificate *Certificate
	Seal        *Seal
}

// endorsement reads an Endorsement.
func (r *reader) endorsement() (e Endorsement) {
	switch r.u8() {
	case 1:
		e.Certificate = &Certificate{
			Epoch: r.u64(), View: r.u64(), ParentView: r.u64(), Signature: r.fixed(g1Length),
		}
	case 2:
		e.Seal = r.seal()
	default:
		r.refuse(CodeUnknownTag)
	}
	return e
}

// seal reads a Seal: signatures are not none and ascend by member.
func (r *reader) seal() *Seal {
	s := &Seal{Suite: r.sealSuite()}
	n := r.count(128)
	_, length := s.Suite.lengths()
	for i := 0; i < n && r.ok(); i++ {
		s.Signatures = append(s.Signatures, SealSignature{Member: r.u16(), Signature: r.fixed(length)})
	}
	r.require(len(s.Signatures) != 0, CodeEmpty)
	r.require(ascends(s.Signatures, func(one *SealSignature) uint16 { return one.Member }), CodeNotSorted)
	return s
}

// Parts of the message that a certificate signs.
const (
	finalizeNamespace = "zeugma.finalize.1"
	finalizeSuffix    = "_FINALIZE"
)

// message is what a certificate signs (section 5).
func (c *Certificate) message(header *Header) []byte {
	digest := header.digest()
	m := appendVarint(nil, uint64(len(finalizeNamespace)+len(header.Network)+len(finalizeSuffix)))
	m = append(m, finalizeNamespace...)
	m = append(m, header.Network[:]...)
	m = append(m, finalizeSuffix...)
	m = appendVarint(m, c.Epoch)
	m = appendVarint(m, c.View)
	m = appendVarint(m, c.ParentView)
	return append(m, digest[:]...)
}

// check verifies the certificate (section 8, step 6).
func (c *Certificate) check(header *Header, committee *Committee) Code {
	if c.Epoch != header.Epoch {
		return CodeWrongEpoch
	}
	if !verifyBLS(&committee.groupKey, c.message(header), c.Signature) {
		return CodeBadSignature
	}
	return 0
}

// sealDigest is what the members of a seal sign (section 5).
func sealDigest(header *Header) Hash {
	digest := header.digest()
	m := append([]byte(nil), header.Network[:]...)
	m = binary.BigEndian.AppendUint64(m, header.Era)
	m = append(m, digest[:]...)
	return SHA256.framed(purposeSeal, m)
}

// check verifies the seal, signature by signature in the order of the list,
// then the quorum (section 5).
func (s *Seal) check(header *Header, committee *Committee) Code {
	digest := sealDigest(header)
	for _, one := range s.Signatures {
		if int(one.Member) >= len(committee.Members) {
			return CodeUnknownSigner
		}
		key, ok := committee.Members[one.Member].sealKey(s.Suite)
		if !ok {
			return CodeBadKey
		}
		if code := s.Suite.verify(key, digest, one.Signature); code != 0 {
			return code
		}
	}
	if n, k := len(committee.Members), len(s.Signatures); !quorum(n, k) {
		return CodeQuorumNotReached
	}
	return 0
}

// quorum says that k of n members suffice: 3 (n - k) <= n - 1.
func quorum(n, k int) bool { return 3*(n-k) <= n-1 }
