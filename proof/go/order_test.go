package verify

import (
	"math"
	"testing"
)

// Files with two defects: the rule that breaks first gives the code. Fields
// are checked when they are read, lists when their last item has been read and
// rule by rule, records at their end (section 1).

// ordered is a file with two defects and the code of the first.
type ordered struct {
	name string
	file []byte
	want Code
}

func checkOrder(t *testing.T, cases []ordered, code func(file []byte) Code) {
	t.Helper()
	for _, c := range cases {
		if got := code(c.file); got != c.want {
			t.Errorf("%s: %d %s, want %d %s", c.name, got, got.Name(), c.want, c.want.Name())
		}
	}
}

func trustCode(t *testing.T) func([]byte) Code {
	return func(file []byte) Code {
		t.Helper()
		return codeOf(t, func() error { _, err := ParseTrust(file); return err })
	}
}

// outboxes with defects, as the bytes stand before whatever follows.
func brokenOutboxes() []ordered {
	root := func(suite uint8) []byte { return join(suite, Hash{}) }
	return []ordered{
		{"descending, first is SM3", join(uint64(1), uint32(2), root(2), root(1)), CodeNotSorted},
		{"SM3 twice", join(uint64(1), uint32(2), root(2), root(2)), CodeNotSorted},
		{"SHA-256 twice", join(uint64(1), uint32(2), root(1), root(1)), CodeNotSorted},
		{"descending at the end", join(uint64(1), uint32(3), root(1), root(2), root(1)), CodeNotSorted},
		{"SM3 alone", join(uint64(1), uint32(1), root(2)), CodeNoSuchRoot},
		{"no roots", join(uint64(1), uint32(0)), CodeNoSuchRoot},
		{"first is SM3, then an unknown suite", join(uint64(1), uint32(2), root(2), root(3)), CodeUnknownTag},
		{"a suite twice, then an unknown one", join(uint64(1), uint32(3), root(1), root(1), root(0)), CodeUnknownTag},
		{"an unknown suite, then a suite twice", join(uint64(1), uint32(3), root(9), root(1), root(1)), CodeUnknownTag},
		{"too many, first is SM3", join(uint64(1), uint32(5), root(2), root(2)), CodeTooMany},
	}
}

// The roots of an outbox: NotSorted, then NoSuchRoot, over the whole list and
// before the next field; the same in a header, a pin and a body.
func TestOrderOfOutbox(t *testing.T) {
	var header, pin, anchor, handover []ordered
	for _, o := range brokenOutboxes() {
		header = append(header, ordered{o.name, join(proofMagic, testHeader(o.file), uint8(9)), o.want})
		pin = append(pin, ordered{o.name, join(trustMagic, testNetwork, testIssued, testPeriod,
			uint32(2), uint64(7), testCommittee(), uint8(1), o.file), o.want})
		anchor = append(anchor, ordered{o.name, opened(NamespaceAnchor, "x", join(counted("log.example"), o.file, uint8(0))), o.want})
		handover = append(handover, ordered{o.name, opened(NamespaceHandover, "x",
			join(uint64(8), testCommittee(), uint64(3), o.file, uint8(0))), o.want})
	}
	cut := join(uint64(1), uint32(2), uint8(SM3), Hash{}, uint8(SHA256))
	header = append(header, ordered{"descending and cut", join(proofMagic, testHeader(cut)), CodeTruncated})
	inProof := func(file []byte) Code { return ask(t, file) }
	t.Run("header", func(t *testing.T) { checkOrder(t, header, inProof) })
	t.Run("pin", func(t *testing.T) { checkOrder(t, pin, trustCode(t)) })
	t.Run("anchor", func(t *testing.T) { checkOrder(t, anchor, inProof) })
	t.Run("handover", func(t *testing.T) { checkOrder(t, handover, inProof) })
}

// A seal: Empty, then NotSorted, when the list has been read; what its members
// and signatures are only at step 6, signature by signature.
func TestOrderOfSeal(t *testing.T) {
	good := testLeaf(NamespaceIBC, "abcd\x01", Hash{4})
	other := append([]byte{0, 3}, good[2:]...) // of an unknown format
	header := testHeader(singleOutbox(1, SHA256.leafHash(good)))
	// Under 3 (n - k) <= n - 1, three of the four members suffice.
	by := func(header []byte, members ...int) []byte { return sealed(header, members...) }
	spoiled := func(member int, members ...int) []byte {
		e := by(header, members...)
		e[6+67*member+2+5] ^= 1
		return e
	}
	proof := func(header, endorsement, leaf []byte) []byte {
		return join(proofMagic, header, endorsement, leaf, uint8(SHA256), uint64(0), uint32(0), uint8(0), uint8(0))
	}
	with := func(endorsement []byte) []byte { return proof(header, endorsement, good) }
	elsewhere := append([]byte(nil), header...)
	elsewhere[2] ^= 1
	cut := func(b []byte) []byte { return join(proofMagic, header, b[:len(b)-1]) }
	checkOrder(t, []ordered{
		{"none, then the leaf's format", proof(header, by(header), other), CodeEmpty},
		{"none, another network", proof(elsewhere, by(elsewhere), good), CodeEmpty},
		{"descending, then the leaf's format", proof(header, by(header, 1, 0, 2), other), CodeNotSorted},
		{"descending and cut", cut(by(header, 1, 0)), CodeTruncated},
		{"twice and cut", cut(by(header, 0, 0, 1)), CodeTruncated},
		{"descending, and a stranger", with(by(header, 4, 0)), CodeNotSorted},
		{"a stranger, another network", proof(elsewhere, by(elsewhere, 0, 4), good), CodeWrongNetwork},
		{"a spoiled signature, then a stranger", with(spoiled(0, 0, 4)), CodeBadSignature},
		{"no key, then a stranger", with(by(header, 3, 4)), CodeBadKey},
		{"a spoiled signature, then no key", with(spoiled(0, 0, 3)), CodeBadSignature},
		{"too few, one without a key", with(by(header, 3)), CodeBadKey},
		{"too few, one spoiled", with(spoiled(1, 0, 1)), CodeBadSignature},
	}, func(file []byte) Code { return ask(t, file) })
}

// A certificate's signature is looked at in step 6 only.
func TestOrderOfCertificate(t *testing.T) {
	leaf := testLeaf(NamespaceIBC, "abcd\x01", Hash{4})
	header := testHeader(singleOutbox(1, SHA256.leafHash(leaf)))
	proof := func(header []byte, epoch uint64, path uint32) []byte {
		return join(proofMagic, header, uint8(1), epoch, uint64(6), uint64(5), make([]byte, g1Length),
			leaf, uint8(SHA256), uint64(0), path, make([]byte, 32*path), uint8(0), uint8(0))
	}
	elsewhere := append([]byte(nil), header...)
	elsewhere[2] ^= 1
	checkOrder(t, []ordered{
		{"no point", proof(header, 70, 0), CodeBadSignature},
		{"no point, another epoch", proof(header, 71, 0), CodeWrongEpoch},
		{"no point, a longer path", proof(header, 70, 1), CodePathLength},
		{"no point, another network", proof(elsewhere, 70, 0), CodeWrongNetwork},
	}, func(file []byte) Code { return ask(t, file) })
}

// A committee: the rules of one member's seal keys at the end of their list;
// EmptySet, the order pair by pair, repeated seal keys at the end of the
// members.
func TestOrderOfCommittee(t *testing.T) {
	dealt := join(groupKeyBytes(), uint8(2))
	member := func(engine byte, keys ...[]byte) []byte {
		out := join(counted(""), counted(""), Hash{engine}, uint32(len(keys)))
		for _, k := range keys {
			out = append(out, k...)
		}
		return out
	}
	members := func(list ...[]byte) []byte {
		out := join(dealt, uint32(len(list)))
		for _, m := range list {
			out = append(out, m...)
		}
		return out
	}
	secp := join(uint8(Secp256k1), testSealKey(0).PubKey().SerializeCompressed())
	sm := join(uint8(SM2), make([]byte, 65))
	unknown := []byte{4}
	noText := counted("\xff")
	broken := []ordered{
		{"group key, then origin", join(make([]byte, g2Length), uint8(3)), CodeBadKey},
		{"no members", members(), CodeEmptySet},
		{"equal, then descending", members(member(1), member(1), member(0)), CodeRepeatedMember},
		{"descending, then equal", members(member(2), member(1), member(1)), CodeNotSorted},
		{"equal, but not neighbours", members(member(1), member(2), member(1)), CodeNotSorted},
		{"a seal key twice, then descending", members(member(1, secp), member(3, secp), member(2)), CodeNotSorted},
		{"descending with one seal key", members(member(2, secp), member(1, secp)), CodeNotSorted},
		{"descending, then a name that is no text", members(member(2), member(1), noText), CodeBadText},
		{"a seal key twice, then a name that is no text", members(member(1, secp), member(2, secp), noText), CodeBadText},
		{"equal, the second's suites descend", members(member(1), member(1, sm, secp)), CodeNotSorted},
		{"a seal key twice, the second's suites descend", members(member(1, secp), member(2, sm, secp)), CodeNotSorted},
		{"suites descend, then an unknown suite", members(member(1, sm, secp, unknown)), CodeUnknownTag},
		{"suites descend, then a name that is no text", members(member(1, sm, secp), noText), CodeNotSorted},
		{"a seal key twice", members(member(1, secp), member(2, sm), member(3, secp)), CodeRepeatedMember},
	}
	// After the committee stands another defect, that of the pin's tag in a
	// trust file and of left over bytes in a body.
	var trust, body []ordered
	for _, c := range broken {
		trust = append(trust, ordered{c.name, join(trustMagic, testNetwork, testIssued, testPeriod,
			uint32(1), uint64(7), c.file, uint8(2)), c.want})
		body = append(body, ordered{c.name, opened(NamespaceHandover, "x", join(uint64(8), c.file,
			uint64(3), singleOutbox(1, Hash{}), uint8(0))), c.want})
	}
	trust = append(trust, ordered{"descending and cut", join(trustMagic, testNetwork, testIssued, testPeriod,
		uint32(1), uint64(7), dealt, uint32(3), member(2), member(1), uint32(0)), CodeTruncated})
	body = append(body, ordered{"era 0, then group key", opened(NamespaceHandover, "x",
		join(uint64(0), make([]byte, g2Length))), CodeOutOfRange})
	t.Run("trust file", func(t *testing.T) { checkOrder(t, trust, trustCode(t)) })
	t.Run("handover", func(t *testing.T) {
		checkOrder(t, body, func(file []byte) Code { return ask(t, file) })
	})
}

// A trust file: institutions and signatures when they have been read, eras and
// sunsets when the whole file has been read.
func TestOrderOfTrust(t *testing.T) {
	none := join(uint32(0))
	bare, pin := []byte{0}, join(uint8(1), singleOutbox(4, Hash{}))
	era := func(n uint64, pinned []byte) []byte { return join(n, testCommittee(), pinned) }
	eras := func(list ...[]byte) []byte {
		out := join(uint32(len(list)))
		for _, e := range list {
			out = append(out, e...)
		}
		return out
	}
	one := eras(era(7, bare))
	gap := eras(era(7, pin), era(9, bare))
	descending := join(uint32(2), counted("b"), uint64(1), counted("a"), uint64(1))
	institution := join(counted("one"), Hash{9})
	repeated := join(uint16(1), uint32(2), institution, institution)
	signatures := join(uint32(2), uint16(1), make([]byte, 64), uint16(0), make([]byte, 64))
	file := func(eras, sunsets, institutions, signatures []byte) []byte {
		return trustFile(eras, sunsets, institutions, signatures)
	}
	cut := func(b []byte) []byte { return b[:len(b)-1] }
	checkOrder(t, []ordered{
		{"unpinned, then a gap", file(eras(era(7, bare), era(9, bare)), none, testInstitutions, none), CodeConsistencyMissing},
		{"a gap, then the last is pinned", file(eras(era(7, pin), era(9, pin)), none, testInstitutions, none), CodeConsistencyMissing},
		{"a gap, then unpinned", file(eras(era(7, pin), era(9, bare), era(10, bare)), none, testInstitutions, none), CodeConsistencyMissing},
		{"a gap, its group key", file(eras(era(7, pin), join(uint64(9), make([]byte, g2Length))), none, testInstitutions, none), CodeBadKey},
		{"round, its group key", file(eras(era(math.MaxUint64, pin), join(uint64(0), make([]byte, g2Length))), none, testInstitutions, none), CodeBadKey},
		{"unpinned, then a pin's tag", file(eras(era(7, bare), era(8, []byte{2})), none, testInstitutions, none), CodeUnknownTag},

		{"no era, sunsets descend", file(none, descending, testInstitutions, none), CodeEmptySet},
		{"unpinned, sunsets descend", file(eras(era(7, pin)), descending, testInstitutions, none), CodeConsistencyMissing},
		{"a gap, sunsets descend", file(gap, descending, testInstitutions, none), CodeNotNextEra},
		{"no era, too many sunsets", file(none, join(uint32(65)), testInstitutions, none), CodeTooMany},
		{"no era, a sunset's name", file(none, join(uint32(1), counted("\xff"), uint64(1)), testInstitutions, none), CodeBadText},
		{"sunsets descend, then a name", file(one, join(uint32(3), counted("b"), uint64(1), counted("a"), uint64(1), counted("\xff")), testInstitutions, none), CodeBadText},

		{"no era, an institution twice", file(none, none, repeated, none), CodeRepeatedMember},
		{"a gap, no institution", file(gap, none, join(uint16(1), uint32(0)), none), CodeEmptySet},
		{"a gap, threshold", file(gap, none, join(uint16(2), uint32(1), institution), none), CodeOutOfRange},
		{"sunsets descend, an institution twice", file(one, descending, repeated, none), CodeRepeatedMember},
		{"an institution twice, threshold", file(one, none, join(uint16(0), uint32(2), institution, institution), none), CodeRepeatedMember},
		{"no institution, threshold", file(one, none, join(uint16(0), uint32(0)), none), CodeEmptySet},
		{"an institution twice, then a name", file(one, none, join(uint16(1), uint32(3), institution, institution, counted("\xff")), none), CodeBadText},
		{"an institution twice, signatures descend", file(one, none, repeated, signatures), CodeRepeatedMember},
		{"threshold, then too many signatures", file(one, none, join(uint16(2), uint32(1), institution), join(uint32(65))), CodeOutOfRange},

		{"no era, signatures descend", file(none, none, testInstitutions, signatures), CodeNotSorted},
		{"a gap, signatures descend", file(gap, none, testInstitutions, signatures), CodeNotSorted},
		{"a gap, too many signatures", file(gap, none, testInstitutions, join(uint32(65))), CodeTooMany},
		{"signatures descend and cut", file(one, none, testInstitutions, join(uint32(3), signatures[4:])), CodeTruncated},
		{"a gap and cut", cut(file(gap, none, testInstitutions, none)), CodeTruncated},
		{"a gap and left over", join(file(gap, none, testInstitutions, none), uint8(0)), CodeNotNextEra},
		{"sunsets descend and left over", join(file(one, descending, testInstitutions, none), uint8(0)), CodeNotSorted},
	}, trustCode(t))
}

// A record's rule comes at its end: after what its fields must be, before what
// is left over.
func TestOrderOfSplitView(t *testing.T) {
	view := join(uint64(5), Hash{5})
	start := join(counted("log.example"), uint8(SM3), view)
	checkOrder(t, []ordered{
		{"one view and cut", opened(NamespaceSplitView, "x", join(start, view[:39])), CodeTruncated},
		{"one view and left over", opened(NamespaceSplitView, "x", join(start, view, uint8(0))), CodeNoMisbehaviour},
		{"one view under another path", opened(NamespaceSplitView, "x", join(start, view)), CodeNoMisbehaviour},
		{"no origin, an unknown suite", opened(NamespaceSplitView, "x", join(counted(""), uint8(3), view, view)), CodeEmpty},
	}, func(file []byte) Code { return ask(t, file) })
}

// The trust file is read before the proof.
func TestOrderOfFiles(t *testing.T) {
	broken := trustFile(join(uint32(0)), join(uint32(0)), testInstitutions, join(uint32(0)))
	got := codeOf(t, func() error {
		_, err := Verify(make([]byte, maxProofLength+1), broken, testIssued, Court, Expected{})
		return err
	})
	if got != CodeEmptySet {
		t.Errorf("%d", got)
	}
}
