package verify

import (
	"bytes"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
)

// SealKey is a member's key of a seal suite.
type SealKey struct {
	Suite SealSuite
	Key   []byte
}

// Member is a member of a committee (section 6).
type Member struct {
	Name, Role string
	EngineKey  Hash
	SealKeys   []SealKey
}

// sealKey is the member's key of a suite.
func (m *Member) sealKey(s SealSuite) ([]byte, bool) {
	for _, k := range m.SealKeys {
		if k.Suite == s {
			return k.Key, true
		}
	}
	return nil, false
}

// Committee holds an era's key (section 6).
type Committee struct {
	GroupKey []byte
	// Transcript is that of the ceremony in which the members made the key
	// together; nil says that one dealer made it.
	Transcript *Hash
	Members    []Member

	groupKey bls12381.G2Affine
}

// Dealt says that one dealer made the committee's key, of which a verifier
// warns.
func (c *Committee) Dealt() bool { return c.Transcript == nil }

// committee reads a Committee.
func (r *reader) committee() (c Committee) {
	c.GroupKey = r.fixed(g2Length)
	if r.ok() {
		var ok bool
		c.groupKey, ok = parseG2(c.GroupKey)
		r.require(ok, CodeBadKey)
	}
	switch r.u8() {
	case 1:
		transcript := r.hash()
		c.Transcript = &transcript
	case 2:
	default:
		r.refuse(CodeUnknownTag)
	}
	c.Members = r.members()
	return c
}

// members reads one or more members, who ascend by engine key and of whom no
// two have one seal key.
func (r *reader) members() (list []Member) {
	n := r.count(128)
	for i := 0; i < n && r.ok(); i++ {
		list = append(list, r.member())
	}
	r.require(len(list) != 0, CodeEmptySet)
	for i := 1; i < len(list); i++ {
		order := bytes.Compare(list[i-1].EngineKey[:], list[i].EngineKey[:])
		r.require(order != 0, CodeRepeatedMember)
		r.require(order < 0, CodeNotSorted)
	}
	seen := make(map[string]bool)
	for i := range list {
		for _, k := range list[i].SealKeys {
			// Keys of different suites differ in length, so the bytes alone
			// tell them apart.
			r.require(!seen[string(k.Key)], CodeRepeatedMember)
			seen[string(k.Key)] = true
		}
	}
	return list
}

// member reads a Member: the seal keys ascend by suite.
func (r *reader) member() (m Member) {
	m.Name = r.text(64)
	m.Role = r.text(64)
	m.EngineKey = r.hash()
	n := r.count(3)
	for i := 0; i < n && r.ok(); i++ {
		suite := r.sealSuite()
		length, _ := suite.lengths()
		m.SealKeys = append(m.SealKeys, SealKey{Suite: suite, Key: r.fixed(length)})
	}
	r.require(ascends(m.SealKeys, func(k *SealKey) SealSuite { return k.Suite }), CodeNotSorted)
	return m
}
