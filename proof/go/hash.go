package verify

import (
	"crypto/sha256"
	"hash"

	"github.com/emmansun/gmsm/sm3"
)

// Hash is a digest of 32 bytes; both hash suites have this length.
type Hash [32]byte

// HashSuite is the number of a hash suite (section 1).
type HashSuite uint8

// The hash suites.
const (
	SHA256 HashSuite = 1
	SM3    HashSuite = 2
)

// String names the suite.
func (s HashSuite) String() string {
	switch s {
	case SHA256:
		return "SHA-256"
	case SM3:
		return "SM3"
	}
	return "unknown"
}

func (s HashSuite) known() bool { return s == SHA256 || s == SM3 }

// algorithmName is the suite's name among the sunsets.
func (s HashSuite) algorithmName() string {
	if s == SM3 {
		return "sm3"
	}
	return "sha256"
}

// sum hashes the parts joined.
func (s HashSuite) sum(parts ...[]byte) (out Hash) {
	var h hash.Hash
	if s == SM3 {
		h = sm3.New()
	} else {
		h = sha256.New()
	}
	for _, part := range parts {
		h.Write(part)
	}
	h.Sum(out[:0])
	return out
}

// purpose is the ASCII domain of a framed hash (section 2).
type purpose string

// The purposes.
const (
	purposeHeader      purpose = "zeugma.header.1"
	purposeSeal        purpose = "zeugma.seal.1"
	purposeTrustFile   purpose = "zeugma.trust-file.1"
	purposeHandover    purpose = "zeugma.handover.1"
	purposeStanding    purpose = "zeugma.standing.1"
	purposeClosed      purpose = "zeugma.closed.1"
	purposeRetraction  purpose = "zeugma.retraction.1"
	purposeAnchor      purpose = "zeugma.anchor.1"
	purposeSplitView   purpose = "zeugma.split-view.1"
	purposeClientEvent purpose = "zeugma.client-event.1"
	purposeRegistry    purpose = "zeugma.registry.1"
	purposeReceipt     purpose = "zeugma.receipt.1"
	purposeRuleVerdict purpose = "zeugma.rule-verdict.1"
	purposeBundle      purpose = "zeugma.bundle.1"
	purposeRenewal     purpose = "zeugma.renewal.1"
	purposePolicy      purpose = "zeugma.policy.1"
	purposeEntry       purpose = "zeugma.entry.1"
	purposeEntryField  purpose = "zeugma.entry-field.1"
)

// framed is H(frame ‖ part), the frame being one byte of length and the
// domain of the purpose (section 2).
func (s HashSuite) framed(p purpose, part []byte) Hash {
	return s.sum([]byte{byte(len(p))}, []byte(p), part)
}

// hashSuite reads the number of a hash suite.
func (r *reader) hashSuite() HashSuite {
	s := HashSuite(r.u8())
	r.require(s.known(), CodeUnknownTag)
	return s
}
